"""A search that an earlier version recorded keeps what it did, whatever the defaults are today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.trainings import config_of
from wrn_search.decisions.rung_epochs import anchor_share_of, rungs_of
from wrn_search.errors import InputError
from wrn_search.results.events import SearchStarted
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.space_on_record import recorded_space, resolved_space
from wrn_search.results.state_from_events import fold
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trial_config import TrialConfig, config_problem


def on_record(**sections: Any) -> Space:
    """The space of a record whose first event holds these sections, read as a resume reads it."""
    document = {"name": "old", "dataset": {"name": "digits"}} | sections
    started = SearchStarted("old", "id", 20, 90.0, "digits", space=document)
    return space_from_mapping(recorded_space(ResultsDirectory(Path("nowhere")), fold([(0.0, started)])))


@pytest.mark.parametrize(
    ("epochs", "rungs"), [(20, (10, 15)), (5, (2, 4)), (2, (1,)), (1, ())]
)  # half and three quarters
def test_rungs_of_a_cosine_stay_where_they_were(epochs: int, rungs: tuple[int, ...]) -> None:
    space = on_record(training={"epochs": epochs, "lr_schedule": "cosine"}, search={"rungs": "schedule"})
    assert rungs_of(space) == rungs
    assert space.search.anchors == 0
    assert not space.search.promote


def test_a_record_with_anchors_that_knew_no_promotion_only_stops() -> None:
    assert not on_record(search={"anchors": 0.2}).search.promote
    assert on_record(search={"anchors": 0.2, "promote": True}).search.promote


def test_what_was_given_stays() -> None:
    training = {"epochs": 20, "lr_schedule": "cosine"}
    assert rungs_of(on_record(training=training, search={"rungs": [7]})) == (7,)
    assert rungs_of(on_record(training={"epochs": 20}, search={"rungs": "schedule"})) == (6, 12, 16)


def test_a_record_whose_anchors_were_not_counted_in_epochs_keeps_them_and_its_rungs() -> None:
    training = {"epochs": 18, "lr_schedule": "cosine"}
    space = on_record(training=training, search={"rungs": "schedule", "anchors": 0.2, "promote": True})
    assert rungs_of(space) == (1, 3, 9)
    training = {"epochs": 54, "lr_schedule": "cosine"}
    space = on_record(training=training, search={"rungs": "schedule", "anchors": 0.2, "promote": True})
    assert rungs_of(space) == (3, 9, 27)
    assert anchor_share_of(space) == 0.2
    assert space.brackets == 1


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_a_record_from_before_the_last_layers_key_keeps_its_last_layer(precision: str) -> None:
    """And one that has the key what it says; only a new search has it in fp32 by itself."""
    for training, meant in (
        ({}, "same"),
        ({"linear_precision": "same"}, "same"),
        ({"linear_precision": "fp32"}, "fp32"),
    ):
        space = on_record(training={"precision": precision, **training}, model={"depth": 16})
        config = space.trial_config({}, 0, precision=precision, compile="off")
        assert config.linear_precision == meant
    new = space_from_mapping({"name": "new", "dataset": {"name": "digits"}, "model": {"depth": 16}})
    config = new.trial_config({}, 0, precision=precision, compile="off")
    assert config.linear_precision == ("same" if precision == "fp32" else "fp32")


def test_a_trial_on_record_without_the_key_is_trained_as_it_was() -> None:
    """By `rerun`, `confirm` and `audit`, which take it from its record."""
    config = config_of(precision="bf16").to_dict()
    assert config.pop("linear_precision") == "same"
    assert TrialConfig.from_dict(config).linear_precision == "same"
    assert config_problem(config | {"linear_precision": "auto"}) == (
        "linear_precision must be one of same, fp32, but got 'auto'"
    )


def test_a_record_of_today_means_what_it_says() -> None:
    training = {"epochs": 54, "lr_schedule": "cosine"}
    search = {"rungs": "schedule", "anchors": 0.2, "anchor_epochs": 0.1}
    space = on_record(training=training, search=search)
    assert rungs_of(space) == (1, 3, 9, 27)
    assert space.search.anchors == 0.2
    assert anchor_share_of(space) < 0.02


def test_images_that_were_cropped_by_four_pixels_still_are() -> None:
    large = {"name": "folder", "root": "/data", "image_size": 64}
    assert on_record(dataset=large).dataset.crop_padding == 4
    assert on_record(dataset=large | {"crop_padding": 8}).dataset.crop_padding == 8
    assert on_record(dataset=large, search={"anchor_epochs": 1}).dataset.crop_padding == 4
    assert space_from_mapping({"name": "new", "dataset": large}).dataset.padding_of((64, 64, 3)) == 8


def test_a_resolved_file_of_before_tells_four_pixels_and_keeps_its_lines(tmp_path: Path) -> None:
    directory = ResultsDirectory(tmp_path)
    directory.resolved.write_text("name: old\ndataset:\n  name: folder\n  root: /data\n  image_size: 64\n")
    assert resolved_space(directory).dataset.crop_padding == 4
    directory.resolved.write_text("name: old\ndataset:\n  name: cats\n")
    with pytest.raises(InputError, match=r"resolved\.yaml:3: dataset\.name: must be one of"):
        resolved_space(directory)
