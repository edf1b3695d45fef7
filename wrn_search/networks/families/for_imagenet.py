"""Family `imagenet_resnet`: the paper's networks for ImageNet (tables 7 and 8), which are torchvision's, widened.

WRN-18-k and WRN-34-k have k times as many channels in all blocks, their stem keeps 64; WRN-50-k-bottleneck has k times
as many between its 1x1 convolutions only (torchvision's `wide_resnet50_2` at k = 2). Parameters of all are as printed.
"""

from __future__ import annotations

from wrn_search.networks.families.family import BASIC, BOTTLENECK, NAMED_BLOCKS, Family, listed_or
from wrn_search.networks.layout import Block, Conv, Group, Kernels, Layout

_STEM_WIDTH = 64
_GROUP_WIDTHS = (64, 128, 256, 512)
_EXPANSION = 4  # of a bottleneck
BLOCKS_OF_GROUPS: dict[Kernels, dict[int, tuple[int, ...]]] = {
    BASIC: {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)},
    BOTTLENECK: {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)},
}


def _depth_problem(depth: int, kernels: Kernels) -> str:
    own = BLOCKS_OF_GROUPS[kernels]
    if depth in own:
        return ""
    every = sorted(each for depths in BLOCKS_OF_GROUPS.values() for each in depths)
    near = sorted(own) if depth in every else every  # of another block: the depths of this one
    close = sorted(sorted(near, key=lambda each: abs(each - depth))[:2])
    rules = (
        f"{listed_or(depths)} with block {IMAGENET_RESNET.block_name(block)}"
        for block, depths in BLOCKS_OF_GROUPS.items()
    )
    return f"depth must be {', or '.join(rules)} (nearest: {listed_or(close)}), but got {depth}"


def _default_block(depth: int) -> Kernels:
    return BASIC if depth <= max(BLOCKS_OF_GROUPS[BASIC]) else BOTTLENECK


def _suffix(depth: int, kernels: Kernels) -> str:
    return "" if kernels == BASIC else IMAGENET_RESNET.block_name(kernels)


def _layout(depth: int, widen_factor: float, kernels: Kernels) -> Layout:
    groups = []
    c_in = _STEM_WIDTH
    for place, base in enumerate(_GROUP_WIDTHS):
        wide = int(base * widen_factor)
        inner = (wide, wide) if kernels == BASIC else (wide, wide, _EXPANSION * base)
        # torchvision strides in a bottleneck's 3x3 convolution
        strided = kernels.index(3)
        first = Block.of((c_in, *inner), kernels, 2 if place else 1, strided)
        groups.append(
            Group(first, Block.of((inner[-1], *inner), kernels, 1), BLOCKS_OF_GROUPS[kernels][depth][place])
        )
        c_in = inner[-1]
    return Layout(Conv(3, _STEM_WIDTH, 7, 2), tuple(groups), preactivated=False, pools=True)


IMAGENET_RESNET = Family(
    what="post-activation ResNets for ImageNet, widened: 18 and 34 (basic), 50, 101 and 152 (bottleneck)",
    blocks=NAMED_BLOCKS,
    prefix="WRN",
    named_width=True,
    takes_dropout=False,
    group_widths=_GROUP_WIDTHS,
    default_block=_default_block,
    depth_problem=_depth_problem,
    smallest_depth=lambda kernels: min(BLOCKS_OF_GROUPS[kernels]),
    suffix=_suffix,
    layout=_layout,
)
