"""All configurations that a searcher has heard of, in the order of their worth: for algorithms that need one number.

Errors at different epochs cannot be compared, so what an algorithm is told is a place from 0 to 1, the best first. Full
values come first, the lowest error before the others; then early ends, those that got further first, at the same epoch
the lower error. But a full value that is above what half of the early ends showed already (one that diverged, or an
anchor that failed) comes behind them: those were better when they were stopped. What other searches found has a place
within its own search (`knowledge_of_other_searches.py` says why).
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from wrn_search.searchers.searcher import COMPARABLE, Curve, Hparams

# (0 for a full value, 1 for an early end, 2 for a full value behind those; -epochs or 0; error): lower is better
Worth: TypeAlias = tuple[int, int, float]
_LOST: Worth = (3, 0, math.inf)


class Placed(NamedTuple):
    """A configuration that has ended, or waits at a rung, with its place among all of its league."""

    name: str  # of the configuration; the same in every session
    hparams: Hparams
    place: float  # above 0 and below 1, the lowest is the best; equal ones share the middle of theirs


class _End(NamedTuple):
    name: str
    hparams: Hparams
    full: bool
    last: int  # epoch; 0 of one without any report
    error: float  # percent, there

    @classmethod
    def of(cls, name: str, hparams: Hparams, curve: Curve, full: bool) -> _End:
        """With the last value of its curve."""
        last = max(curve, default=0)
        return cls(name, hparams, full, last, curve.get(last, math.inf))

    @property
    def is_early(self) -> bool:
        """Whether it was stopped, or waits, with a report."""
        return not self.full and self.last > 0

    def worth(self, behind: float) -> Worth:
        """Its worth, where full values from `behind` on come behind early ends."""
        if self.full:
            return (2 if self.error >= behind else 0, 0, self.error)
        return (1, -self.last, self.error)


@dataclass
class EndsByWorth:
    """What a searcher knows: which configurations run, how others ended, and what other searches found."""

    running: dict[int, Hparams] = field(default_factory=dict)  # in the order of their proposal
    first_told: list[int] = field(
        default_factory=list
    )  # all that ever had a value, in the order of the first
    _own: dict[int, _End] = field(default_factory=dict)
    _begun: dict[int, Hparams] = field(default_factory=dict)
    _ever_told: set[int] = field(default_factory=set)
    _elsewhere: dict[str, list[_End]] = field(default_factory=dict)  # by source
    _early: list[float] = field(default_factory=list)  # errors of early ends that are comparable, rising
    _placed: list[Placed] | None = None  # until something new is heard

    @property
    def count(self) -> int:
        """Configurations with a value, full or early, here and elsewhere."""
        return len(self._own) + sum(map(len, self._elsewhere.values()))

    def began(self, configuration: int, hparams: Hparams) -> None:
        """A configuration runs from now on."""
        self.running[configuration] = self._begun[configuration] = hparams

    def ended(self, configuration: int, curve: Curve, *, full: bool) -> None:
        """It has a value, the last of the curve: at full epochs, or where it was stopped, or waits.

        Of one that waits more may come.
        """
        self._forget(configuration)
        if configuration not in self._ever_told:
            self._ever_told.add(configuration)
            self.first_told.append(configuration)
        self._own[configuration] = _End.of(f"{configuration}", self._begun[configuration], curve, full)
        if self._own[configuration].is_early:
            insort(self._early, self._own[configuration].error)

    def crashed(self, configuration: int) -> None:
        """It has no value, whatever was told of it before."""
        self._forget(configuration)

    def found_elsewhere(self, source: str, hparams: Hparams, curve: Curve, *, full: bool) -> None:
        """What another search found; errors can be compared with ours where the source is `COMPARABLE`."""
        found = self._elsewhere.setdefault(source, [])
        found.append(_End.of(f"{source} {len(found)}", hparams, curve, full))
        if source == COMPARABLE and found[-1].is_early:
            insort(self._early, found[-1].error)
        self._placed = None

    def placed(self) -> list[Placed]:
        """All with a value: those of other searches first, then our own in the order of their first value."""
        if self._placed is None:
            others = [ends for source, ends in self._elsewhere.items() if source != COMPARABLE]
            own = [
                self._own[configuration] for configuration in self.first_told if configuration in self._own
            ]
            ours = [*self._elsewhere.get(COMPARABLE, ()), *own]
            self._placed = [
                placed
                for league, early in (*((each, _early_errors(each)) for each in others), (ours, self._early))
                for placed in _placed(league, early)
            ]
        return self._placed

    def found_by_others(self) -> list[Placed]:
        """Those of them that other searches found."""
        return self.placed()[: self.count - len(self._own)]

    def worth(self, configuration: int) -> Worth:
        """Of one of our own that has, or had, a value; one that crashed since is worth the least."""
        end = self._own.get(configuration)
        return _LOST if end is None else end.worth(_behind(self._early))

    def hparams(self, configuration: int) -> Hparams:
        """Of one of our own."""
        return self._begun[configuration]

    def _forget(self, configuration: int) -> None:
        self.running.pop(configuration, None)
        end = self._own.pop(configuration, None)
        if end is not None and end.is_early:
            del self._early[bisect_left(self._early, end.error)]
        self._placed = None


def _early_errors(ends: Sequence[_End]) -> list[float]:
    return sorted(end.error for end in ends if end.is_early)


def _behind(early: Sequence[float]) -> float:
    """The error from which on a full value comes behind early ends: the middle one of theirs."""
    return early[len(early) // 2] if early else math.inf


def _placed(ends: Sequence[_End], early: Sequence[float]) -> list[Placed]:
    """Equal ones share the middle of their places."""
    behind = _behind(early)
    worths = [end.worth(behind) for end in ends]
    counts = Counter(worths)
    places, before = {}, 0
    for worth in sorted(counts):
        places[worth] = (before + counts[worth] / 2) / len(ends)
        before += counts[worth]
    return [Placed(end.name, end.hparams, places[worth]) for end, worth in zip(ends, worths, strict=True)]
