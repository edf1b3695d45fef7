"""Encoded images (PNG, JPEG, ...) to one uint8 array of one size and number of channels."""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wrn_search.datasets.dataset import WHITE, Images, bad_data
from wrn_search.datasets.decoded.room_for_images import Room, room_for
from wrn_search.datasets.image_fit import ImageFit
from wrn_search.errors import InputError, Problem

if TYPE_CHECKING:
    from PIL.Image import Image

_SINGLE_CHANNEL = ("L", "1")
_CONVERTIBLE = ("RGB", "RGBA", "RGBX", "RGBa", "LA", "La", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")
# 16 bits a channel keep their upper byte: greyscale here, colours in PIL, which names them so.
_SIXTEEN_GREY = ("I;16", "I;16B", "I;16L", "I;16N")
_SIXTEEN_BITS = re.compile(r"(I;16[BLN]*|(L|LA|RGB|RGBA|RGBX|RGBa|CMYK);16[A-Z]*)")
LEAST_RANGE = 16_384  # of 65,536: images of 16 bits that all stay below would be nearly black
DARK = f"values of 16 bits keep their upper byte, so some must reach {LEAST_RANGE:,}"
_MOST_TOLD = 20  # images that cannot be decoded
_BY_HAND = "scale them to 0 to 255 and save them with 8 bits, as in np.uint8(255 * (x - low) / (high - low))"
_LFS = b"version https://git-lfs.github.com/spec/"
_ORIENTATION = 0x0112  # EXIF: how the camera was held
_LYING = (5, 6, 7, 8)  # height and width change places


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """One image as a network may be given it, and what its file says of itself."""

    pixels: Images  # (H, W, 1) or (H, W, 3), upright
    grey: bool  # its file holds a single channel
    mode: str  # as PIL names it: L, RGB, RGBA, P, CMYK, ...
    size: tuple[int, int]  # height, width of the file, upright, before it was made another size
    largest_of_16_bits: int | None = None  # its largest value, where it has 16 bits a channel


def decode_images(
    encoded: Iterable[tuple[str, bytes | Path]],
    count: int,
    background: str = WHITE,
    fit: ImageFit | None = None,
    sizes: Counter[tuple[int, int]] | None = None,
    into: Path | None = None,
) -> Images:
    """(name, bytes or file) of `count` images -> (count, H, W, C): C = 1 if all are greyscale, else RGB.

    One after the other: two threads on two cores were slower than one for 32x32 JPEGs (8,800 against 9,800
    images/s) and no faster at 64x64, because most of the time is Python's.

    Args:
        fit: makes all of them one size.
        sizes: is told how many had which (height, width) before.
        into: a `.npy` file to be written and mapped, so that memory holds few of them at a time; None: memory.

    Raises:
        InputError: images cannot be decoded, or have another size than the first one, or those of 16 bits are dark.
            The first 20 of them are told.
    """
    assert count > 0
    room: Room | None = None
    sides: tuple[int, ...] = ()
    of_16_bits, largest = 0, 0
    problems: list[Problem] = []
    has_sizes = False
    for name, image in _decoded(encoded, background, fit, problems):
        pixels = image.pixels
        if room is None:
            sides = pixels.shape[:2]
            room = room_for(count, sides, into)
        if pixels.shape[:2] != sides and not has_sizes:
            has_sizes = True
            got = f"{_size(sides)} and {_size(pixels.shape[:2])} ({name})"
            rule = "images must have one size, or dataset.image_size (such as 64) make them one"
            problems += bad_data(rule, got).problems
        if problems:  # what follows is looked at for more of them
            continue
        room.put(pixels)
        if sizes is not None:
            sizes[image.size] += 1
        if image.largest_of_16_bits is not None:
            of_16_bits, largest = of_16_bits + 1, max(largest, image.largest_of_16_bits)
    if problems:
        raise InputError(problems)
    assert room is not None
    if of_16_bits and largest < LEAST_RANGE:
        raise bad_data(DARK, dark_text(of_16_bits, largest))
    return room.images()


def _decoded(
    encoded: Iterable[tuple[str, bytes | Path]],
    background: str,
    fit: ImageFit | None,
    problems: list[Problem],
) -> Iterator[tuple[str, DecodedImage]]:
    """(name, image) of those that can be decoded; why others cannot goes into `problems`, until there are many."""
    try:
        for name, data in encoded:
            try:
                image = decode_image(name, data, background, fit)
            except InputError as error:
                problems += error.problems
                if len(problems) < _MOST_TOLD:
                    continue
                problems.append(
                    Problem("dataset.root", "every image must be readable: the command `data` tells of all")
                )
                return
            yield name, image
    except InputError as error:  # of the files that hold them
        problems += error.problems


def decode_image(
    name: str, data: bytes | Path, background: str = WHITE, fit: ImageFit | None = None
) -> DecodedImage:
    """One image, by the same rules wherever it comes from (`docs/own-data.md` has them as a table).

    The image stands upright, as its EXIF orientation says, what is transparent is put over `background`, and `fit`
    makes it a square of its size.

    Raises:
        InputError: the image cannot be decoded, or has floats or 32 bits a channel.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
            mode, sixteen, size = image.mode, _sixteen_bits(image), (image.height, image.width)
            if fit is not None:
                fit.draft(image)
            image.load()
            turned, upright = _upright(image)
            pixels, largest = _eight_bits(upright, mode, sixteen, background, fit)
    except UnidentifiedImageError:
        if is_lfs_pointer(data):
            got = f"a pointer of Git LFS ({name}): run `git lfs pull` there"
            raise bad_data("every file and row must hold an image itself", got) from None
        raise bad_data("every file and row must hold an image", f"an unknown format ({name})") from None
    except _OtherKind as error:
        raise bad_data("images must have 8 or 16 bits a channel", f"{error} ({name}): {_BY_HAND}") from None
    except Exception as error:  # PIL's decoders raise OSError, SyntaxError, struct.error, zlib.error, ...
        got = f"{type(error).__name__}: {error} ({name})"
        raise bad_data("every image must be readable", got) from None
    grey = pixels.ndim == 2
    size = size[::-1] if turned else size
    return DecodedImage(pixels.reshape(*pixels.shape[:2], -1), grey, mode, size, largest)


def dark_text(images: int, largest: int) -> str:
    """What came of so many images of 16 bits, of which the brightest value is `largest`."""
    return f"at most {largest:,} in all {images:,} images of 16 bits: multiply them, or {_BY_HAND}"


class _OtherKind(ValueError):
    """A mode that no rule makes 8 bits a channel."""


def _eight_bits(
    image: Image, mode: str, sixteen: bool, background: str, fit: ImageFit | None
) -> tuple[Images, int | None]:
    """(H, W) or (H, W, 3) of an upright image, and the largest value of 16 bits, where it has such."""
    from PIL import Image as Images

    largest = None
    if mode in _SIXTEEN_GREY or (mode == "I" and sixteen):
        values = np.asarray(image)
        largest = int(values.max())
        image = Images.fromarray((values >> 8).astype(np.uint8))
    elif mode not in _SINGLE_CHANNEL + _CONVERTIBLE:
        kind = {"F": "floats, mode F", "I": "whole numbers of 32 bits, mode I"}.get(mode, f"mode {mode}")
        raise _OtherKind(kind)
    else:
        if sixteen:
            largest = 256 * max(high for _, high in _extrema(image)) + 255
        image = _over(background, image).convert("L" if mode in _SINGLE_CHANNEL else "RGB")
    if fit is not None:
        image = fit.fitted(image, background)
    return np.asarray(image), largest


def _extrema(image: Image) -> list[tuple[int, int]]:
    """(lowest, highest) of each channel."""
    found: Any = image.getextrema()
    return list(found) if isinstance(found[0], tuple) else [found]


def is_lfs_pointer(data: bytes | Path) -> bool:
    """Whether a file holds no data, but only where Git LFS (large file storage) has them."""
    if isinstance(data, Path):
        with data.open("rb") as file:
            data = file.read(len(_LFS))
    return data.startswith(_LFS)


def _sixteen_bits(image: Image) -> bool:
    """Whether an opened, not yet loaded image has more than 8 bits a channel, which PIL makes 8 without a word."""
    for tile in getattr(image, "tile", ()):
        arguments: Any = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        if tile[0] in ("ppm", "ppm_plain") and arguments[-1] > 255:  # its largest value
            return True
        if isinstance(arguments[0], str) and _SIXTEEN_BITS.fullmatch(arguments[0]):
            return True
    return False


def _upright(image: Image) -> tuple[bool, Image]:
    """A photograph as it was seen, and whether height and width changed places for it; cameras store it as the sensor
    lay. EXIF data that cannot be read say nothing."""
    from PIL import ImageOps

    try:
        with warnings.catch_warnings(action="ignore"):
            orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # SyntaxError, struct.error, ValueError, ...; the pixels are whole
        return False, image
    return orientation in _LYING, ImageOps.exif_transpose(image) if orientation != 1 else image


def _over(background: str, image: Image) -> Image:
    """Alpha composited over a colour; without it, the colours of what nobody sees (mostly black) would be the image."""
    from PIL import Image

    if not image.has_transparency_data:
        return image
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, background), seen).convert("RGB")


def image_shape_of(
    encoded: Iterable[tuple[str, bytes | Path]], fit: ImageFit | None = None
) -> tuple[int, int, int]:
    """(H, W, C) of (name, bytes or file): the size of the first, which stands for all until they are decoded.

    If it is grey, others are looked at until one has colours, their headers alone: then all will have three channels.

    Raises:
        InputError: see `decode_image`, of the first.
    """
    images = iter(encoded)
    name, data = next(images)
    if isinstance(data, Path) and not data.is_file():  # a pipe would wait for ever
        raise bad_data("training files must be plain files", name)
    first = decode_image(name, data, fit=fit).pixels
    channels = first.shape[2]
    if channels == 1 and any(_has_colours(data) for _, data in images):
        channels = 3
    return first.shape[0], first.shape[1], channels


def _has_colours(data: bytes | Path) -> bool:
    """Whether the header of an image says that it will be decoded to three channels; what is none has no colours."""
    from PIL import Image

    if isinstance(data, Path) and not data.is_file():
        return False
    try:
        with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
            return image.mode in _CONVERTIBLE
    except Exception:  # told where all are decoded
        return False


def spread(count: int, most: int) -> range:
    """At most so many places of so many, from the first on at even distances."""
    return range(0, count, max(1, -(-count // most)))


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}x{shape[1]}"
