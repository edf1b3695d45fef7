"""What results have of one table: which trainings stand for which row, and by what their errors are held together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from wrn_search.analysis.paper_tables.claim_verdicts import Differences
from wrn_search.analysis.paper_tables.measured_differences import MeasuredDifferences
from wrn_search.analysis.paper_tables.paper_comparison import RECIPES
from wrn_search.analysis.paper_tables.predicted_differences import PredictedDifferences, is_within, setting_of
from wrn_search.analysis.paper_tables.results_at_hand import Group
from wrn_search.analysis.paper_tables.trained_networks import ErrorKind, Key, Trained, kind_of_all
from wrn_search.curves.curve_fit import CurveFit
from wrn_search.paper.published_tables import Published, published

_BY_DROPOUT = 6  # the table whose rows differ in their dropout
_PAPER_EPOCHS = {"imagenet": 100}


def key_of(row: Published) -> Key:
    """Of a row."""
    return row.network, row.dropout or 0.0


@dataclass(frozen=True)
class Side:
    """What a group has of one table."""

    group: Group
    table: int

    @property
    def column(self) -> str:
        """The data set of the paper's column."""
        return self.group.column(self.table)

    @property
    def paper_epochs(self) -> int | None:
        """Of the paper's schedule."""
        recipe = RECIPES.get(self.column)
        return recipe["epochs"] if recipe else _PAPER_EPOCHS.get(self.column)

    @cached_property
    def trained(self) -> Mapping[Key, Trained]:
        """All at hand."""
        return self.group.trained(self.table)

    @cached_property
    def published(self) -> tuple[Published, ...]:
        """The rows; of two that differ in their batch size the one that is nearer to ours."""
        rows = [
            row for row in published() if (row.table, row.dataset) == (f"table {self.table}", self.column)
        ]
        found: dict[Key, Published] = {}
        for row in rows:
            key, ours = key_of(row), self.find(row.network, row.dropout)
            first = found.setdefault(key, row)
            if ours and abs(row.batch_size - ours.batch_size) < abs(first.batch_size - ours.batch_size):
                found[key] = row
        return tuple(found.values())

    def find(self, network: str, dropout: float | None) -> Trained | None:
        """What was trained of a network: with this dropout, in tables without it with the nearest one."""
        wanted = dropout or 0.0
        exact = self.trained.get((network, wanted))
        if exact is not None and (exact.validation or exact.test):
            return exact
        others = [each for (name, _), each in self.trained.items() if name == network]
        if self.table == _BY_DROPOUT and dropout is not None and not self.is_between(wanted):
            return exact
        ended = [each for each in others if each.validation or each.test]
        return min(ended or others, key=lambda each: abs(each.dropout - wanted), default=None)

    def is_between(self, dropout: float) -> bool:
        """Whether the curve model can be asked at this dropout, as lower and higher ones were tried."""
        return self._fit is not None and is_within(self._fit, "dropout", dropout)

    @cached_property
    def _fit(self) -> CurveFit | None:
        return self.group.fit[0] if self.group.is_chosen else None

    @cached_property
    def keys(self) -> dict[Key, Trained]:
        """Of all rows and all that claims may speak of, what was trained."""
        found = {key_of(row): self.find(row.network, row.dropout) for row in self.published}
        if self.table != _BY_DROPOUT:
            found |= {(name, 0.0): self.find(name, None) for name, _ in self.trained}
        return {key: each for key, each in found.items() if each is not None}

    @cached_property
    def of_rows(self) -> list[Key]:
        """Keys of the rows that were trained."""
        return [key for key in map(key_of, self.published) if key in self.keys]

    @cached_property
    def kind(self) -> ErrorKind:
        """Which errors ranks and claims are told of."""
        return kind_of_all([self.keys[key] for key in self.of_rows])

    @cached_property
    def tested(self) -> MeasuredDifferences:
        """By test errors."""
        return MeasuredDifferences({key: each.test for key, each in self.keys.items()})

    @cached_property
    def validated(self) -> Differences:
        """By the curve model where trainings were chosen by results and it can tell their ends."""
        fit = self._fit
        if fit is not None:
            wanted = {**RECIPES.get(self.column, {})}
            settings = {
                key: setting_of(fit, each.trial, wanted | {"dropout": key[1]})
                for key, each in self.keys.items()
            }
            known = {key: setting for key, setting in settings.items() if setting is not None}
            if known:
                counts = {key: self.keys[key].of_network for key in known}
                return PredictedDifferences(fit, known, counts)
        found = MeasuredDifferences({key: each.validation for key, each in self.keys.items()})
        if not self.group.is_chosen:
            return found
        why = "results decided which trainings went on, so medians have no interval, and the curve model cannot tell"
        return found.without_intervals(f"{why} the ends: {self.group.fit[1]}")

    @property
    def errors(self) -> Differences:
        """Those that all rows have."""
        return self.tested if self.kind == "test" else self.validated

    @cached_property
    def log_seconds(self) -> MeasuredDifferences:
        """Logarithms of seconds an epoch."""
        return MeasuredDifferences(
            {
                key: [math.log(second) for second in each.seconds if second > 0]
                for key, each in self.keys.items()
            }
        )
