"""Every operation on a batch, each image with a strength of its own, against torchvision's on one image at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from wrn_search.images.policies import image_operations
from wrn_search.images.policies.policies import (
    OPERATIONS,
    STRENGTHS,
    randaugment_strengths,
    source_matrices,
    trivial_strengths,
)

F = v2.functional


def photographs(count: int, height: int = 14, width: int = 12, channels: int = 3) -> Tensor:
    """Smooth images of several contrasts with some noise, one of a single level, one of black and white alone."""
    generator = np.random.default_rng(0)
    coarse = generator.uniform(0, 255, (count, 3, 3, channels))
    smooth = coarse.repeat(math.ceil(height / 3), 1).repeat(math.ceil(width / 3), 2)[:, :height, :width]
    low, span = generator.uniform(0, 100, (2, count, 1, 1, 1))
    images = low + smooth * (0.2 + span / 180) + generator.normal(0, 6, smooth.shape)
    images[0] = 77
    images[1] = 255 * (images[1] > 100)
    return torch.from_numpy(images.clip(0, 255).astype(np.uint8))


def _affine(image: Tensor, **changes: Any) -> Tensor:
    return F.affine(
        image, **{"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0], **changes}
    )


def _degrees(tangent: float) -> float:
    return math.degrees(math.atan(tangent))


# As torchvision's own policies call them (`_AutoAugmentBase`).
ON_ONE: dict[str, Callable[[Tensor, float], Tensor]] = {
    "identity": lambda image, strength: image,
    "shear_x": lambda image, strength: _affine(image, shear=[_degrees(strength), 0.0], center=[0, 0]),
    "shear_y": lambda image, strength: _affine(image, shear=[0.0, _degrees(strength)], center=[0, 0]),
    "translate_x": lambda image, strength: _affine(image, translate=[int(strength), 0]),
    "translate_y": lambda image, strength: _affine(image, translate=[0, int(strength)]),
    "rotate": lambda image, strength: F.rotate(image, angle=strength),
    "brightness": lambda image, strength: F.adjust_brightness(image, 1 + strength),
    "colour": lambda image, strength: F.adjust_saturation(image, 1 + strength),
    "contrast": lambda image, strength: F.adjust_contrast(image, 1 + strength),
    "sharpness": lambda image, strength: F.adjust_sharpness(image, 1 + strength),
    "posterize": lambda image, strength: F.posterize(image, int(strength)),
    "solarize": F.solarize,
    "autocontrast": lambda image, strength: F.autocontrast(image),
    "equalize": lambda image, strength: F.equalize(image),
}
MOVES = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")
SIGNED = (*MOVES, "brightness", "colour", "contrast", "sharpness")


def on_a_batch(name: str, images: Tensor, strengths: Tensor) -> Tensor:
    """What the policies do with images that drew the same operation."""
    if name == "identity":
        return images
    if name not in MOVES:
        return getattr(image_operations, name)(images, strengths)
    operations = torch.full(strengths.shape, OPERATIONS.index(name))
    sides = images.shape[1], images.shape[2]
    return image_operations.moved(images, source_matrices(operations, strengths, sides).view(-1, 2, 3))


def from_within_a_pixel(name: str, strengths: Tensor, height: int, width: int) -> Tensor:
    """(n, H, W): whether a pixel comes from within another; of one from the edge of two either is right."""
    matrices = source_matrices(
        torch.full(strengths.shape, OPERATIONS.index(name)), strengths, (height, width)
    )
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    middles = torch.stack([x, y, torch.ones_like(x)]).flatten(1).double()
    sources = matrices.view(-1, 2, 3).double() @ middles
    return ((sources - sources.round()).abs() > 1e-4).all(dim=1).view(-1, height, width)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("table", [trivial_strengths, randaugment_strengths])
@pytest.mark.parametrize("name", OPERATIONS)
def test_each_is_torchvisions_at_every_strength(
    name: str, table: Callable[..., Tensor], channels: int
) -> None:
    images = photographs(2 * STRENGTHS, channels=channels)
    strengths = table((14, 12))[OPERATIONS.index(name)]
    strengths = torch.cat([strengths, -strengths if name in SIGNED else strengths.flip(0)])
    before = images.clone()
    ours = on_a_batch(name, images, strengths)
    theirs = torch.stack(
        [
            ON_ONE[name](image.permute(2, 0, 1), float(strength)).permute(1, 2, 0)
            for image, strength in zip(images, strengths, strict=True)
        ]
    )
    assert torch.equal(images, before)  # the image itself stays
    assert ours.dtype == torch.uint8
    if name in MOVES:
        told = from_within_a_pixel(name, strengths, 14, 12)[..., None]
        assert told.to(torch.float32).mean() > 0.98
        ours, theirs = ours * told, theirs * told
    assert torch.equal(ours, theirs)


def test_images_of_two_pixels_are_not_sharpened() -> None:
    images = photographs(4, height=2)
    assert torch.equal(image_operations.sharpness(images, torch.full((4,), 0.9)), images)


@pytest.mark.parametrize(
    ("policy", "table"), [(v2.TrivialAugmentWide, trivial_strengths), (v2.RandAugment, randaugment_strengths)]
)
def test_strengths_are_torchvisions(policy: Any, table: Callable[..., Tensor]) -> None:
    ours = dict(zip(OPERATIONS, table((40, 50)), strict=True))
    theirs = dict(zip(OPERATIONS, policy._AUGMENTATION_SPACE.values(), strict=True))
    for name, (strengths, signed) in theirs.items():
        expected = strengths(STRENGTHS, 40, 50)
        expected = torch.zeros(STRENGTHS) if expected is None else expected.to(torch.float32)
        if name.startswith("translate"):
            expected = expected.trunc()  # where they are applied
        assert torch.equal(ours[name], 255 * expected if name == "solarize" else expected), name
        assert signed == (name in SIGNED)


def test_small_images_are_not_moved_beyond_their_sides() -> None:
    moved = trivial_strengths((8, 10))[[OPERATIONS.index("translate_x"), OPERATIONS.index("translate_y")]]
    assert moved.amax(1).tolist() == [10, 8]
