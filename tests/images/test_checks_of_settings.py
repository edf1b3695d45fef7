"""What is asked of a data set, before anything is decoded."""

from __future__ import annotations

import pytest

from tests.decisions.playing import space_of
from wrn_search.errors import InputError
from wrn_search.images.checks_of_settings import check_batches


def test_a_batch_takes_no_more_images_than_there_are() -> None:
    space = space_of(training={"batch_size": {"choice": [64, 512]}})
    check_batches(space, 512)
    with pytest.raises(InputError, match=r"batch_size must be at most the 511 images .* but got 512"):
        check_batches(space, 511)
