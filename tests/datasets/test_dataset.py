"""Labels are 0 to C - 1, each with an image."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.datasets.image_data import random_images
from wrn_search.datasets.dataset import Source
from wrn_search.errors import InputError


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([0, 1, 1, 2], "abc", None),
        ([0, 2, 2, 0], "abc", "labels must be 0 to 2, each with training images, but got no image of label 1 ('b')"),
        ([0, 0, 0, 0], "abcdefgh", "labels must be 0 to 7, each with training images, but got no image of label "
         "1 ('b'), 2 ('c'), 3 ('d'), 4 ('e'), 5 ('f') and 2 more"),
        ([0, 1, 2, 3], "abc", "labels must be 0 to 2, but got 3"),
        ([0, 1, 2, -4], "abc", "labels must be 0 to 2, but got -4"),
        ([0, 1, 2, 10**15], "abc", "labels must be 0 to 2, but got 1000000000000000"),
        ([0, 0, 0, 0], "a", "there must be at least 2 classes, but got 1"),
    ],
)  # fmt: skip
def test_labels(labels: list[int], names: str, message: str | None) -> None:
    images = random_images(4)
    if message is None:
        assert Source(images, np.array(labels), tuple(names)).class_names == tuple(names)
        return
    with pytest.raises(InputError) as error:
        Source(images, np.array(labels), tuple(names))
    assert str(error.value) == f"dataset.root: {message}"
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
