"""What a family of networks says of itself: its blocks, its depths, names of its networks, their convolutions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from wrn_search.networks.layout import Kernels, Layout

BASIC, BOTTLENECK = (3, 3), (1, 3, 1)
NAMED_BLOCKS: Mapping[str, Kernels] = {"basic": BASIC, "bottleneck": BOTTLENECK}


@dataclass(frozen=True)
class Family:
    """One family; its functions take depth, kernels and widening factor as plain values.

    Attributes:
        what: the family in a line.
        blocks: its blocks by name; None where any list of kernels is a block, B(3,3) for (3, 3).
        prefix: of the names of its networks.
        named_width: whether a name tells the widening factor; else it is 1 for all of its networks.
        takes_dropout: whether its blocks have a place for dropout.
        group_widths: channels of its groups at a widening factor of 1.
        default_block: depth -> kernels of the block where none is told.
        depth_problem: (depth, kernels) -> why no network has them, with the two nearest depths; empty if one has.
        smallest_depth: kernels -> the depth of the smallest network.
        suffix: (depth, kernels) -> what the name of a network tells of its block.
        layout: (depth, widening factor, kernels) -> the network.
    """

    what: str
    blocks: Mapping[str, Kernels] | None
    prefix: str
    named_width: bool
    takes_dropout: bool
    group_widths: tuple[int, ...]
    default_block: Callable[[int], Kernels]
    depth_problem: Callable[[int, Kernels], str]
    smallest_depth: Callable[[Kernels], int]
    suffix: Callable[[int, Kernels], str]
    layout: Callable[[int, float, Kernels], Layout]

    def block_name(self, kernels: Kernels) -> str:
        """`B(3,3)` or `basic` for (3, 3)."""
        if self.blocks is None:
            return f"B({','.join(str(kernel) for kernel in kernels)})"
        return next(name for name, own in self.blocks.items() if own == kernels)

    def has_block(self, kernels: Kernels) -> bool:
        """Whether networks of this family can be made of a block."""
        return self.blocks is None or kernels in self.blocks.values()


def stepped_depth_problem(depth: int, step: int, offset: int, block: str) -> str:
    """Why a depth is not step * N + offset with N of 1 and more; empty if it is."""
    if depth >= step + offset and (depth - offset) % step == 0:
        return ""
    below = offset + step * max(1, (depth - offset) // step)
    close = f"{below} or {below + step}"
    return f"depth must be {step}*N + {offset} with block {block} (nearest: {close}), but got {depth}"


def listed_or(values: Iterable[object]) -> str:
    """`50, 101 or 152`."""
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}" if others else last
