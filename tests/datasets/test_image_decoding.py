"""Encoded images to one array, or the name of the one that does not fit."""

from __future__ import annotations

import io
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
        (encode(random_images(1, 8, 9)[0]), "images must have one size, but got 8x8 and 8x9 (image 1)"),
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
