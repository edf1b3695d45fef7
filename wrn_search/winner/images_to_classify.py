"""Images to be classified: files and folders, each made what the network was trained on, or refused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from wrn_search.datasets.dataset import WHITE, Images
from wrn_search.datasets.folder_walk import SUFFIXES, image_files
from wrn_search.datasets.image_decoding import decode_image
from wrn_search.datasets.image_fit import ImageFit
from wrn_search.errors import InputError, Problem


def image_paths(arguments: Iterable[str]) -> list[Path]:
    """Files as named, and of folders all images at any depth, sorted.

    Raises:
        InputError: one is not there, or a folder holds no image.
    """
    paths: list[Path] = []
    problems: list[Problem] = []
    for path in map(Path, arguments):
        try:
            found = image_files(path) if path.is_dir() else [path] if path.exists() else []
            rule = f"a folder must hold images ({', '.join(SUFFIXES)}), but holds none"
            text = rule if path.is_dir() else "must be an image or a folder of images, but there is nothing"
        except OSError as error:
            found, text = [], f"must be readable, but got: {error.strerror}"
        paths += found
        if not found:
            problems.append(Problem("IMAGES", text, str(path)))
    if problems:
        raise InputError(problems)
    return paths


def read_image(
    path: Path,
    image_shape: tuple[int, int, int],
    resize: bool = False,
    background: str = WHITE,
    fit: ImageFit | None = None,
) -> Images:
    """An image as the network takes it, (H, W, C) uint8; `fit` is what made those of its training one size.

    Greyscale fills all channels of a network for RGB. A network for greyscale takes an RGB image only if it
    shows no colour.

    Raises:
        InputError: it cannot be decoded, has another size (unless `resize`), or colours that the network has not seen.
    """
    if not path.is_file():  # a pipe would wait for ever
        raise _bad(path, "must be a plain file")
    height, width, channels = image_shape
    try:
        pixels = decode_image(path.name, path, background, fit).pixels
    except InputError as error:  # told of a data set's root
        raise InputError(Problem("IMAGES", problem.text, str(path)) for problem in error.problems) from None
    if pixels.shape[:2] != (height, width):
        if not resize:
            rule = f"must have {height}x{width} pixels (height x width), as the images that the network was trained on"
            got = f"{pixels.shape[0]}x{pixels.shape[1]}; --resize scales it"
            raise _bad(path, f"{rule}, but has {got}")
        pixels = _scaled(pixels, height, width)
    if channels == pixels.shape[2]:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    if (pixels != pixels[..., :1]).any():
        raise _bad(path, "must be greyscale, as the images that the network was trained on, but has colours")
    return pixels[..., :1]


def _scaled(pixels: Images, height: int, width: int) -> Images:
    """Both sides scaled each for itself, smoothed where they shrink (bilinear)."""
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    scaled = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return scaled.reshape(height, width, -1)


def _bad(path: Path, text: str) -> InputError:
    return InputError.of("IMAGES", text, str(path))
