"""Exported models with drawn weights, and images as files, for tests that need no training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from wrn_search.images.normalisation_and_zca import meanstd
from wrn_search.winner.classifier import Classifier
from wrn_search.winner.file_formats.file_description import About, new_classifier
from wrn_search.winner.file_formats.format_table import FORMATS

NAMES = ("cat", "dog", "owl")


def about_of_shape(image_shape: tuple[int, int, int] = (8, 6, 3), **changes: Any) -> About:
    """A WRN-10-0.5 for three classes."""
    values: dict[str, Any] = {
        "name": "000_WRN-10-0.5",
        "depth": 10,
        "widen_factor": 0.5,
        "block": "B(3,3)",
        "class_names": NAMES,
        "image_shape": image_shape,
        "preprocessing": "meanstd",
    }
    return About(**values | changes)


def drawn_classifier(about: About) -> Classifier:
    """The same weights for the same shape; class scores that differ from image to image."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        classifier = new_classifier(about)
    generator = np.random.default_rng(1)
    images = generator.integers(0, 256, (50, *about.image_shape), dtype=np.uint8)
    classifier.set_preprocessing(meanstd(images))
    return classifier.requires_grad_(False).eval()


def write_model(folder: Path, format: str = "torch", about: About | None = None) -> Path:
    """An exported file."""
    about = about or about_of_shape()
    path = folder / f"model{FORMATS[format].suffix}"
    path.write_bytes(FORMATS[format].write(drawn_classifier(about), about))
    return path


def draw_images(count: int, shape: tuple[int, int, int] = (8, 6, 3)) -> npt.NDArray[np.uint8]:
    """(count, H, W, C), each of a colour and a contrast of its own: a network tells them apart."""
    generator = np.random.default_rng(2)
    colours = generator.integers(0, 256, (count, 1, 1, shape[2]))
    noise = generator.normal(0, 60, (count, *shape)) * generator.random((count, 1, 1, 1))
    return np.clip(colours + noise, 0, 255).astype(np.uint8)


def write_images(folder: Path, images: npt.NDArray[np.uint8]) -> list[Path]:
    """A PNG each, in order; (H, W, 1) becomes greyscale."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:03}.png" for number in range(len(images))]
    for path, pixels in zip(paths, images, strict=True):
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path)
    return paths
