"""The digits; and that no data set's search opens a test file, nor changes with one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from torchvision.datasets import CIFAR10, SVHN

from tests.datasets.image_data import (
    encode,
    random_images,
    write_cifar10,
    write_folder,
    write_parquet,
    write_svhn,
)
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.images.prepared_data import PreparedData, check_presence, prepare
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings

_opened: list[str] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open":
        _opened.append(str(arguments[0]))


sys.addaudithook(_hear)


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Every path that Python opens meanwhile."""
    global _opened
    _opened = []
    try:
        yield _opened
    finally:
        _opened = None


def test_digits_are_what_scikit_learn_ships_less_300() -> None:
    source = DATASETS["digits"].read_training_images(place_of(DatasetSettings(name="digits")))
    assert source.images.shape == (1497, 8, 8, 1)
    assert source.images.max() == 255
    assert len(source.class_names) == 10
    digits = load_digits()
    counts = np.bincount(digits.target) - np.bincount(source.labels)  # of the test images
    assert counts.sum() == 300
    np.testing.assert_allclose(counts, np.bincount(digits.target) * 300 / 1797, atol=1)
    # Every image is one of theirs, with its label, in their order.
    scaled = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    theirs = iter([(image.tobytes(), label) for image, label in zip(scaled, digits.target, strict=True)])
    ours = zip(source.images, source.labels, strict=True)
    assert all((image.tobytes(), label) in theirs for image, label in ours)


def cifar10(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    for name, value in write_cifar10(root).items():
        monkeypatch.setattr(CIFAR10, name, value)
    return [root / "cifar-10-batches-py" / "test_batch"]


def svhn(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    splits = {split: write_svhn(root, split, 60) for split in ("train", "extra", "test")}
    monkeypatch.setattr(SVHN, "split_list", splits)
    return [root / "test_32x32.mat"]


def folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    images, labels = random_images(40), [number % 2 for number in range(40)]
    write_folder(root, images, labels)
    write_folder(root, images[:4], labels[:4], split="test")
    return sorted((root / "test").rglob("*.png"))


def parquet(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    encoded, labels = [encode(image) for image in random_images(40)], [number % 2 for number in range(40)]
    write_parquet(root / "train-0.parquet", encoded, labels)
    return [write_parquet(root / "test-0.parquet", encoded, labels)]


def missing(path: Path) -> None:
    path.unlink()


def poisoned(path: Path) -> None:
    path.write_bytes(b"whoever reads this fails")


def forbidden(path: Path) -> None:
    """Nothing can be opened under this name, by root neither."""
    path.unlink()
    path.mkdir()


def look_and_prepare(dataset: DatasetSettings) -> tuple[PreparedData, bytes]:
    check_presence(dataset)
    data = prepare(dataset)
    arrays = sorted(data.directory.glob("*.npy"))
    return data, b"".join(path.read_bytes() for path in arrays)


@pytest.mark.parametrize("harm", [missing, poisoned, forbidden])
@pytest.mark.parametrize("make", [cifar10, svhn, folder, parquet])
def test_a_test_split_is_neither_opened_nor_missed(
    make: Callable[[Path, pytest.MonkeyPatch], list[Path]],
    harm: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = tmp_path / "data"
    test_files = make(root, monkeypatch)
    dataset = DatasetSettings(name=make.__name__, root=str(root), validation=10, augmentation="none")
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "whole"))
    with opened_files() as opened:
        whole, arrays = look_and_prepare(dataset)
    assert test_files
    assert not {str(path) for path in test_files} & set(opened)
    assert any(path.startswith(str(root)) for path in opened) or make is parquet  # pyarrow opens in C++

    for path in test_files:
        harm(path)
    assert prepare(dataset) == whole  # not even the name of what is prepared depends on it
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "harmed"))
    harmed, harmed_arrays = look_and_prepare(dataset)
    assert harmed.split_hash == whole.split_hash
    assert harmed_arrays == arrays


def test_a_whole_test_folder_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "cache"))
    folder(tmp_path / "data", monkeypatch)
    shutil.rmtree(tmp_path / "data" / "test")
    settings = DatasetSettings(name="folder", root=str(tmp_path / "data"), validation=10)
    assert prepare(settings).train_images == 30
