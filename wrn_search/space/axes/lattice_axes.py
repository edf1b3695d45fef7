"""The axes of networks within budgets: the block, a place among its depths, a place among the widths that fit there.

At a fixed budget the first place alone says it all: it is the axis of depth against width, from shallow and wide to
deep and narrow. Under an upper bound the second says how much of what is allowed a network of that depth takes.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wrn_search.networks.architecture import Architecture, block_name, parse_block
from wrn_search.networks.lattice import Lattice
from wrn_search.networks.layout import Kernels
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.domains import Choice, Domain, IntRange, Scalar

BLOCK, DEPTH, WIDTH = "block", "depth_place", "width_place"


@dataclass(frozen=True)
class LatticeAxes:
    """By the contract of `NetworkAxes`. Blocks and depths with fewer places have some of them more than once.

    Attributes:
        networks: the lattice, not empty.
        shape: the hyperparameters of `model` that make a network and are searched.
        leaves: the values of the others that are fixed: depth and widening factor.
    """

    networks: Lattice
    shape: tuple[str, ...]
    leaves: Mapping[str, Any]

    @cached_property
    def domains(self) -> Mapping[str, Domain]:
        """The axes that have more than one value."""
        found: dict[str, Domain] = {}
        if len(self._blocks) > 1:
            found[BLOCK] = Choice(
                tuple(block_name(kernels, self.networks.family) for kernels in self._blocks)
            )
        if self._depths > 1:
            found[DEPTH] = IntRange(0, self._depths - 1)
        if self._widths > 1:
            found[WIDTH] = IntRange(0, self._widths - 1)
        return found

    @property
    def places(self) -> frozenset[str]:
        """The axes that are places in an order; numbers between them are rounded."""
        return frozenset((DEPTH, WIDTH))

    @property
    def cell(self) -> tuple[str, ...]:
        """Anchors take blocks and depths in turn; widths are drawn."""
        return BLOCK, DEPTH

    @property
    def size(self) -> int:
        """Networks."""
        return len(self.networks)

    @property
    def kernels(self) -> tuple[Kernels, ...]:
        """Of all blocks."""
        return self._blocks

    @property
    def extremes(self) -> tuple[Architecture, ...]:
        """The outermost networks."""
        return self.networks.extremes

    def shape_of(self, network: Architecture) -> Hparams:
        """The hyperparameters of a network."""
        values: Hparams = {
            "depth": network.depth,
            "widen_factor": network.widen_factor,
            "block": network.block,
            "deepening_factor": network.deepening_factor,
        }
        return {name: values[name] for name in self.shape}

    def hparams(self, point: Hparams) -> Hparams:
        """Depth, widening factor and block, as far as they are searched."""
        kernels = parse_block(str(point[BLOCK])) if BLOCK in point else self._blocks[0]
        rows = self._rows[kernels]
        depth, widths = rows[_place(point.get(DEPTH, 0), self._depths) * len(rows) // self._depths]
        k = widths[_place(point.get(WIDTH, 0), self._widths) * len(widths) // self._widths]
        return self.shape_of(Architecture(depth, k, kernels, self.networks.family))

    def point(self, hparams: Hparams) -> Hparams | None:
        """The first point of a network."""
        kernels = self._kernels_of(hparams)
        rows = self._rows.get(kernels)
        if rows is None:
            return None
        depth = hparams.get("depth", self.leaves.get("depth"))
        row = self._places[kernels].get(int(depth or 0))
        if row is None:
            return None
        widths = rows[row][1]
        k = float(hparams.get("widen_factor", self.leaves.get("widen_factor", 0.0)))
        column = bisect.bisect_left(widths, k)
        if column == len(widths) or widths[column] != k:
            return None
        found: Hparams = {
            BLOCK: block_name(kernels, self.networks.family),
            DEPTH: -(-row * self._depths // len(rows)),
            WIDTH: -(-column * self._widths // len(widths)),
        }
        return {name: found[name] for name in self.domains}

    def _kernels_of(self, hparams: Hparams) -> Kernels:
        if "deepening_factor" in self.shape:
            return (3,) * int(hparams["deepening_factor"])
        if "block" in self.shape:
            return parse_block(str(hparams["block"]))
        depth = int(hparams.get("depth", self.leaves.get("depth")) or 0)  # which may decide about the block
        return next((each for each in self._blocks if depth in self._places[each]), self._blocks[0])

    @cached_property
    def _rows(self) -> dict[Kernels, list[tuple[int, tuple[float, ...]]]]:
        return {kernels: list(rows.items()) for kernels, rows in self.networks.widths.items()}

    @cached_property
    def _places(self) -> dict[Kernels, dict[int, int]]:
        """Kernels -> depth -> its place."""
        return {k: {depth: place for place, (depth, _) in enumerate(rows)} for k, rows in self._rows.items()}

    @cached_property
    def _blocks(self) -> tuple[Kernels, ...]:
        return tuple(self.networks.widths)

    @cached_property
    def _depths(self) -> int:
        """Places on the axis of depths."""
        return max(len(rows) for rows in self._rows.values())

    @cached_property
    def _widths(self) -> int:
        """Places on the axis of widths."""
        return max(len(widths) for rows in self._rows.values() for _, widths in rows)


def _place(value: Scalar, count: int) -> int:
    """The nearest place on an axis of so many."""
    return min(max(round(float(value)), 0), count - 1)
