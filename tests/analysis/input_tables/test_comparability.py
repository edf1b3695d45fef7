"""Which searches are told together, as far as the crop of their images goes."""

from __future__ import annotations

from typing import Any

import pytest

from wrn_search.analysis.input_tables.comparability import Compared, differences, settings_of
from wrn_search.space.sections.recorded_dataset import dataset_settings


def searched(path: str, shape: list[int] | None, **dataset: Any) -> Compared:
    """A search of a recorded data set; `shape`: of its images, where the record tells."""
    values = {"dataset": ["folder"], "epochs": [10], "precision": ["fp32"], "linear_precision": ["same"]}
    settings = settings_of(dataset_settings({"name": "folder", "root": "/data", **dataset}), shape)
    return Compared(path, path, values, "one split", settings)


@pytest.mark.parametrize(
    ("shape", "old", "new", "differ"),
    [
        ([32, 32, 3], {}, {"crop_padding": "auto"}, False),  # 4 pixels then and now
        ([64, 64, 3], {}, {"crop_padding": "auto"}, True),
        ([64, 64, 3], {}, {"crop_padding": 4}, False),
        ([64, 64, 3], {"augmentation": "none"}, {"augmentation": "none", "crop_padding": "auto"}, False),
    ],
)
def test_trials_that_were_cropped_otherwise_are_not_ranked_together(
    shape: list[int], old: dict[str, Any], new: dict[str, Any], differ: bool
) -> None:
    told = [str(each) for each in differences([searched("old", shape, **old), searched("new", shape, **new)])]
    assert told == (
        [
            "dataset.crop_padding: trials that are compared must have one dataset.crop_padding, but got 4 in old; 8 in "
            "new; report them one by one"
        ]
        if differ
        else []
    )


def test_a_record_that_does_not_tell_the_size_of_its_images_has_what_it_says() -> None:
    assert (
        differences([searched("one", None, crop_padding="auto"), searched("two", None, crop_padding="auto")])
        == []
    )
