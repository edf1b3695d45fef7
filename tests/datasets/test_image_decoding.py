"""Encoded images to one array, or the name of the one that does not fit."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
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


def sixteen_bits(values: np.ndarray, kind: str = "PNG") -> bytes:
    """Greyscale (H, W)."""
    buffer = io.BytesIO()
    Image.fromarray(values.astype(np.uint16)).save(buffer, kind)
    return buffer.getvalue()


def sixteen_bit_colours(colour_type: int, values: list[int]) -> bytes:
    """A PNG of 8x8 pixels that PIL cannot write: 16 bits a channel, all pixels of these values."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = b"".join(b"\0" + struct.pack(f">{len(values)}H", *values) * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 16, colour_type, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def netpbm_of_16_bits(magic: bytes, values: list[int]) -> bytes:
    return magic + b"\n8 8\n65535\n" + struct.pack(f">{len(values)}H", *values) * 64


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_values_of_16_bits_keep_their_upper_byte(kind: str) -> None:
    values = np.arange(64).reshape(8, 8) * 1040
    np.testing.assert_array_equal(decode(sixteen_bits(values, kind))[0, ..., 0], values // 256)


@pytest.mark.parametrize(
    ("data", "pixel"),
    [
        (sixteen_bit_colours(2, [40_000, 300, 65_535]), [156, 1, 255]),
        (sixteen_bit_colours(6, [40_000, 300, 65_535, 65_535]), [156, 1, 255]),
        (sixteen_bit_colours(6, [40_000, 300, 65_535, 0]), [255, 255, 255]),  # nothing is seen of it
        (sixteen_bit_colours(4, [40_000, 65_535]), [156, 156, 156]),
        (netpbm_of_16_bits(b"P6", [40_000, 300, 65_535]), [156, 1, 255]),
        (netpbm_of_16_bits(b"P5", [40_000]), [156]),
    ],
)
def test_colours_of_16_bits_do_too(data: bytes, pixel: list[int]) -> None:
    np.testing.assert_allclose(decode(data)[0], np.broadcast_to(np.array(pixel), (8, 8, len(pixel))), atol=1)


@pytest.mark.parametrize(
    "dark",
    [
        sixteen_bits(np.full((8, 8), 4095)),
        sixteen_bit_colours(2, [200] * 3),
        netpbm_of_16_bits(b"P6", [9] * 3),
    ],
)
def test_images_of_16_bits_that_use_a_part_of_them_are_refused(dark: bytes) -> None:
    """Twelve bits of a camera or a scanner would be black; one bright image among them shows that all are used."""
    with pytest.raises(
        InputError, match=r"some must reach 16,384, but got at most [\d,]+ in all 2 images of 16 bits"
    ):
        decode(dark, dark)
    bright = sixteen_bits(np.full((8, 8), 65_535))
    assert decode(dark, bright)[1].min() == 255


def other_numbers(kind: type) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8), 100, dtype=kind)).save(buffer, "TIFF")
    return buffer.getvalue()


def truncated() -> bytes:
    whole = encode(random_images(1, 64, 64)[0])
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"no image", "every file and row must hold an image, but got an unknown format (image 1)"),
        (b"", "every file and row must hold an image, but got an unknown format (image 1)"),
        (truncated(), "every image must be readable, but got OSError: image file is truncated"),
        (
            other_numbers(np.float32),
            "images must have 8 or 16 bits a channel, but got floats, mode F (image 1): scale",
        ),
        (
            other_numbers(np.int32),
            "images must have 8 or 16 bits a channel, but got whole numbers of 32 bits, mode I",
        ),
        (
            encode(random_images(1, 8, 9)[0]),
            "images must have one size, or dataset.image_size (such as 64) make them one, but got 8x8 and 8x9 ",
        ),
    ],
)
def test_an_image_that_does_not_fit_is_named(bad: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        decode(encode(random_images(1)[0]), bad)
    assert str(error.value).startswith(f"dataset.root: {message}")
    assert "(image 1)" in str(error.value)


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


def test_all_images_that_cannot_be_decoded_are_told_at_once() -> None:
    good, other = encode(random_images(1)[0]), encode(random_images(1, 9, 9)[0])
    named = [("a", good), ("b", b"x"), ("c", other), ("d", good[:40]), ("e", other), ("f", b"y")]
    with pytest.raises(InputError) as error:
        decode_images(named, len(named))
    told = [problem.text for problem in error.value.problems]
    assert [text[text.rindex("(") :] for text in told] == ["(b)", "(c)", "(d)", "(f)"]
    assert "8x8 and 9x9" in told[1]


def test_of_very_many_the_first_are_told() -> None:
    looked: list[int] = []

    def files() -> Iterator[tuple[str, bytes]]:
        for number in range(1000):
            looked.append(number)
            yield f"image {number}", b"no image"

    with pytest.raises(InputError) as error:
        decode_images(files(), 1000)
    assert len(error.value.problems) == 21
    assert "`data` tells of all" in error.value.problems[-1].text
    assert len(looked) == 20
