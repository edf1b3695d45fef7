"""Which Wide Residual Network: depth, widening factor and block, and the rule that ties depth to blocks.

Zagoruyko & Komodakis, "Wide Residual Networks" (arXiv 1605.07146): table 1 (structure), section 2 (blocks B(M)).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_BLOCK = re.compile(r"B\(\s*([135](?:\s*,\s*[135])*)\s*\)")
MAX_DEPTH = 10_000
MAX_WIDEN_FACTOR = 100.0
MAX_DEEPENING_FACTOR = 16


@dataclass(frozen=True)
class Architecture:
    """WRN-depth-widen_factor with blocks B(kernels): everything that fixes the shape of the weights but the data.

    Raises:
        ValueError: no network has this depth with this block, or the widening factor is out of range.
    """

    depth: int
    widen_factor: float
    kernels: tuple[int, ...] = (3, 3)

    def __post_init__(self) -> None:
        problem = depth_problem(self.depth, self.kernels) or widen_factor_problem(self.widen_factor)
        if problem:
            raise ValueError(problem)

    @classmethod
    def of(cls, depth: int, widen_factor: float, block: str = "B(3,3)") -> Architecture:
        """The architecture with a block in the paper's notation, such as `B(3,1,3)`."""
        return cls(depth, float(widen_factor), parse_block(block))

    @property
    def deepening_factor(self) -> int:
        """l, the convolutions of one block."""
        return len(self.kernels)

    @property
    def blocks_per_group(self) -> int:
        """N, the blocks of each of the three groups."""
        return (self.depth - 4) // depth_step(self.kernels)

    @property
    def widths(self) -> tuple[int, int, int]:
        """Channels of the three groups: int(16 k), int(32 k), int(64 k)."""
        k = self.widen_factor
        return int(16 * k), int(32 * k), int(64 * k)

    @property
    def block(self) -> str:
        """The block in the paper's notation."""
        return block_name(self.kernels)

    @property
    def name(self) -> str:
        """`WRN-28-10`; other blocks than B(3,3) are named too: `WRN-40-2-B(3,1,3)`."""
        base = f"WRN-{self.depth}-{self.widen_factor:g}"
        return base if self.kernels == (3, 3) else f"{base}-{self.block}"


def depth_step(kernels: tuple[int, ...]) -> int:
    """Depth that one more block a group adds: 3 l when all kernels are 3x3, else 6 (the labels of table 2)."""
    return 3 * len(kernels) if set(kernels) == {3} else 6


def depth_problem(depth: int, kernels: tuple[int, ...]) -> str:
    """Why no network has this depth with this block; empty if one has."""
    step = depth_step(kernels)
    if depth > MAX_DEPTH:
        return f"depth <= {MAX_DEPTH} must hold, but got {depth}"
    if depth >= step + 4 and (depth - 4) % step == 0:
        return ""
    below = 4 + step * max(1, (depth - 4) // step)
    close = f"{below}" if depth < below else f"{below} or {below + step}"
    return f"depth must be {step}*N + 4 with block {block_name(kernels)} (nearest: {close}), but got {depth}"


def widen_factor_problem(widen_factor: float) -> str:
    """Why a widening factor is out of range; empty if it is not."""
    if 1 / 16 <= widen_factor <= MAX_WIDEN_FACTOR:
        return ""
    return f"0.0625 <= widen_factor <= {MAX_WIDEN_FACTOR:g} must hold, but got {widen_factor:g}"


def block_name(kernels: tuple[int, ...]) -> str:
    """`B(3,3)` for (3, 3)."""
    return f"B({','.join(str(kernel) for kernel in kernels)})"


@lru_cache(256)
def parse_block(text: str) -> tuple[int, ...]:
    """The kernel sizes of a block such as `B(3,1,3)`.

    Raises:
        ValueError: the text is not a block of 1 to 16 kernels of size 1, 3 or 5.
    """
    match = _BLOCK.fullmatch(text.strip())
    kernels = tuple(int(kernel) for kernel in match[1].split(",")) if match else ()
    if not 1 <= len(kernels) <= MAX_DEEPENING_FACTOR:
        raise ValueError(
            f"block must be B(...) with 1 to {MAX_DEEPENING_FACTOR} kernel sizes out of 1, 3 and 5, "
            f"such as B(3,3), but got '{text}'"
        )
    return kernels
