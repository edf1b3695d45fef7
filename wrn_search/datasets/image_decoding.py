"""Encoded images (PNG, JPEG, ...) to one uint8 array of one size and number of channels."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from wrn_search.datasets.dataset import Images, bad_data

# 8 bits a channel or fewer. The others (I;16, I, F) would be clipped to 255 by a conversion to RGB, silently.
_SINGLE_CHANNEL = ("L", "1")
_CONVERTIBLE = ("RGB", "RGBA", "RGBX", "RGBa", "LA", "La", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")


def decode_images(encoded: Iterable[tuple[str, bytes | Path]], count: int) -> Images:
    """(name, bytes or file) of `count` images -> (count, H, W, C): C = 1 if all are greyscale, else RGB.

    One after the other: two threads on two cores were slower than one for 32x32 JPEGs (8,800 against 9,800
    images/s) and no faster at 64x64, because most of the time is Python's.

    Raises:
        InputError: an image cannot be decoded, has 16 bits a channel, or another size than the first one.
    """
    assert count > 0
    images: Images | None = None
    all_grey = True
    for position, (name, data) in enumerate(encoded):
        pixels, grey = decode_image(name, data)
        if images is None:
            images = _room(count, pixels.shape)
        if pixels.shape[:2] != images.shape[1:3]:
            sizes = f"{_size(images.shape[1:3])} and {_size(pixels.shape[:2])} ({name})"
            raise bad_data("images must have one size", sizes)
        images[position] = pixels  # greyscale (H, W, 1) fills all three channels
        all_grey &= grey
    assert images is not None
    return images[..., :1].copy() if all_grey else images


def decode_image(name: str, data: bytes | Path) -> tuple[Images, bool]:
    """Pixels (H, W, 1) or (H, W, 3), and whether the image is greyscale.

    Raises:
        InputError: the image cannot be decoded, or has 16 bits a channel.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
            mode = image.mode
            pixels = np.asarray(image.convert("L" if mode in _SINGLE_CHANNEL else "RGB"))
    except UnidentifiedImageError:
        raise bad_data("every file and row must hold an image", f"an unknown format ({name})") from None
    except Exception as error:  # PIL's decoders raise OSError, SyntaxError, struct.error, zlib.error, ...
        got = f"{type(error).__name__}: {error} ({name})"
        raise bad_data("every image must be readable", got) from None
    if mode not in _SINGLE_CHANNEL + _CONVERTIBLE:
        raise bad_data("images must have 8 bits a channel", f"mode {mode} ({name})")
    return pixels.reshape(*pixels.shape[:2], -1), mode in _SINGLE_CHANNEL


def first_image_shape(encoded: Iterable[tuple[str, bytes | Path]]) -> tuple[int, int, int]:
    """(H, W, C) of the first of (name, bytes or file), which stands for all until they are decoded.

    Raises:
        InputError: see `decode_image`.
    """
    pixels, _ = decode_image(*next(iter(encoded)))
    return pixels.shape[0], pixels.shape[1], pixels.shape[2]


def _room(count: int, shape: tuple[int, ...]) -> Images:
    try:
        return np.empty((count, *shape[:2], 3), dtype=np.uint8)
    except MemoryError:
        gigabytes = count * shape[0] * shape[1] * 3 / 1e9
        got = f"{count:,} images of {_size(shape)} ({gigabytes:,.0f} GB)"
        raise bad_data("all training images must fit into memory", got) from None


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}x{shape[1]}"
