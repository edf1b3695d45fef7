"""`load_model(FILE)(images)`: what is answered, and what is refused instead of being answered with nonsense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import wrn_search
from tests.winner.models import draw_images, write_model
from wrn_search.errors import InputError
from wrn_search.winner.file_formats.format_table import FORMATS

IMAGES = draw_images(4)  # (4, 8, 6, 3)


@pytest.mark.parametrize("format", FORMATS)
def test_pixels_of_any_whole_number_type_are_answered_alike(format: str, tmp_path: Path) -> None:
    model = wrn_search.load_model(write_model(tmp_path, format))
    expected = model(IMAGES)
    assert expected.shape == (4, 3)
    for same in (
        IMAGES.astype(np.int64),
        torch.from_numpy(IMAGES),
        IMAGES.tolist(),
        np.asfortranarray(IMAGES),
    ):
        np.testing.assert_array_equal(model(same), expected)


RAW = "must be raw pixels, whole numbers from 0 to 255 (uint8): preprocessing is part of the network"
SHAPE = "must be a batch of images of 8x6x3 (height x width x channels), with the batch first"


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (
            np.zeros((2, 8, 6, 3), np.float32),
            f"{RAW}, but got float32 from 0.0 to 0.0; of pixels in [0, 1] they are np.rint(255 * images)"
            ".astype(np.uint8)",
        ),
        (np.full((2, 8, 6, 3), -0.5), f"{RAW}, but got float64 from -0.5 to -0.5"),
        (np.full((2, 8, 6, 3), 200.0), f"{RAW}, but got float64 from 200.0 to 200.0"),
        (np.full((2, 8, 6, 3), np.nan), f"{RAW}, but got float64 from nan to nan"),
        (np.full((2, 8, 6, 3), 256), f"{RAW}, but got int64 from 256 to 256"),
        (np.full((2, 8, 6, 3), -1), f"{RAW}, but got int64 from -1 to -1"),
        (IMAGES[0], f"{SHAPE}, but got 8x6x3; one image is a batch as images[None]"),
        (
            IMAGES.transpose(0, 3, 1, 2),
            f"{SHAPE}, but got 4x3x8x6; channels come last: images.transpose(0, 2, 3, 1)",
        ),
        (IMAGES[:, :7], f"{SHAPE}, but got 4x7x6x3"),
        (IMAGES.transpose(0, 2, 1, 3), f"{SHAPE}, but got 4x6x8x3"),
        (IMAGES[..., :1], f"{SHAPE}, but got 4x8x6x1"),
        (7, f"{SHAPE}, but got a single number"),
    ],
)
def test_what_the_network_was_not_trained_on_is_refused(images: Any, told: str, tmp_path: Path) -> None:
    model = wrn_search.load_model(write_model(tmp_path))
    with pytest.raises(InputError) as error:
        model(images)
    assert str(error.value).startswith(f"images: {told}")
