"""Images of any size made squares of one size: what is seen of them, and what is told."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import v2

from tests.datasets.image_data import encode, random_images, write_folder, write_parquet
from wrn_search.datasets.dataset import Place
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.image_decoding import decode_images
from wrn_search.datasets.image_fit import ImageFit, fit_text


def fitted(pixels: np.ndarray, fit: ImageFit, kind: str = "PNG", background: str = "white") -> np.ndarray:
    (image,) = decode_images([("x", encode(pixels, kind))], 1, background, fit)
    return image


def thirds(height: int, width: int) -> np.ndarray:
    """Black, grey 128, white along the longer side."""
    long = np.repeat([0, 128, 255], max(height, width) // 3).astype(np.uint8)
    pixels = (
        np.broadcast_to(long, (min(height, width), len(long)))
        if width > height
        else np.broadcast_to(long[:, None], (len(long), min(height, width)))
    )
    return pixels[..., None].copy()


@pytest.mark.parametrize(("height", "width"), [(24, 72), (72, 24)])
def test_crop_shows_the_middle_of_the_longer_side(height: int, width: int) -> None:
    image = fitted(thirds(height, width), ImageFit(12))
    assert image.shape == (12, 12, 1)
    assert (image[2:-2, 2:-2] == 128).all()  # at the edges the filter sees a little of what is cut off
    assert np.abs(image.astype(int) - 128).max() <= 12


@pytest.mark.parametrize(("height", "width"), [(24, 72), (72, 24)])
def test_pad_shows_all_of_it_on_the_background(height: int, width: int) -> None:
    image = fitted(thirds(height, width), ImageFit(12, "pad"), background="#0a0a0a")[..., 0]
    image = image if width > height else image.T
    assert (image[:4] == 10).all()
    assert (image[8:] == 10).all()
    np.testing.assert_allclose(image[4:8].mean(axis=0)[[1, 5, 10]], [0, 128, 255], atol=3)


@pytest.mark.parametrize(("height", "width"), [(300, 500), (600, 400), (256, 256), (224, 224), (100, 140)])
def test_centre_is_torchvisions_resize_to_256_and_crop_to_224(height: int, width: int) -> None:
    coarse = random_images(1, height // 20, width // 20)[0]
    photo = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    bicubic = v2.InterpolationMode.BICUBIC
    theirs = v2.Compose([v2.Resize(256, interpolation=bicubic, antialias=True), v2.CenterCrop(224)])(photo)
    difference = fitted(np.asarray(photo), ImageFit(224, "centre")).astype(int) - np.asarray(theirs)
    assert np.abs(difference).max() <= 1 if height == width else np.abs(difference).mean() < 1


def test_what_shrinks_is_averaged_and_not_picked() -> None:
    """A fine pattern of black and white becomes grey; every eighth pixel alone would be all black."""
    pattern = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None]
    assert np.abs(fitted(pattern, ImageFit(16)).astype(float)[2:-2, 2:-2] - 127.5).max() <= 2


def test_an_image_of_the_wanted_size_stays_as_it_is() -> None:
    (image,) = random_images(1, 16, 16)
    np.testing.assert_array_equal(fitted(image, ImageFit(16)), image)


@pytest.mark.parametrize("how", ["crop", "pad", "centre"])
def test_a_large_jpeg_is_decoded_in_part_and_looks_the_same(how: str) -> None:
    ramp = np.linspace(0, 255, 640).round().astype(np.uint8)
    photo = np.stack([np.broadcast_to(ramp, (480, 640))] * 3, axis=2)
    jpeg, whole = (fitted(photo, ImageFit(32, how), kind) for kind in ("JPEG", "PNG"))
    assert np.abs(jpeg.astype(int) - whole.astype(int)).max() <= 6


def test_the_size_that_is_told_is_the_one_that_is_seen() -> None:
    """Of a photograph that lies on its side, and of a JPEG that is decoded in part."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray(random_images(1, 100, 300)[0]).save(buffer, "JPEG", exif=exif)
    sizes: Counter[tuple[int, int]] = Counter()
    images = decode_images([("x", buffer.getvalue())], 1, fit=ImageFit(8), sizes=sizes)
    assert (images.shape, sizes) == ((1, 8, 8, 3), {(300, 100): 1})


def test_aspects_and_losses_are_told() -> None:
    sizes = Counter({(30, 40): 3, (40, 30): 1, (16, 16): 1, (20, 80): 1})
    assert fit_text(ImageFit(24), sizes, "white") == [
        "images of 4 sizes (16x16 to 20x80, aspect (width/height) 0.75 to 4.00, median 1.33) are made 24x24: "
        "the shorter side scaled, the longer one cropped around the centre (at most 75% of an image); "
        "2 were smaller and are enlarged"
    ]
    (line,) = fit_text(ImageFit(24, "pad"), Counter({(30, 40): 3}), "black")
    assert "of one size (30x40 to 30x40" in line
    assert line.endswith(
        "the longer side scaled, the shorter one padded with black (at most 25% of an image)"
    )
    assert fit_text(ImageFit(24), Counter({(24, 24): 9}), "white") == []
    (line,) = fit_text(ImageFit(28, "centre"), Counter({(28, 28): 3, (64, 128): 1}), "black")
    assert line.endswith(
        "the shorter side scaled to 8/7 of that, both cropped around the centre (at most 62% of an image); "
        "3 were smaller and are enlarged"
    )
    assert fit_text(ImageFit(24, "centre"), Counter({(24, 24): 9}), "white") != []


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_data_sets_of_several_sizes_are_read_and_told(kind: str, tmp_path: Path) -> None:
    images = [random_images(1, 10 + 3 * number, 20)[0] for number in range(6)]
    for split in ("train", "test"):
        if kind == "folder":
            for number, pixels in enumerate(images):
                path = tmp_path / split / f"class_{number % 2}" / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(encode(pixels))
        else:
            write_parquet(tmp_path / f"{split}.parquet", [encode(each) for each in images], [0, 1] * 3)
    place = Place(tmp_path, fit=ImageFit(12))
    source = DATASETS[kind].read_training_images(place)
    assert source.images.shape == (6, 12, 12, 3)
    (line,) = source.warnings
    assert line.startswith("images of 6 sizes (10x20 to 25x20, ")
    test = DATASETS[kind].read_test_images(place, source.class_names)
    np.testing.assert_array_equal(test.images, source.images)
    assert DATASETS[kind].presence(place).image_shape == (12, 12, 3)


def test_without_it_the_key_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(2), [0, 1])
    (tmp_path / "train" / "class_1" / "x.png").write_bytes(encode(random_images(1, 9, 9)[0]))
    with pytest.raises(
        ValueError, match=r"dataset\.image_size \(such as 64\) make them one, but got 8x8 and 9x9"
    ):
        DATASETS["folder"].read_training_images(Place(tmp_path))
