"""What a network in training sees of a photograph: a random part of it, flipped, in other colours, as fb.resnet.torch.

The authors trained on ImageNet with that code (Zagoruyko & Komodakis, 2016, section 3.4; datasets/imagenet.lua and
datasets/transforms.lua of facebook/fb.resnet.torch), and torchvision has the same steps. Three things differ from the
Lua code: torchvision draws the logarithm of the sides' ratio uniformly where Lua draws the ratio and swaps the sides
half of the time; colours are kept within their range after each change and stored with 8 bits; photographs stand
upright.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from wrn_search.datasets.dataset import Images

_AREA, _RATIO = (0.08, 1.0), (3 / 4, 4 / 3)  # of the part, as shares of the image; width / height
_JITTER = 0.4  # brightness, contrast and saturation: factors of 0.6 to 1.4, in random order
_LIGHTING = 0.1  # standard deviation of each component (Krizhevsky et al., 2012, section 4.1)
# Of the colours, 0 to 1, of ImageNet's training images: eigenvalues, and eigenvectors as columns.
_EIGENVALUES = torch.tensor([0.2175, 0.0188, 0.0045])
_EIGENVECTORS = torch.tensor(
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
)


def random_view(pixels: Images, size: int, seed: int, colour: bool) -> Tensor:
    """(H, W, 3) uint8 -> (size, size, 3) uint8, drawn from `seed` alone.

    A part of 8 to 100 % of the area with sides of 3:4 to 4:3, scaled (bicubic with antialias), flipped with p = 0.5;
    with `colour` then brightness, contrast and saturation by factors of 0.6 to 1.4 in random order, and lighting.
    """
    image = torch.from_numpy(pixels).permute(2, 0, 1)  # (3, H, W), in memory as it was
    with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's default generator
        torch.default_generator.manual_seed(seed)
        image = _crop_and_flip(size)(image)
        if colour:
            colours = lighted(_jitter()(image.to(torch.float32) / 255), torch.randn(3) * _LIGHTING)
            image = (255 * colours).round_().clamp_(0, 255).to(torch.uint8)
    return image.permute(1, 2, 0).contiguous()


def lighted(image: Tensor, strengths: Tensor) -> Tensor:
    """(3, H, W) of 0 to 1 plus, in every pixel, the principal components of ImageNet's colours.

    Args:
        image: the image.
        strengths: (3,) of each component, times its eigenvalue (Krizhevsky et al., 2012, section 4.1).
    """
    shift: Tensor = _EIGENVECTORS @ (_EIGENVALUES * strengths)
    return image + shift.view(3, 1, 1)


@lru_cache
def _crop_and_flip(size: int) -> Any:
    from torchvision.transforms import v2

    bicubic = v2.InterpolationMode.BICUBIC
    crop = v2.RandomResizedCrop(size, scale=_AREA, ratio=_RATIO, interpolation=bicubic, antialias=True)
    return v2.Compose([crop, v2.RandomHorizontalFlip()])


@lru_cache
def _jitter() -> Any:
    from torchvision.transforms import v2

    return v2.ColorJitter(_JITTER, _JITTER, _JITTER)
