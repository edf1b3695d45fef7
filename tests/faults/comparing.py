"""How the tables of a search that faults struck compare with those of an unbroken one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from tests.faults.harness import Search
from wrn_search.results.events import Reported
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.table_reader import read_tables

# What two runs of the same search do not share.
TIMES = {
    *("train_seconds", "images_per_second", "peak_memory_bytes", "started_at", "finished_at"),
    *("seconds", "memory_bytes", "reported_at", "seconds_alone", "retries", "epochs_alone", "alone"),
    *("inference_ms", "inference_ms_64", "energy_kwh"),
}


@dataclass(frozen=True)
class Verdict:
    """A row of the summary: one fault, how often it struck, and what came of it."""

    fault: str
    strikes: int
    lost: int  # rows of either table that the unbroken search has
    doubled: int  # rows that stand twice, configurations under two names
    differing: int  # rows that say something else, or that the unbroken search has not
    repeated: int  # epochs of a trial trained once more after one strike, at most
    left: int  # files that nobody needs any more, runs of no trial
    may_repeat: int = 1

    @property
    def held(self) -> bool:
        """Whether all was kept that is promised."""
        return self.repeated <= self.may_repeat and not (
            self.lost or self.doubled or self.differing or self.left
        )

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return "held" if self.held else "BROKEN"


def verdict(
    fault: str, whole: Path, searches: Sequence[Search], may_repeat: int = 1, *, best_stays: bool = True
) -> Verdict:
    """What faults did to searches, against the unbroken one in `whole`; `best_stays`: its checkpoint must be there."""
    lost = doubled = differing = left = 0
    for search in searches:
        for ours, theirs in zip(_rows(search.results), _rows(whole), strict=True):
            mine, other = dict(ours), dict(theirs)
            lost += len(other.keys() - mine.keys())
            doubled += len(ours) - len(mine)
            differing += sum(row != other.get(key) for key, row in mine.items())
        doubled += len(same_configurations(search.results))
        left += len(leftovers(search.results, best_stays))
    repeated = max(search.repeated() for search in searches)
    strikes = sum(len(search.strikes) for search in searches)
    return Verdict(fault, strikes, lost, doubled, differing, repeated, left, may_repeat)


def same_configurations(results: Path) -> list[str]:
    """Trials with the hyperparameters and the seed of another one."""
    trials, _ = read_tables(results)
    names = [
        name
        for name in trials.column_names
        if name in ("depth", "widen_factor", "dropout", "weight_decay", "seed")
    ]
    seen = Counter(tuple(row.values()) for row in trials.select(names).to_pylist())
    return [str(values) for values, count in seen.items() if count > 1]


def leftovers(results: Path, best_stays: bool) -> list[str]:
    """Files of an ended search that nobody needs: checkpoints but the best ones', runs of no trial, parts."""
    trials, _ = read_tables(results)
    completed = [row for row in trials.to_pylist() if row["status"] == "completed"]
    best = sorted(completed, key=lambda row: (row["val_error"], row["num_params"], row["number"]))
    settings = yaml.safe_load((results / "resolved.yaml").read_text())["search"]
    kept = {f"{row['trial_id']}.pt" for row in best[: settings.get("keep_checkpoints", 1)]}
    found = [path.name for path in (results / "checkpoints").iterdir() if path.name not in kept]
    found += [path.name for path in (results / "epochs").iterdir() if path.name != "part-000000.parquet"]
    found += [path.name for path in results.iterdir() if path.name.startswith(".")]
    runs = [path.name for path in (results / "tensorboard").iterdir() if path.is_dir()]
    numbers = Counter(int(run.partition("_")[0]) for run in runs)
    found += [f"run {number}" for number, count in numbers.items() if count > 1 or number >= len(trials)]
    assert not best_stays or all((results / "checkpoints" / name).exists() for name in kept)
    return found


def check_readable(results: Path) -> None:
    """The tables can be read at any moment, and say nothing that the record does not."""
    if not (results / "trials.parquet").exists():
        return
    trials, epochs = read_tables(results)
    rows = list(zip(epochs["trial_id"].to_pylist(), epochs["epoch"].to_pylist(), strict=True))
    assert len(rows) == len(set(rows))
    ids = trials["trial_id"].to_pylist()
    events = [event for _, event in read_events(results / "events.jsonl")]
    recorded = {(event.number, event.metrics.epoch) for event in events if isinstance(event, Reported)}
    assert {(int(trial_id[:5]), epoch) for trial_id, epoch in rows} <= recorded
    assert [int(trial_id[:5]) for trial_id in ids] == list(range(len(ids)))


def _rows(results: Path) -> list[list[tuple[Any, dict[str, Any]]]]:
    """(key, row without times) of all rows of the trials, then of the epochs."""
    trials, epochs = (_without_times(table).to_pylist() for table in read_tables(results))
    return [
        [(row["trial_id"], row) for row in trials],
        [((row["trial_id"], row["epoch"]), row) for row in epochs],
    ]


def _without_times(table: pa.Table) -> pa.Table:
    return table.select([name for name in table.column_names if name not in TIMES])
