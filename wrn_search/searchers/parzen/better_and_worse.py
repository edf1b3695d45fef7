"""Which configurations a Parzen estimator takes for better and for worse ones, by Optuna's rules; each sorted in once.

Full values come first, then early ends: those that got further first, at the same epoch the lower error. Ties stand in
the order of their proposal. What other searches found stands before what this one did; where errors cannot be compared,
places within their own searches are (`knowledge_of_other_searches.py` says the same of Optuna's trials, and why).
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wrn_search.searchers.searcher import COMPARABLE, Curve, Hparams

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Observed: TypeAlias = dict[str, NDArray[np.float64]]  # hyperparameter -> its values, in Optuna's own numbers
_NO_EPOCH = -1  # of an early end without any report: it comes last


@dataclass(frozen=True)
class Split:
    """The two sides, each in the order of proposal."""

    better: Observed
    worse: Observed


@dataclass
class _Found:
    """What one search found: row by row its values, and its ends in the order of their worth."""

    rows: int = 0
    values: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    runs: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    ended: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))  # with a value, full or early
    full: list[tuple[float, int]] = field(default_factory=list)  # (error, row), rising
    early: list[tuple[int, float, int]] = field(
        default_factory=list
    )  # (-last epoch, error there, row), rising
    curves: dict[int, Curve] = field(default_factory=dict)  # row -> curve, of the early ends

    def add(self, values: list[float], *, runs: bool) -> int:
        """Its row."""
        if self.rows == len(self.runs):
            room = max(64, 2 * self.rows)
            self.values = _grown(self.values, (room, len(values)))
            self.runs, self.ended = _grown(self.runs, (room,)), _grown(self.ended, (room,))
        row = self.rows
        self.values[row], self.runs[row], self.rows = values, runs, row + 1
        return row

    def end(self, row: int, curve: Curve, full: bool) -> None:
        """The configuration has ended, with the last value of its curve, or has come further than it had."""
        if self.ended[row]:
            self.forget(row)
        self.runs[row], self.ended[row] = False, True
        last = max(curve, default=_NO_EPOCH)
        if full:
            insort(self.full, (curve[last], row))
        else:
            insort(self.early, (-last, curve.get(last, 0.0), row))
            self.curves[row] = curve

    def forget(self, row: int) -> None:
        """Takes back an early end: more has come of it."""
        curve = self.curves.pop(row)
        last = max(curve, default=_NO_EPOCH)
        del self.early[bisect_left(self.early, (-last, curve.get(last, 0.0), row))]
        self.ended[row] = False


class BetterAndWorse:
    """All configurations that were heard of.

    Args:
        distributions: of the hyperparameters.
        idle: those that do not apply to a configuration: NaN among its numbers.
    """

    def __init__(
        self, distributions: Mapping[str, BaseDistribution], idle: Callable[[Hparams], frozenset[str]]
    ):
        self._distributions = distributions
        self._idle = idle
        self._own = _Found()
        self._rows: dict[int, int] = {}  # configuration -> its row
        self._elsewhere: dict[str, _Found] = {}  # by source
        self.ended = 0  # with a value, full or early, here and elsewhere

    def began(self, configuration: int, hparams: Hparams) -> None:
        """A configuration runs from now on."""
        self._rows[configuration] = self._own.add(self._numbers(hparams), runs=True)

    def ended_with(self, configuration: int, curve: Curve, full: bool) -> None:
        """It has a value, the last of the curve: at full epochs, or where it was stopped, or waits.

        Of one that waits more may come.
        """
        row = self._rows[configuration]
        self.ended += not self._own.ended[row]
        self._own.end(row, curve, full)

    def crashed(self, configuration: int) -> None:
        """It has no value, and counts on neither side."""
        row = self._rows[configuration]
        if self._own.ended[row]:
            self.ended -= 1
            self._own.forget(row)
        self._own.runs[row] = False

    def found_elsewhere(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """What another search found; errors can be compared with ours where the source is `COMPARABLE`."""
        self.ended += 1
        found = self._elsewhere.setdefault(source, _Found())
        found.end(found.add(self._numbers(hparams), runs=False), curve, full)

    def split(self, better: int, most_worse: int, seed: int) -> Split:
        """The best ones, and the others; something has ended.

        Args:
            better: how many are the best.
            most_worse: of the others, at most so many: of running ones the newest, at most half, and of ended ones a
                draw.
            seed: of that draw.
        """
        others = [[found] for source, found in self._elsewhere.items() if source != COMPARABLE]
        ours = [self._elsewhere.get(COMPARABLE, _Found()), self._own]
        leagues = [*others, ours]
        all_found = [found for league in leagues for found in league if found.rows]
        runs = _joined([found.runs[: found.rows] for found in all_found])
        counts = runs | _joined([found.ended[: found.rows] for found in all_found])
        values = _joined([found.values[: found.rows] for found in all_found])
        best = np.array(_best(leagues, better), int)
        counts[best] = False
        worse = _thinned(counts.nonzero()[0], runs, most_worse, seed)
        return Split(self._observed(values[best]), self._observed(values[worse]))

    def _numbers(self, hparams: Hparams) -> list[float]:
        """A configuration as Optuna's numbers."""
        idle = self._idle(hparams)
        return [
            math.nan if name in idle else each.to_internal_repr(hparams[name])
            for name, each in self._distributions.items()
        ]

    def _observed(self, values: NDArray[np.float64]) -> Observed:
        columns = np.ascontiguousarray(values.T)
        return {name: columns[column] for column, name in enumerate(self._distributions)}


def _best(leagues: Sequence[Sequence[_Found]], count: int) -> list[int]:
    """The best configurations by row, rows of all leagues counted on, in their order.

    With one league values are compared, with more the places in each.
    """
    full: list[tuple[float, int]] = []
    early: list[tuple[int, float, int]] = []
    compared = len(leagues) == 1
    first = 0
    for league in leagues:
        for found in league:
            for error, row in found.full[:count]:
                full.append((error if compared else _place(error, league), first + row))
            for last, error, row in found.early[: count if len(full) < count else 0]:
                early.append((last, error if compared else _early_place(-last, error, league), first + row))
            first += found.rows
    rows = [row for _, row in sorted(full)[:count]]
    return sorted(rows + [row for _, _, row in sorted(early)[: count - len(rows)]])


def _place(error: float, league: Sequence[_Found]) -> float:
    """(Number of lower full values + half a place) / n."""
    lower = sum(bisect_left(found.full, (error,)) for found in league)
    return (lower + 0.5) / sum(len(found.full) for found in league)


def _early_place(epoch: int, error: float, league: Sequence[_Found]) -> float:
    """The same among the errors of early ends at an epoch."""
    errors = [curve[epoch] for found in league for curve in found.curves.values() if epoch in curve]
    return (sum(other < error for other in errors) + 0.5) / len(errors) if errors else error


def _thinned(rows: NDArray[np.int64], runs: NDArray[np.bool_], most: int, seed: int) -> NDArray[np.int64]:
    """At most so many of the rows, in order: the newest that run, at most half, and of those that ended a draw."""
    if len(rows) <= most:
        return rows
    running = rows[runs[rows]][-(most // 2) :]
    ended = rows[~runs[rows]]
    left = min(most - len(running), len(ended))
    drawn = np.random.RandomState(seed).permutation(len(ended))[:left]
    return np.sort(np.concatenate([running, ended[drawn]]))


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """One after the other; of one array a view."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _grown(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The same with more room, filled with zeros."""
    larger = np.zeros(shape, array.dtype)
    if len(array):
        larger[: len(array)] = array
    return larger
