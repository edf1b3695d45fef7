"""How long an epoch of a network takes, by the epochs that this search has trained. Pure, a fold over reports."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, field


@dataclass
class PaceSoFar:
    """Mean seconds of an epoch by the multiply-adds of a training image; between and beyond them by proportion."""

    _sizes: list[int] = field(default_factory=list)  # multiply-adds of one image, rising
    _of_size: dict[int, tuple[float, int]] = field(default_factory=dict)  # -> (seconds, epochs)

    def learn(self, macs: int, seconds: float) -> None:
        """An epoch took so long."""
        if seconds <= 0:
            return
        if macs not in self._of_size:
            bisect.insort(self._sizes, macs)
        total, epochs = self._of_size.get(macs, (0.0, 0))
        self._of_size[macs] = (total + seconds, epochs + 1)

    def seconds(self, macs: int) -> float:
        """Of an epoch; 0 before any was trained."""
        if not self._sizes:
            return 0.0
        place = bisect.bisect_left(self._sizes, macs)
        if place in (0, len(self._sizes)):
            size = self._sizes[min(place, len(self._sizes) - 1)]
            return self._mean(size) * macs / size
        small, large = self._sizes[place - 1], self._sizes[place]
        share = math.log(macs / small) / math.log(large / small)
        return math.exp((1 - share) * math.log(self._mean(small)) + share * math.log(self._mean(large)))

    def _mean(self, size: int) -> float:
        total, epochs = self._of_size[size]
        return total / epochs
