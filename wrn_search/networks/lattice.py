"""The lattice of networks within budgets: which depths, widening factors and blocks together meet all of them.

It is enumerated as a whole before anything is proposed, a block at a time: a million combinations take a fraction of a
second.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from wrn_search.networks.architecture import Architecture, default_kernels, depth_problem
from wrn_search.networks.families.family_table import DEFAULT_FAMILY
from wrn_search.networks.layout import Kernels
from wrn_search.networks.sizes_of_many import ImageKind, SizesOfMany, sizes_of_many

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# (kernels, depth, the least, the most widening factor) of those that are let in for other reasons
Allowed = frozenset[tuple[Kernels, int, float, float]]
BUDGETS = ("num_params", "macs")  # what a network can be held to


@dataclass(frozen=True)
class Candidates:
    """All combinations, before any budget."""

    blocks: tuple[Kernels, ...]
    depths: tuple[int, ...]  # a depth that does not exist with a block is no combination with it
    widen_factors: tuple[float, ...]
    family: str = DEFAULT_FAMILY
    is_told: bool = True  # the block; else each depth has the one that its family has by default

    def depths_of(self, kernels: Kernels) -> list[int]:
        """The depths that exist with a block, rising."""
        return [
            depth
            for depth in sorted(self.depths)
            if not depth_problem(depth, kernels, self.family)
            and (self.is_told or default_kernels(depth, self.family) == kernels)
        ]

    @property
    def combinations(self) -> int:
        """How many there are, depths that do not exist counted."""
        return len(self.blocks) * len(self.depths) * len(self.widen_factors)


@dataclass(frozen=True)
class Lattice(Sequence[Architecture]):
    """The networks that meet all budgets, by block, depth and widening factor; each of these rises.

    Attributes:
        widths: kernels -> depth -> widening factors.
        extremes: the networks with the fewest and the most parameters, then multiply-adds; the shallowest, the deepest.
        nearest: of an empty lattice, the network that misses the budgets by the smallest factor; None if there is none.
    """

    widths: Mapping[Kernels, Mapping[int, tuple[float, ...]]]
    extremes: tuple[Architecture, ...]
    nearest: Architecture | None = None
    family: str = DEFAULT_FAMILY

    @cached_property
    def _rows(self) -> list[tuple[Kernels, int, tuple[float, ...]]]:
        return [(kernels, depth, ks) for kernels, rows in self.widths.items() for depth, ks in rows.items()]

    @cached_property
    def _ends(self) -> list[int]:
        ends, total = [], 0
        for _, _, ks in self._rows:
            total += len(ks)
            ends.append(total)
        return ends

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> Architecture:  # type: ignore[override]
        if not 0 <= index < len(self):
            raise IndexError(index)
        row = bisect.bisect_right(self._ends, index)
        kernels, depth, ks = self._rows[row]
        return Architecture(depth, ks[index - (self._ends[row - 1] if row else 0)], kernels, self.family)

    def __iter__(self) -> Iterator[Architecture]:
        for kernels, depth, ks in self._rows:
            for k in ks:
                yield Architecture(depth, k, kernels, self.family)


@lru_cache(8)  # a space is copied often, and each copy asks
def lattice_of(
    candidates: Candidates,
    budgets: tuple[tuple[str, float, float], ...],
    images: ImageKind,
    allowed: Allowed | None = None,
) -> Lattice:
    """The networks among the candidates that meet all budgets.

    Args:
        candidates: all combinations.
        budgets: (one of `BUDGETS`, the least, the most) each.
        images: what sizes depend on.
        allowed: only these; None lets all in.
    """
    import numpy as np

    ends = {(kernels, depth): (low, high) for kernels, depth, low, high in allowed or ()}
    widths: dict[Kernels, dict[int, tuple[float, ...]]] = {}
    family = candidates.family
    found, missed = _Extremes(family), _Extremes(family)
    ks = np.array(sorted(candidates.widen_factors))
    for kernels in candidates.blocks:
        depths = candidates.depths_of(kernels)
        if not depths or not len(ks):
            continue
        sizes = sizes_of_many(depths, ks.tolist(), kernels, images, family)
        misses = _misses(sizes, budgets)
        inside = misses == 0
        if allowed is not None:
            low, high = np.array([ends.get((kernels, depth), (math.inf, 0.0)) for depth in depths]).T
            inside &= (low[:, None] <= ks[None, :]) & (ks[None, :] <= high[:, None])
        rows = {
            depth: tuple(ks[inside[row]].tolist()) for row, depth in enumerate(depths) if inside[row].any()
        }
        if rows:
            widths[kernels] = rows
            found.look(kernels, depths, ks, sizes, inside)
        missed.look_at(kernels, depths, ks, misses)
    return Lattice(widths, found.networks(), None if widths else missed.nearest, family)


def _misses(sizes: SizesOfMany, budgets: Sequence[tuple[str, float, float]]) -> NDArray[np.float64]:
    """(D, K): by how many powers of e the budgets are missed, all together; 0 where they are met."""
    import numpy as np

    total = np.zeros(sizes.num_params.shape)
    for name, low, high in budgets:
        values = getattr(sizes, name)
        outside = (values < low) | (values > high)
        logs = np.log(values.astype(np.float64))
        below = max(low, 1.0)
        distance = np.maximum(
            math.log(below) - logs, logs - (math.log(high) if high < math.inf else math.inf)
        )
        total += np.where(outside, np.maximum(distance, 1e-12), 0.0)
    return total


class _Extremes:
    """The outermost networks of several blocks."""

    def __init__(self, family: str) -> None:
        self._family = family
        self._best: dict[str, tuple[float, Architecture]] = {}
        self._miss = math.inf
        self.nearest: Architecture | None = None

    def look(
        self,
        kernels: Kernels,
        depths: Sequence[int],
        ks: NDArray[np.float64],
        sizes: SizesOfMany,
        inside: NDArray[np.bool_],
    ) -> None:
        """Takes in the networks of a block."""
        import numpy as np

        deep = np.broadcast_to(np.array(depths)[:, None], inside.shape)
        for name, values in (("num_params", sizes.num_params), ("macs", sizes.macs), ("depth", deep)):
            for sign in (1, -1):
                signed = np.where(inside, sign * values.astype(np.float64), np.inf)
                row, column = np.unravel_index(int(signed.argmin()), signed.shape)
                network = Architecture(depths[int(row)], float(ks[column]), kernels, self._family)
                key, value = f"{name} {sign}", float(signed[row, column])
                if key not in self._best or value < self._best[key][0]:
                    self._best[key] = value, network

    def look_at(
        self, kernels: Kernels, depths: Sequence[int], ks: NDArray[np.float64], misses: NDArray[np.float64]
    ) -> None:
        """Keeps the network that misses the budgets by the least."""
        import numpy as np

        row, column = np.unravel_index(int(misses.argmin()), misses.shape)
        if misses[row, column] < self._miss:
            self._miss = float(misses[row, column])
            self.nearest = Architecture(depths[int(row)], float(ks[column]), kernels, self._family)

    def networks(self) -> tuple[Architecture, ...]:
        """Fewest and most parameters, fewest and most multiply-adds, shallowest and deepest."""
        return tuple(network for _, network in self._best.values())
