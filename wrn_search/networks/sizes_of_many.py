"""Parameters and multiply-adds of all networks of one block at once, by the closed forms of `parameters_and_macs.py`.

Both are linear in the blocks of a group: what a network with one block a group has, and what each further block adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.families.family_table import DEFAULT_FAMILY
from wrn_search.networks.families.wide import depth_step
from wrn_search.networks.layout import STEM_WIDTH, Kernels
from wrn_search.networks.parameters_and_macs import macs as macs_of
from wrn_search.networks.parameters_and_macs import num_params

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ImageKind:
    """What of the images a network's size depends on."""

    num_classes: int
    height: int  # pixels
    width: int
    channels: int


@dataclass(frozen=True)
class SizesOfMany:
    """Of every depth with every widening factor."""

    num_params: NDArray[np.int64]  # (D, K)
    macs: NDArray[np.int64]  # (D, K), of one image


def sizes_of_many(
    depths: Sequence[int],
    widen_factors: Sequence[float],
    kernels: Kernels,
    images: ImageKind,
    family: str = DEFAULT_FAMILY,
) -> SizesOfMany:
    """The sizes of all pairs; every depth must exist with the block."""
    import numpy as np

    if family != DEFAULT_FAMILY:
        return _one_by_one(depths, widen_factors, kernels, images, family)

    further = (np.array(depths, dtype=np.int64) - 4) // depth_step(
        kernels
    ) - 1  # blocks of a group but the first
    k = np.array(widen_factors, dtype=np.float64)
    height, width = images.height, images.width
    c_in = np.full(len(k), STEM_WIDTH, dtype=np.int64)
    stem = images.channels * STEM_WIDTH * 9
    params, macs = np.full(len(k), stem), np.full(len(k), stem * height * width)
    more_params, more_macs = np.zeros(len(k), dtype=np.int64), np.zeros(len(k), dtype=np.int64)
    for group, base in enumerate((16, 32, 64)):
        if group > 0:
            height, width = -(-height // 2), -(-width // 2)
        c_out = (base * k).astype(np.int64)
        later = c_out**2 * sum(kernel**2 for kernel in kernels[1:])
        first = c_in * c_out * kernels[0] ** 2 + later + np.where(c_in != c_out, c_in * c_out, 0)
        other = c_out**2 * kernels[0] ** 2 + later
        norms = 2 * c_out * (len(kernels) - 1)
        params = params + first + 2 * c_in + norms
        more_params = more_params + other + 2 * c_out + norms
        macs = macs + first * (height * width)
        more_macs = more_macs + other * (height * width)
        c_in = c_out
    params = params + 2 * c_in + c_in * images.num_classes + images.num_classes
    macs = macs + c_in * images.num_classes
    return SizesOfMany(
        params[None, :] + further[:, None] * more_params[None, :],
        macs[None, :] + further[:, None] * more_macs[None, :],
    )


def _one_by_one(
    depths: Sequence[int], widen_factors: Sequence[float], kernels: Kernels, images: ImageKind, family: str
) -> SizesOfMany:
    """Of families with few depths, or with one width."""
    import numpy as np

    networks = [[Architecture(depth, k, kernels, family) for k in widen_factors] for depth in depths]
    size = images.height, images.width
    return SizesOfMany(
        np.array(
            [[num_params(each, images.num_classes, images.channels) for each in row] for row in networks]
        ),
        np.array(
            [[macs_of(each, images.num_classes, images.channels, size) for each in row] for row in networks]
        ),
    )
