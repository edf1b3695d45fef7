"""What may be done to 8-bit images, for many at once: each image by a strength of its own.

The operations are those of AutoAugment (Cubuk et al., 2019, table 6) as TrivialAugment and RandAugment take them, to
the last level as torchvision's `transforms.v2` has them for single images of 8 bits: greys are rounded down, what is
off the image is black, the nearest pixel is taken. Images are (n, H, W, C) uint8 of 1 or 3 channels, strengths (n,)
float32.
All of it runs on the images' device and waits for nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

_RED, _GREEN, _BLUE = 0.2989, 0.587, 0.114  # of a grey, ITU-R BT.601


def brightness(images: Tensor, strengths: Tensor) -> Tensor:
    """Times 1 + strength."""
    return _levels(images.to(torch.float32).mul_(_each(1 + strengths)))


def contrast(images: Tensor, strengths: Tensor) -> Tensor:
    """Each image's mean grey, plus 1 + strength times what is beside it."""
    greys = _greys(images) if images.shape[3] == 3 else images[..., 0].to(torch.float32)
    return _blend(images, greys.mean(dim=(1, 2)).view(-1, 1, 1, 1), strengths)


def colour(images: Tensor, strengths: Tensor) -> Tensor:
    """Each pixel's grey, plus 1 + strength times what is beside it; one channel has no colour."""
    return images if images.shape[3] == 1 else _blend(images, _greys(images)[..., None], strengths)


def sharpness(images: Tensor, strengths: Tensor) -> Tensor:
    """A blurred image, plus 1 + strength times what is beside it; the pixels at the edge are left as they are."""
    if min(images.shape[1:3]) <= 2:
        return images
    blended = images.to(torch.float32)
    inside = blended[:, 1:-1, 1:-1]
    rows = blended[:, :-2] + blended[:, 1:-1] + blended[:, 2:]
    blurred = (
        rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    )  # each of 3x3 once, and the middle 4 times more
    blurred.add_(inside, alpha=4).div_(13).round_()
    inside.add_(blurred.sub_(inside).mul_(_each(-strengths)))
    return _levels(blended)


def posterize(images: Tensor, strengths: Tensor) -> Tensor:
    """Only the `strength` highest bits of every level."""
    return images & _each(256 - torch.exp2(8 - strengths)).to(torch.uint8)


def solarize(images: Tensor, strengths: Tensor) -> Tensor:
    """Levels from `strength` on, 0 to 255, turned to 255 minus them."""
    turned = (
        (images >= _each(strengths.ceil()).to(torch.uint8)).view(torch.uint8).neg_()
    )  # 255 where so, else 0
    return turned.bitwise_xor_(images)


def autocontrast(images: Tensor, strengths: Tensor) -> Tensor:
    """Each channel stretched so that its darkest level is 0 and its brightest 255; one of a single level is left."""
    pixels = images.flatten(1, 2)
    low = pixels.amin(dim=1, keepdim=True).to(torch.float32)
    span = (pixels.amax(dim=1, keepdim=True).to(torch.float32) - low) * (1 / 255)
    flat = span == 0
    stretched = pixels.to(torch.float32).sub_(low.masked_fill_(flat, 0)).div_(span.masked_fill_(flat, 1))
    return _levels(stretched).view_as(images)


def equalize(images: Tensor, strengths: Tensor) -> Tensor:
    """Each channel by a table that makes its histogram even, as PIL's `ImageOps.equalize` computes it."""
    levels = images.flatten(1, 2).transpose(1, 2).to(torch.int64)  # (n, C, H W)
    counts = torch.zeros((*levels.shape[:2], 256), dtype=torch.int32, device=images.device)
    ones = torch.ones(1, dtype=torch.int32, device=images.device)
    counts.scatter_add_(2, levels, ones.expand_as(levels))  # of whole numbers: the order does not matter
    up_to = counts.cumsum(2, dtype=torch.int32)
    brightest = up_to.argmax(2, keepdim=True)  # the first level up to which all pixels lie
    step = (levels.shape[2] - counts.gather(2, brightest)).div(255, rounding_mode="floor")
    table = torch.zeros_like(counts)
    table[..., 1:] = up_to[..., :-1] + step.div(2, rounding_mode="floor")
    table = table.div_(step.clamp(min=1), rounding_mode="floor").clamp_(0, 255)
    as_it_is = torch.arange(256, dtype=torch.int32, device=images.device)
    table = torch.where(step == 0, as_it_is, table).to(torch.uint8)
    return table.gather(2, levels).transpose(1, 2).reshape(images.shape)


def moved(images: Tensor, matrices: Tensor) -> Tensor:
    """Each pixel from where its matrix says, (n, 2, 3): the pixel in which matrix times (x, y, 1) lies, else black.

    Positions are in pixels from the upper left corner, and (x, y) is the middle of the new pixel.
    """
    n, height, width, channels = images.shape
    across = torch.arange(width, dtype=torch.float32, device=images.device) + 0.5
    down = torch.arange(height, dtype=torch.float32, device=images.device) + 0.5
    by_column = matrices[:, :, 0, None] * across  # (n, 2, W)
    by_row = matrices[:, :, 1, None] * down + matrices[:, :, 2, None]  # (n, 2, H)
    x = (by_row[:, 0, :, None] + by_column[:, 0, None, :]).floor_()  # (n, H, W)
    y = (by_row[:, 1, :, None] + by_column[:, 1, None, :]).floor_()
    outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
    # One black pixel behind those of each image, where all that is outside points to.
    pixels = images.new_zeros((n, height * width + 1, channels))
    pixels[:, :-1] = images.flatten(1, 2)
    places = y.mul_(width).add_(x).masked_fill_(outside, height * width).to(torch.int64)
    places += torch.arange(0, pixels.shape[0] * pixels.shape[1], pixels.shape[1], device=images.device)[
        :, None, None
    ]
    return pixels.flatten(0, 1).index_select(0, places.flatten()).view(images.shape)


def _greys(images: Tensor) -> Tensor:
    """(n, H, W) float32, whole numbers."""
    red, green, blue = (images[..., channel].to(torch.float32) for channel in range(3))
    return red.mul_(_RED).add_(green, alpha=_GREEN).add_(blue, alpha=_BLUE).floor_()


def _blend(images: Tensor, greys: Tensor, strengths: Tensor) -> Tensor:
    """(1 + strength) images - strength greys."""
    own = images.to(torch.float32).mul_(_each(1 + strengths))
    return _levels(own.addcmul_(greys, _each(-strengths)))


def _levels(values: Tensor) -> Tensor:
    """Rounded towards 0, within 0 to 255; changes what it is given."""
    return values.clamp_(0, 255).to(torch.uint8)


def _each(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)
