"""The dataset section: each data set's own defaults, and where its files lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.space.spaces import complaints, space
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.space.data_folders import cache_root, data_root
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings
from wrn_search.space.sections.recorded_dataset import dataset_settings


@pytest.mark.parametrize(
    ("name", "validation", "preprocessing", "augmentation"),
    [
        ("digits", 300, "meanstd", "shift"),
        ("cifar10", 5000, "meanstd", "flip_crop"),
        ("cifar100", 5000, "meanstd", "flip_crop"),
        ("svhn", 5000, "divide255", "none"),
        ("folder", 5000, "meanstd", "flip_crop"),
        ("parquet", 5000, "meanstd", "flip_crop"),
    ],
)
def test_omitted_and_null_keys_take_the_defaults_of_the_data_set(
    name: str, validation: int, preprocessing: str, augmentation: str
) -> None:
    nulls = {"validation": None, "preprocessing": None, "augmentation": None}
    for settings in (DatasetSettings(name=name), DatasetSettings.model_validate({"name": name} | nulls)):
        assert (settings.validation, settings.preprocessing, settings.augmentation) == (
            validation,
            preprocessing,
            augmentation,
        )


def test_a_given_value_wins_over_the_default_of_the_data_set() -> None:
    given = DatasetSettings(name="svhn", augmentation="shift", validation=100)

    assert (given.augmentation, given.validation, given.preprocessing) == ("shift", 100, "divide255")


def test_digits_are_divided_as_the_design_says() -> None:
    facts = DATASETS["digits"].facts

    assert facts.train_images == 1197 + 300
    assert facts.image_shape == (8, 8, 1)


def test_roots_are_absolute_and_follow_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WRN_SEARCH_DATA", raising=False)
    assert cache_root() == tmp_path / ".cache" / "wrn-search"
    monkeypatch.setenv("WRN_SEARCH_DATA", "~/data")
    assert cache_root() == tmp_path / "data"
    monkeypatch.chdir(tmp_path)
    assert data_root(DatasetSettings(name="cifar10")) == tmp_path / "data"
    assert data_root(DatasetSettings(name="cifar10", root="~/mine")) == tmp_path / "mine"
    assert data_root(DatasetSettings(name="cifar10", root="here")) == tmp_path / "here"


def test_a_cache_of_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_DATA", "~no_such_user/data")

    with pytest.raises(
        InputError, match=r"^WRN_SEARCH_DATA: must be a path of a known user, but got '~no_such_user/data'$"
    ):
        cache_root()


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("root", "3", "must be a path, without control characters, but got 3 (quote it)"),
        ("root", "''", "must be a path, without control characters, but got ''"),
        (
            "root",
            '"a\\0b"',
            "must be a path, without control characters, but got 'a\\x00b'",
        ),
        (
            "root",
            "~no_such_user/x",
            "must be a path of a known user, but got '~no_such_user/x'",
        ),
        ("root", "{choice: [a]}", "must be a single value, not a domain, but got {choice: ['a']}"),
        ("extra", "1", "must be true or false, but got 1"),
        ("validation", "0", "must be a whole number from 1 to 10000000, but got 0"),
        (
            "validation",
            "'300'",
            "must be a whole number, but got '300'; a share is a number between 0 and 1, such as 0.1",
        ),
        (
            "validation",
            "10%",
            "must be a whole number, but got '10%'; a share is a number between 0 and 1, such as 0.1",
        ),
        ("train_images", "0.5", "must be a whole number, but got 0.5"),
        (
            "preprocessing",
            "zcaa",
            "must be one of meanstd, meanstd_cifar10, meanstd_imagenet, zca, divide255, but got 'zcaa' "
            "(did you mean 'zca'?)",
        ),
        (
            "augmentation",
            "flips",
            "must be one of flip_crop, flip_crop_batch, crop, flip, shift, none, trivial, randaugment, color_jitter, "
            "shift_trivial, shift_randaugment, shift_color_jitter, resized_crop_colour, resized_crop, but got 'flips' "
            "(did you mean 'flip'?)",
        ),
    ],
)
def test_a_wrong_value_is_told(key: str, value: str, text: str) -> None:
    (line,) = complaints("dataset: {name: digits}", f"dataset.{key}={value}")

    assert line.startswith(f"--set: dataset.{key}: {text}")


def test_null_stands_for_the_default_root() -> None:
    assert space("dataset: {name: digits, root: null}").dataset.root is None


def test_svhn_trains_on_its_extra_images_and_a_share_is_one_of_the_split_train() -> None:
    assert DatasetSettings(name="svhn").extra
    assert not DatasetSettings(name="svhn", extra=False).extra
    assert not DatasetSettings(name="cifar10").extra
    assert DatasetSettings(name="svhn", validation=0.1).validation == 7326


@pytest.mark.parametrize("value", ["gcn", "gcn_zca", "global_contrast_normalisation"])
def test_contrast_normalisation_alone_is_told_to_come_with_whitening(value: str) -> None:
    (line,) = complaints("dataset: {name: digits}", f"dataset.preprocessing={value}")
    assert "global contrast normalisation comes with whitening, and not alone: write zca for both" in line


def test_a_key_for_contrast_normalisation_is_told_where_it_is() -> None:
    (line,) = complaints("dataset:\n  name: digits\n  gcn: true")
    assert line.startswith(
        "s.yaml:3: dataset.gcn: unknown key: dataset.preprocessing: zca is global contrast"
    )


def test_all_images_of_a_list_that_is_tested_are_trained_on() -> None:
    whole = JoinedSettings.whole(DatasetSettings(name="digits", validation=200, train_images=50))
    assert (whole.validation, whole.train_images) == (0, 50)
    assert dataset_settings(whole.model_dump()) == whole
    assert whole.apart() == whole  # its record names the split of all images
    searched = DatasetSettings(name="digits", validation=200)
    assert JoinedSettings.of(searched).apart() == searched
