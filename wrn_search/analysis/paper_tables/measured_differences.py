"""Differences between networks by the spread of their seeds: pooled over all networks of a table, Student's t.

They hold on the images at hand: errors are counted on the same ones. Medians as in the paper.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.paper_tables.trained_networks import Key
from wrn_search.analysis.statistics.fresh_seeds import FreshSpread, fresh_spread, variance_of_median

Floats = NDArray[np.float64]
ONE_SEED = "one seed of each network: how far seeds differ was not measured"
NO_SPREAD = "all seeds came out equal: how far they differ is not known"


class MeasuredDifferences:
    """Of values (errors in percent, logarithms of seconds, ...), some of each entry.

    Attributes:
        kind: how they are called.
        why_no_interval: empty where intervals are known.
    """

    kind = "measured"

    def __init__(self, values: Mapping[Key, Sequence[float]]):
        self._values = {key: tuple(each) for key, each in values.items() if each}
        spread = fresh_spread(list(self._values.values()))
        self._spread: FreshSpread | None = spread if spread is not None and spread.deviation > 0 else None
        self.why_no_interval = "" if self._spread else ONE_SEED if spread is None else NO_SPREAD

    def without_intervals(self, why: str) -> MeasuredDifferences:
        """The same where these medians have none, and why."""
        found = MeasuredDifferences(self._values)
        found._spread, found.why_no_interval = None, why
        return found

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def middle(self, key: Key) -> float:
        """The median."""
        return statistics.median(self._values[key])

    def count(self, key: Key) -> int:
        """n."""
        return len(self._values.get(key, ()))

    def difference(self, one: Key, other: Key) -> float:
        """Of the medians, the first minus the second."""
        return self.middle(one) - self.middle(other)

    def interval(self, one: Key, other: Key, statements: int = 1) -> Interval | None:
        """95 % interval of it, for so many statements together."""
        if self._spread is None:
            return None
        reach = self._spread.reach([self.count(one), self.count(other)], statements)
        difference = self.difference(one, other)
        return difference - reach, difference + reach

    def interval_to(self, key: Key, value: float, seeds: int, further: float) -> Interval | None:
        """95 % interval of the difference to a published median of so many seeds, taken to spread as ours do.

        Args:
            key: ours.
            value: theirs.
            seeds: of theirs.
            further: variance that seeds do not tell.
        """
        if self._spread is None:
            return None
        reach = self._spread.reach([self.count(key), seeds], 1, further)
        difference = self.middle(key) - value
        return difference - reach, difference + reach

    def draws(self, keys: Sequence[Key], generator: np.random.Generator, count: int) -> Floats | None:
        """(count, len(keys)) of what the medians estimate: its posterior with flat priors, Student's t, one spread."""
        if self._spread is None:
            return None
        freedom = self._spread.freedom
        deviations = self._spread.deviation * np.sqrt(freedom / generator.chisquare(freedom, (count, 1)))
        errors = [math.sqrt(variance_of_median(self.count(key))) for key in keys]
        middles = [self.middle(key) for key in keys]
        drawn: Floats = np.array(middles) + deviations * np.array(errors) * generator.standard_normal(
            (count, len(keys))
        )
        return drawn
