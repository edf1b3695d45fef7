"""Family `preact_resnet`: the thin, deep networks that the paper compares with (He et al., arXiv 1603.05027).

ResNet-164 and ResNet-1001 have bottleneck blocks, whose outputs are four times as wide as what lies between; ResNet-110
has basic ones and is WRN-112-1 by another count of its layers.
"""

from __future__ import annotations

from wrn_search.networks.families.family import (
    BASIC,
    BOTTLENECK,
    NAMED_BLOCKS,
    Family,
    stepped_depth_problem,
)
from wrn_search.networks.layout import STEM_WIDTH, Conv, Kernels, Layout, three_groups

_MIDDLES = (16, 32, 64)
_DEEPEST_BASIC = 110  # of the authors' networks; deeper ones have bottlenecks
_STEPS = {BASIC: 6, BOTTLENECK: 9}  # depth that one more block a group adds
_EXPANSION = {BASIC: 1, BOTTLENECK: 4}


def _depth_problem(depth: int, kernels: Kernels) -> str:
    return stepped_depth_problem(depth, _STEPS[kernels], 2, PREACT_RESNET.block_name(kernels))


def _default_block(depth: int) -> Kernels:
    """The authors' block for such a depth, where it exists with it: basic up to 110, bottleneck above."""
    order = (BASIC, BOTTLENECK) if depth <= _DEEPEST_BASIC else (BOTTLENECK, BASIC)
    return next((kernels for kernels in order if not _depth_problem(depth, kernels)), order[0])


def _suffix(depth: int, kernels: Kernels) -> str:
    return "" if kernels == _default_block(depth) else PREACT_RESNET.block_name(kernels)


def _layout(depth: int, widen_factor: float, kernels: Kernels) -> Layout:
    """16, 32 and 64 channels between the convolutions of a block, four times as many between bottlenecks."""
    first, second, third = (width * _EXPANSION[kernels] for width in _MIDDLES)
    groups = three_groups((first, second, third), _MIDDLES, kernels, (depth - 2) // _STEPS[kernels])
    return Layout(Conv(3, STEM_WIDTH, 3), groups)


PREACT_RESNET = Family(
    what="thin pre-activation ResNets for small images: 110, 164, 1001",
    blocks=NAMED_BLOCKS,
    prefix="ResNet",
    named_width=False,
    takes_dropout=True,
    group_widths=_MIDDLES,
    default_block=_default_block,
    depth_problem=_depth_problem,
    smallest_depth=lambda kernels: _STEPS[kernels] + 2,
    suffix=_suffix,
    layout=_layout,
)
