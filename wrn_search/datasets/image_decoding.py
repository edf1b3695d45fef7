"""Encoded images (PNG, JPEG, ...) to one uint8 array of one size and number of channels."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wrn_search.datasets.dataset import WHITE, Images, bad_data

if TYPE_CHECKING:
    from PIL.Image import Image

# 8 bits a channel or fewer. The others (I;16, I, F) would be clipped to 255 by a conversion to RGB, silently.
_SINGLE_CHANNEL = ("L", "1")
_CONVERTIBLE = ("RGB", "RGBA", "RGBX", "RGBa", "LA", "La", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")
# How PIL names what it decodes to 8 bits a channel, without a word: only the upper byte is kept, or values scaled.
_SIXTEEN_BITS = re.compile(r"(L|LA|RGB|RGBA|RGBX|RGBa|CMYK);16[A-Z]*")
_LFS = b"version https://git-lfs.github.com/spec/"
_ORIENTATION = 0x0112  # EXIF: how the camera was held


def decode_images(encoded: Iterable[tuple[str, bytes | Path]], count: int, background: str = WHITE) -> Images:
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
        pixels, grey = decode_image(name, data, background)
        if images is None:
            images = _room(count, pixels.shape)
        if pixels.shape[:2] != images.shape[1:3]:
            sizes = f"{_size(images.shape[1:3])} and {_size(pixels.shape[:2])} ({name})"
            raise bad_data("images must have one size (scale them: resizing is not supported yet)", sizes)
        images[position] = pixels  # greyscale (H, W, 1) fills all three channels
        all_grey &= grey
    assert images is not None
    return images[..., :1].copy() if all_grey else images


def decode_image(name: str, data: bytes | Path, background: str = WHITE) -> tuple[Images, bool]:
    """Pixels (H, W, 1) or (H, W, 3), and whether the image is greyscale.

    The image stands upright, as its EXIF orientation says, and what is transparent is put over `background`.

    Raises:
        InputError: the image cannot be decoded, or has 16 bits a channel.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
            mode, depth = image.mode, _sixteen_bits(image)
            image.load()
            upright = _over(background, _upright(image)) if depth is None else image
            pixels = np.asarray(upright.convert("L" if mode in _SINGLE_CHANNEL else "RGB"))
    except UnidentifiedImageError:
        if is_lfs_pointer(data):
            got = f"a pointer of Git LFS ({name}): run `git lfs pull` there"
            raise bad_data("every file and row must hold an image itself", got) from None
        raise bad_data("every file and row must hold an image", f"an unknown format ({name})") from None
    except Exception as error:  # PIL's decoders raise OSError, SyntaxError, struct.error, zlib.error, ...
        got = f"{type(error).__name__}: {error} ({name})"
        raise bad_data("every image must be readable", got) from None
    if mode not in _SINGLE_CHANNEL + _CONVERTIBLE:
        raise bad_data("images must have 8 bits a channel", f"mode {mode} ({name})")
    if depth is not None:
        raise bad_data("images must have 8 bits a channel", f"16: {depth} ({name})")
    return pixels.reshape(*pixels.shape[:2], -1), mode in _SINGLE_CHANNEL


def is_lfs_pointer(data: bytes | Path) -> bool:
    """Whether a file holds no data, but only where Git LFS (large file storage) has them."""
    if isinstance(data, Path):
        with data.open("rb") as file:
            data = file.read(len(_LFS))
    return data.startswith(_LFS)


def _sixteen_bits(image: Image) -> str | None:
    """What says that an opened, not yet loaded image has more than 8 bits a channel; None if nothing does."""
    for tile in getattr(image, "tile", ()):
        arguments: Any = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        if tile[0] in ("ppm", "ppm_plain") and arguments[-1] > 255:  # its largest value
            return f"values to {arguments[-1]}"
        if isinstance(arguments[0], str) and _SIXTEEN_BITS.fullmatch(arguments[0]):
            return arguments[0]
    return None


def _upright(image: Image) -> Image:
    """A photograph as it was seen; cameras store it as the sensor lay. EXIF data that cannot be read say nothing."""
    from PIL import ImageOps

    try:
        with warnings.catch_warnings(action="ignore"):
            turned = image.getexif().get(_ORIENTATION, 1) != 1
    except Exception:  # SyntaxError, struct.error, ValueError, ...; the pixels are whole
        return image
    return ImageOps.exif_transpose(image) if turned else image


def _over(background: str, image: Image) -> Image:
    """Alpha composited over a colour; without it, the colours of what nobody sees (mostly black) would be the image."""
    from PIL import Image

    if not image.has_transparency_data:
        return image
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, background), seen).convert("RGB")


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
