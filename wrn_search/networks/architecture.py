"""Which network: family, depth, widening factor and block, and the rules that tie them together.

Zagoruyko & Komodakis, "Wide Residual Networks" (arXiv 1605.07146): table 1 (structure), section 2 (blocks B(M)).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from wrn_search.networks.families.family import NAMED_BLOCKS, listed_or
from wrn_search.networks.families.family_table import DEFAULT_FAMILY, FAMILIES
from wrn_search.networks.families.wide import depth_step as depth_step
from wrn_search.networks.layout import Layout

_BLOCK = re.compile(r"B\(\s*([135](?:\s*,\s*[135])*)\s*\)")
MAX_DEPTH = 10_000
MAX_WIDEN_FACTOR = 100.0
MAX_DEEPENING_FACTOR = 16


@dataclass(frozen=True)
class Architecture:
    """WRN-depth-widen_factor with blocks B(kernels), or of another family: all that fixes the shape of the weights.

    Raises:
        ValueError: no network of the family has this depth with this block, or the widening factor is out of range.
    """

    depth: int
    widen_factor: float = 1.0
    kernels: tuple[int, ...] = (3, 3)
    family: str = DEFAULT_FAMILY

    def __post_init__(self) -> None:
        problem = (
            family_problem(self.family)
            or _kernels_problem(self.kernels, self.family)
            or depth_problem(self.depth, self.kernels, self.family)
            or widen_factor_problem(self.widen_factor, self.family)
        )
        if problem:
            raise ValueError(problem)

    @classmethod
    def of(
        cls,
        depth: int,
        widen_factor: float = 1.0,
        block: str | None = None,
        family: str | None = DEFAULT_FAMILY,
    ) -> Architecture:
        """The architecture with a block by its name, such as `B(3,1,3)` or `bottleneck`; by default its family's own.

        A family that is not told, as by older tables, is `wrn`.
        """
        return _named(depth, widen_factor, block, family)

    @property
    def deepening_factor(self) -> int:
        """l, the convolutions of one block."""
        return len(self.kernels)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Of each group."""
        return tuple(group.count for group in self.layout.groups)

    @property
    def blocks_per_group(self) -> int:
        """N, where all groups have as many blocks: of the first one."""
        return self.blocks[0]

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels that the groups give: int(16 k), int(32 k), int(64 k) of a WRN."""
        return tuple(group.width for group in self.layout.groups)

    @property
    def block(self) -> str:
        """The block's name: in the paper's notation, or basic or bottleneck."""
        return block_name(self.kernels, self.family)

    @cached_property
    def layout(self) -> Layout:
        """All convolutions."""
        return FAMILIES[self.family].layout(self.depth, self.widen_factor, self.kernels)

    @property
    def name(self) -> str:
        """`WRN-28-10`, `ResNet-164`; blocks are named where they are not those one expects: `WRN-40-2-B(3,1,3)`."""
        return self.named(f"{self.widen_factor:g}")

    def named(self, width: str) -> str:
        """The name with the widening factor in these digits."""
        family = FAMILIES[self.family]
        parts = (
            family.prefix,
            str(self.depth),
            width if family.named_width else "",
            family.suffix(self.depth, self.kernels),
        )
        return "-".join(filter(None, parts))


def family_problem(family: str) -> str:
    """Why there is no such family; empty if there is."""
    if family in FAMILIES:
        return ""
    return f"family must be one of {', '.join(FAMILIES)}, but got '{family}'"


def block_problem(block: str, family: str) -> str:
    """Why networks of a family are not made of a block, with the nearest that they are made of; empty if they are.

    Raises:
        ValueError: nothing is called so.
    """
    kernels, named = parse_block(block), FAMILIES[family].blocks
    if named is None:
        text = f"block must be B(...) with family {family} (nearest: {block_name(kernels, family)})"
        return f"{text}, but got {block.strip()}" if block.strip() in NAMED_BLOCKS else ""
    if block.strip() in named:
        return ""
    near = min(named, key=lambda name: (abs(len(named[name]) - len(kernels)), named[name] != kernels))
    return f"block must be {listed_or(named)} with family {family} (nearest: {near}), but got {block}"


def _kernels_problem(kernels: tuple[int, ...], family: str) -> str:
    if FAMILIES[family].has_block(kernels):
        return ""
    return block_problem(block_name(kernels), family)


def depth_problem(depth: int, kernels: tuple[int, ...], family: str = DEFAULT_FAMILY) -> str:
    """Why no network of a family has this depth with this block, which it has; empty if one has."""
    if depth > MAX_DEPTH:
        return f"depth <= {MAX_DEPTH} must hold, but got {depth}"
    return FAMILIES[family].depth_problem(depth, kernels)


def widen_factor_problem(widen_factor: float, family: str = DEFAULT_FAMILY) -> str:
    """Why a widening factor is out of range; empty if it is not."""
    if not 1 / 16 <= widen_factor <= MAX_WIDEN_FACTOR:
        return f"0.0625 <= widen_factor <= {MAX_WIDEN_FACTOR:g} must hold, but got {widen_factor:g}"
    if widen_factor != 1 and not FAMILIES[family].named_width:
        wide = "the wide ones are family wrn"
        return f"widen_factor must be 1 with family {family} ({wide}), but got {widen_factor:g}"
    return ""


def smallest_depth(block: str, family: str = DEFAULT_FAMILY) -> int:
    """Of networks with this block."""
    return FAMILIES[family].smallest_depth(parse_block(block))


def default_kernels(depth: int, family: str = DEFAULT_FAMILY) -> tuple[int, ...]:
    """Of the block that a network has where none is told."""
    return FAMILIES[family].default_block(depth)


@lru_cache(256)
def block_name(kernels: tuple[int, ...], family: str = DEFAULT_FAMILY) -> str:
    """`B(3,3)` for (3, 3), or `basic`."""
    return FAMILIES[family].block_name(kernels)


@lru_cache(256)
def parse_block(text: str) -> tuple[int, ...]:
    """The kernel sizes of a block such as `B(3,1,3)`, `basic` or `bottleneck`.

    Raises:
        ValueError: the text is not a block of 1 to 16 kernels of size 1, 3 or 5, and no block's name.
    """
    if text.strip() in NAMED_BLOCKS:
        return NAMED_BLOCKS[text.strip()]
    match = _BLOCK.fullmatch(text.strip())
    kernels = tuple(int(kernel) for kernel in match[1].split(",")) if match else ()
    if not 1 <= len(kernels) <= MAX_DEEPENING_FACTOR:
        raise ValueError(
            f"block must be B(...) with 1 to {MAX_DEEPENING_FACTOR} kernel sizes out of 1, 3 and 5, "
            f"such as B(3,3), but got '{text}'"
        )
    return kernels


@lru_cache(4096, typed=True)  # a search asks for each of its networks some times with every proposal
def _named(depth: int, widen_factor: float, block: str | None, family: str | None) -> Architecture:
    """See `Architecture.of`."""
    family = family or DEFAULT_FAMILY
    if problem := family_problem(family):
        raise ValueError(problem)
    if block is not None and (problem := block_problem(block, family)):
        raise ValueError(problem)
    kernels = default_kernels(depth, family) if block is None else parse_block(block)
    return Architecture(depth, float(widen_factor), kernels, family)
