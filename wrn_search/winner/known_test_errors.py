"""What is known of a trial's test error: nothing in a search; of retrained twins, what `confirm` read."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from wrn_search.errors import InputError
from wrn_search.results.table_reader import read_tables
from wrn_search.space.trial_config import LEAVES
from wrn_search.winner.trial_to_export import ChosenTrial


@dataclass(frozen=True)
class TestErrors:
    """In percent. Neither is of the exported weights, unless `own` says so."""

    own: float | None  # of these very weights
    twins: tuple[float, ...]  # of networks that `confirm` retrained with the same settings, each read once

    @property
    def twins_text(self) -> str:
        """`median 4.21 % (4.10 to 4.40, n = 5)`."""
        middle = statistics.median(self.twins)
        return (
            f"median {middle:.2f} % ({min(self.twins):.2f} to {max(self.twins):.2f}, n = {len(self.twins)})"
        )


def test_errors_of(chosen: ChosenTrial) -> TestErrors:
    """Both, from the tables beside the record; a search that was never confirmed has neither."""
    own = [
        row["test_error"]
        for row in _rows(chosen.directory.path)
        if row["trial_id"] == chosen.trial.trial_id and row["test_error"] is not None
    ]
    mine = {leaf: _plain(chosen.trial.config[leaf]) for leaf in LEAVES if leaf != "epochs"}
    confirmed = chosen.directory if chosen.finalist is not None else chosen.directory.confirmation
    twins = [
        row["test_error"]
        for row in _rows(confirmed.path)
        if row["test_error"] is not None
        and (chosen.finalist is None or row["trial_id"] != chosen.trial.trial_id)
        and {leaf: _plain(row[leaf]) for leaf in mine} == mine
    ]
    return TestErrors(own[0] if own else None, tuple(twins))


def _rows(path: Any) -> list[dict[str, Any]]:
    try:
        trials, _ = read_tables(path)
    except InputError:  # none, or none that can be read: then nothing is known
        return []
    return list(trials.to_pylist())


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
