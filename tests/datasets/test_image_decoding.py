"""Encoded images to one array, or the name of the one that does not fit."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.datasets.image_data import encode, random_images
from wrn_search.datasets.image_decoding import decode_images
from wrn_search.errors import InputError


def decode(*encoded: bytes) -> np.ndarray:
    return decode_images([(f"image {number}", data) for number, data in enumerate(encoded)], len(encoded))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (5, 9)])
def test_a_lossless_image_comes_back(channels: int, height: int, width: int) -> None:
    images = random_images(3, height, width, channels)
    decoded = decode(*(encode(image) for image in images))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, images)


def test_files_are_read_as_bytes_are(tmp_path: Path) -> None:
    (image,) = random_images(1)
    (tmp_path / "a.png").write_bytes(encode(image))
    np.testing.assert_array_equal(decode_images([("a.png", tmp_path / "a.png")], 1)[0], image)


@pytest.mark.parametrize("grey_first", [True, False])
def test_one_coloured_image_makes_all_rgb(grey_first: bool) -> None:
    (coloured,), (grey,) = random_images(1), random_images(1, channels=1)
    images = [grey.repeat(3, axis=-1), coloured]
    encoded = [encode(grey), encode(coloured)]
    if not grey_first:
        images, encoded = images[::-1], encoded[::-1]
    np.testing.assert_array_equal(decode(*encoded), np.stack(images))


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("P", "PNG"), ("CMYK", "JPEG"), ("P", "GIF")])
def test_other_modes_become_rgb(mode: str, kind: str) -> None:
    even = np.full((8, 8, 3), 204, dtype=np.uint8)  # a colour of the web palette that `P` uses
    decoded = decode(encode(even, kind, mode))
    np.testing.assert_allclose(decoded[0], even, atol=2)


def test_black_and_white_is_greyscale() -> None:
    image = np.zeros((8, 8, 1), dtype=np.uint8)
    image[2, 3] = 255
    np.testing.assert_array_equal(decode(encode(image, mode="1")), image[None])


def sixteen_bits() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8), 40_000, dtype=np.uint16)).save(buffer, "PNG")
    return buffer.getvalue()


def sixteen_bit_colours(colour_type: int, values: int) -> bytes:
    """A PNG of 8x8 pixels that PIL cannot write: 16 bits a channel, all at 200 of 65,535, which 8 bits show as 0."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = b"".join(b"\0" + struct.pack(">H", 200) * 8 * values for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 16, colour_type, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def ppm_of_16_bits() -> bytes:
    return b"P6\n8 8\n65535\n" + struct.pack(">H", 200) * 3 * 64


def truncated() -> bytes:
    whole = encode(random_images(1, 64, 64)[0])
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"no image", "every file and row must hold an image, but got an unknown format (image 1)"),
        (b"", "every file and row must hold an image, but got an unknown format (image 1)"),
        (truncated(), "every image must be readable, but got OSError: image file is truncated"),
        (sixteen_bits(), "images must have 8 bits a channel, but got mode I;16 (image 1)"),
        (sixteen_bit_colours(2, 3), "images must have 8 bits a channel, but got 16: RGB;16B (image 1)"),
        (sixteen_bit_colours(6, 4), "images must have 8 bits a channel, but got 16: RGBA;16B (image 1)"),
        (sixteen_bit_colours(4, 2), "images must have 8 bits a channel, but got 16: LA;16B (image 1)"),
        (ppm_of_16_bits(), "images must have 8 bits a channel, but got 16: values to 65535 (image 1)"),
        (
            encode(random_images(1, 8, 9)[0]),
            "images must have one size (scale them: resizing is not supported yet), but got 8x8 and 8x9 (image 1)",
        ),
    ],
)
def test_an_image_that_does_not_fit_is_named(bad: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        decode(encode(random_images(1)[0]), bad)
    assert str(error.value).startswith(f"dataset.root: {message}")
    assert str(error.value).endswith("(image 1)")


def test_more_images_than_memory() -> None:
    with pytest.raises(
        InputError, match=r"must fit into memory, but got 1,000,000,000,000,000 images of 8x8"
    ):
        decode_images([("a", encode(random_images(1)[0]))], 10**15)


UPRIGHT = {  # EXIF orientation -> what makes the stored pixels upright (EXIF 2.3, 4.6.4 A)
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_photographs_stand_upright(orientation: int) -> None:
    (stored,) = random_images(1, 5, 9)
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(buffer, "PNG", exif=exif)
    np.testing.assert_array_equal(decode(buffer.getvalue())[0], UPRIGHT[orientation](stored))


def test_damaged_exif_data_do_not_cost_the_image() -> None:
    (stored,) = random_images(1)
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0")
    np.testing.assert_array_equal(decode(buffer.getvalue())[0], stored)


def ink(mode: str, alpha: int) -> bytes:
    """A black square in the middle of 8x8, on a ground that would be black too if its alpha of 0 were ignored."""
    opacity = np.zeros((8, 8), dtype=np.uint8)
    opacity[2:6, 2:6] = alpha
    buffer = io.BytesIO()
    if mode in ("RGBA", "LA"):
        channels = [np.zeros_like(opacity)] * (len(mode) - 1)
        Image.merge(mode, [Image.fromarray(part) for part in (*channels, opacity)]).save(buffer, "PNG")
    elif mode == "P":
        image = Image.fromarray((opacity > 0).astype(np.uint8)).convert("P")
        image.putpalette([0, 0, 0] * 2)
        image.save(buffer, "PNG", transparency=bytes([0, alpha]))
    else:  # one level of grey is transparent
        Image.fromarray(np.where(opacity > 0, 0, 1).astype(np.uint8)).save(buffer, "PNG", transparency=1)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L"])
def test_what_is_transparent_is_white(mode: str) -> None:
    (image,) = decode(ink(mode, 255))
    expected = np.full((8, 8), 255, dtype=np.uint8)
    expected[2:6, 2:6] = 0
    for channel in range(image.shape[-1]):
        np.testing.assert_array_equal(image[..., channel], expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_half_transparent_is_half_white(mode: str) -> None:
    (image,) = decode(ink(mode, 102))  # 40 % of black
    assert (image[2:6, 2:6] == 153).all()
    assert (image[0] == 255).all()


@pytest.mark.parametrize(("background", "rgb"), [("black", (0, 0, 0)), ("#ff8000", (255, 128, 0))])
def test_what_is_transparent_has_the_colour_that_was_asked_for(
    background: str, rgb: tuple[int, int, int]
) -> None:
    (image,) = decode_images([("white ink", white_ink())], 1, background)
    assert (image[2:6, 2:6] == 255).all()
    np.testing.assert_array_equal(np.broadcast_to(image[0, 0], 3), rgb)


def white_ink() -> bytes:
    opacity = np.zeros((8, 8), dtype=np.uint8)
    opacity[2:6, 2:6] = 255
    buffer = io.BytesIO()
    white = Image.fromarray(np.full((8, 8), 255, dtype=np.uint8))
    Image.merge("RGBA", [white, white, white, Image.fromarray(opacity)]).save(buffer, "PNG")
    return buffer.getvalue()
