"""Family `wrn`: Wide Residual Networks for small images (Zagoruyko & Komodakis, arXiv 1605.07146, table 1)."""

from __future__ import annotations

from wrn_search.networks.families.family import BASIC, Family, stepped_depth_problem
from wrn_search.networks.layout import STEM_WIDTH, Conv, Kernels, Layout, three_groups

_GROUP_WIDTHS = (16, 32, 64)


def depth_step(kernels: Kernels) -> int:
    """Depth that one more block a group adds: 3 l when all kernels are 3x3, else 6 (the labels of table 2)."""
    return 3 * len(kernels) if set(kernels) == {3} else 6


def _depth_problem(depth: int, kernels: Kernels) -> str:
    return stepped_depth_problem(depth, depth_step(kernels), 4, WRN.block_name(kernels))


def _suffix(depth: int, kernels: Kernels) -> str:
    return "" if kernels == BASIC else WRN.block_name(kernels)


def _layout(depth: int, widen_factor: float, kernels: Kernels) -> Layout:
    """int(16 k), int(32 k) and int(64 k) channels."""
    first, second, third = (int(width * widen_factor) for width in _GROUP_WIDTHS)
    widths = first, second, third
    count = (depth - 4) // depth_step(kernels)
    return Layout(Conv(3, STEM_WIDTH, 3), three_groups(widths, widths, kernels, count))


WRN = Family(
    what="Wide Residual Networks for small images: depth, widening factor and any block B(...)",
    blocks=None,
    prefix="WRN",
    named_width=True,
    takes_dropout=True,
    group_widths=_GROUP_WIDTHS,
    default_block=lambda depth: BASIC,
    depth_problem=_depth_problem,
    smallest_depth=lambda kernels: depth_step(kernels) + 4,
    suffix=_suffix,
    layout=_layout,
)
