"""Random views against their definition: geometry by what is drawn, colours by the formulas of fb.resnet.torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from wrn_search.images.streamed import random_views
from wrn_search.images.streamed.random_views import lighted, random_view

GREY = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)


def a_ramp(height: int = 60, width: int = 80) -> np.ndarray:
    """(H, W, 3): red grows to the right, green downwards, blue is constant."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[..., 0] = np.linspace(0, 255, width)[None]
    image[..., 1] = np.linspace(0, 255, height)[:, None]
    image[..., 2] = 77
    return image


def test_a_view_is_a_scaled_part_of_8_to_100_percent_that_is_flipped_half_of_the_time() -> None:
    """A ramp tells which part a view shows: what it spans of red is its width, of green its height."""
    size, areas, ratios, flips = 16, [], [], 0
    for seed in range(400):
        view = random_view(a_ramp(), size, seed, colour=False).numpy().astype(float)
        assert (view[..., 2] == 77).all()
        across = (view[8, -1, 0] - view[8, 0, 0]) * size / (size - 1) / 255
        down = (view[-1, 8, 1] - view[0, 8, 1]) * size / (size - 1) / 255
        assert down > 0
        flips += across < 0
        areas.append(abs(across) * down)
        ratios.append(abs(across) * 80 / (down * 60))
    assert 0.04 < min(areas) < 0.13
    assert 0.85 < max(areas) < 1.1
    # Uniform on [0.08, 1], but those that do not fit are drawn anew: with a share of -ln(area) / 2 ln(4/3) above 0.5625
    # in an image of 4:3, whose own mean is 0.432.
    assert 0.39 < np.mean(areas) < 0.48
    assert 0.6 < min(ratios) < 0.8
    assert 1.25 < max(ratios) < 1.6
    assert 160 <= flips <= 240  # of 400: 4 standard deviations


def test_a_view_depends_on_its_seed_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8)
    views = {colour: random_view(image, 24, 7, colour) for colour in (True, False)}
    torch.manual_seed(5)
    assert all(torch.equal(random_view(image, 24, 7, colour), view) for colour, view in views.items())
    assert not torch.equal(random_view(image, 24, 8, True), views[True])
    assert (views[True].shape, views[True].dtype) == ((24, 24, 3), torch.uint8)


def test_the_same_part_is_seen_with_colours_changed_and_unchanged() -> None:
    """So a search with and without them compares just that."""
    image = np.full((40, 40, 3), 128, dtype=np.uint8)
    changed = {tuple(random_view(image, 8, seed, True)[0, 0].tolist()) for seed in range(50)}
    assert len(changed) > 40  # one colour in, nearly as many out as there are seeds
    assert (random_view(image, 8, 0, False) == 128).all()


def test_jitter_is_that_of_the_authors_within_the_range_of_colours() -> None:
    """blend(image, other, a) = a image + (1 - a) other: with black, with its mean grey, with its own grey."""
    generator = torch.Generator().manual_seed(0)
    image = 0.4 + 0.2 * torch.rand(3, 9, 9, generator=generator)
    grey = (image * GREY).sum(0, keepdim=True)
    for factor in (0.6, 1.0, 1.4):
        pairs = {
            functional.adjust_brightness: factor * image,
            functional.adjust_contrast: factor * image + (1 - factor) * grey.mean(),
            functional.adjust_saturation: factor * image + (1 - factor) * grey,
        }
        for ours, theirs in pairs.items():
            torch.testing.assert_close(ours(image, factor), theirs, atol=2e-3, rtol=0)  # 0.2989 for 0.299
    jitter = random_views._jitter()
    assert jitter.brightness == jitter.contrast == jitter.saturation == (0.6, 1.4)
    assert jitter.hue is None


def test_lighting_adds_the_principal_components() -> None:
    image = torch.zeros(3, 2, 2)
    for component, first in enumerate([-0.5675 * 0.2175, 0.7192 * 0.0188, 0.4009 * 0.0045]):
        strengths = torch.zeros(3)
        strengths[component] = 1.0
        assert lighted(image, strengths)[0, 1, 1].item() == pytest.approx(first, rel=1e-6)
    vectors = random_views._EIGENVECTORS
    torch.testing.assert_close(vectors.T @ vectors, torch.eye(3), atol=2e-4, rtol=0)
