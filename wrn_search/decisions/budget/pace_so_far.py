"""How long an epoch of a network takes, by the epochs that this search has trained. Pure, a fold over reports.

What a network costs are its epochs that had their device alone (`seconds_alone`). Where trials train beside others, an
epoch takes that times what epochs took longer so far; until one was alone, what they took is all that is known.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, field


@dataclass
class _MeansBySize:
    """Mean seconds of an epoch by the multiply-adds of a training image; between and beyond them by proportion."""

    sizes: list[int] = field(default_factory=list)  # multiply-adds of one training image, rising
    _of_size: dict[int, tuple[float, int]] = field(default_factory=dict)  # -> (seconds, epochs)

    def learn(self, macs: int, seconds: float) -> None:
        if macs not in self._of_size:
            bisect.insort(self.sizes, macs)
        total, epochs = self._of_size.get(macs, (0.0, 0))
        self._of_size[macs] = (total + seconds, epochs + 1)

    def seconds(self, macs: int) -> float:
        """Of an epoch; 0 before any was trained."""
        if not self.sizes:
            return 0.0
        place = bisect.bisect_left(self.sizes, macs)
        if place in (0, len(self.sizes)):
            size = self.sizes[min(place, len(self.sizes) - 1)]
            return self._mean(size) * macs / size
        small, large = self.sizes[place - 1], self.sizes[place]
        share = math.log(macs / small) / math.log(large / small)
        return math.exp((1 - share) * math.log(self._mean(small)) + share * math.log(self._mean(large)))

    def epochs(self, size: int) -> int:
        return self._of_size[size][1]

    def _mean(self, size: int) -> float:
        total, epochs = self._of_size[size]
        return total / epochs


@dataclass
class PaceSoFar:
    """What epochs cost, and how much longer they take beside other trials."""

    _alone: _MeansBySize = field(default_factory=_MeansBySize)
    _shared: _MeansBySize = field(default_factory=_MeansBySize)
    _longer: float | None = None  # `_times_as_long`, until something is learned

    def learn(self, macs: int, seconds: float, alone: bool) -> None:
        """An epoch took so long; whether it had its device alone."""
        if seconds > 0:
            (self._alone if alone else self._shared).learn(macs, seconds)
            self._longer = None

    def seconds(self, macs: int) -> float:
        """That pass with an epoch as this search trains; 0 before any was trained."""
        if not self._alone.sizes:
            return self._shared.seconds(macs)
        if self._longer is None:
            self._longer = self._times_as_long()
        return self._longer * self._alone.seconds(macs)

    def _times_as_long(self) -> float:
        """As alone, an epoch takes beside others: the geometric mean of all that were shared, never below 1."""
        epochs = sum(map(self._shared.epochs, self._shared.sizes))
        logs = (
            self._shared.epochs(size) * math.log(self._shared.seconds(size) / self._alone.seconds(size))
            for size in self._shared.sizes
        )
        return math.exp(max(0.0, sum(logs) / epochs)) if epochs else 1.0
