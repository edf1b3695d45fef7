"""The test split of each data set: what is read, prepared as the training images are, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_digits
from torchvision.datasets import CIFAR10, SVHN

from tests.datasets.image_data import (
    CIFAR_IMAGES_A_FILE,
    encode,
    md5,
    random_images,
    write_cifar10,
    write_folder,
    write_parquet,
    write_svhn,
)
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.images import held_out_test_images as tests_of
from wrn_search.images.prepared_data import prepare
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings


def settings(name: str, root: Path, **changes: object) -> DatasetSettings:
    values = {"name": name, "root": str(root), "validation": 10, "augmentation": "none", **changes}
    return DatasetSettings.model_validate(values)


def refused(dataset: DatasetSettings) -> str:
    with pytest.raises(InputError) as error:
        tests_of.read_test_split(dataset, prepare(dataset))
    (problem,) = error.value.problems
    assert problem.key == "dataset.root"
    return problem.text.replace(str(dataset.root), "ROOT")


def test_the_digits_test_images_are_those_that_no_search_sees() -> None:
    dataset = DatasetSettings(name="digits")
    split = tests_of.read_test_split(dataset, prepare(dataset))
    assert split.images.shape == (300, 8, 8, 1)
    seen = DATASETS["digits"].read_training_images(place_of(dataset))
    both = np.concatenate([split.images, seen.images]).reshape(1797, -1)
    theirs = np.rint(load_digits().images * (255 / 16)).astype(np.uint8).reshape(1797, -1)
    assert sorted(map(bytes, both)) == sorted(map(bytes, theirs))
    assert (
        np.bincount(split.labels).tolist()
        == (np.bincount(load_digits().target) - np.bincount(seen.labels)).tolist()
    )


def test_cifar_reads_its_test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attributes = write_cifar10(tmp_path)
    for name, value in attributes.items():
        monkeypatch.setattr(CIFAR10, name, value)
    path = tmp_path / "cifar-10-batches-py" / "test_batch"
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5(path)]])
    monkeypatch.setattr(CIFAR10, "meta", attributes["meta"])
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:1/cifar-10-python.tar.gz")
    dataset = settings("cifar10", tmp_path)
    data = prepare(dataset)
    split = tests_of.read_test_split(dataset, data)
    np.testing.assert_array_equal(split.images, random_images(100, 32, 32)[:CIFAR_IMAGES_A_FILE])
    assert split.labels.tolist() == [number % 10 for number in range(CIFAR_IMAGES_A_FILE)]
    path.unlink()
    with pytest.raises(InputError, match=r"must hold cifar-10-batches-py/test_batch, but got none"):
        tests_of.check_test_split(dataset, data.class_names)


def test_svhn_reads_its_test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    splits = {"train": write_svhn(tmp_path, "train", 60), "test": write_svhn(tmp_path, "test", 30)}
    monkeypatch.setattr(SVHN, "split_list", splits)
    dataset = settings("svhn", tmp_path, extra=False)
    data = prepare(dataset)
    split = tests_of.read_test_split(dataset, data)
    np.testing.assert_array_equal(split.images, random_images(30, 32, 32))
    assert split.labels.tolist() == [number % 10 for number in range(30)]
    (tmp_path / "test_32x32.mat").unlink()
    with pytest.raises(InputError, match=r"must hold test_32x32.mat, but got none"):
        tests_of.check_test_split(dataset, data.class_names)


@pytest.fixture
def folder(tmp_path: Path) -> DatasetSettings:
    images, labels = random_images(40), [number % 2 for number in range(40)]
    write_folder(tmp_path, images, labels)
    write_folder(tmp_path, images[:6], [1, 1, 0, 1, 0, 0], split="test")
    return settings("folder", tmp_path)


def test_a_folder_has_the_labels_of_the_training_classes(folder: DatasetSettings) -> None:
    split = tests_of.read_test_split(folder, prepare(folder))
    assert split.labels.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(split.images, random_images(40)[[2, 4, 5, 0, 1, 3]])


def test_folders_that_do_not_match_are_refused(folder: DatasetSettings) -> None:
    root = Path(str(folder.root))
    (root / "test" / "class_9").mkdir()
    rule = "ROOT/test must hold the classes of the training images, but got"
    assert refused(folder) == f"{rule} 'class_9' only there"
    (root / "test" / "class_9").rmdir()
    (root / "test" / "class_1").rename(root / "test" / ".hidden")
    assert refused(folder) == f"{rule} 'class_1' not there"
    (root / "test" / "class_1").mkdir()
    assert refused(folder).endswith("but got none in ROOT/test/class_1")
    (root / "test").rename(root / "elsewhere")
    assert (
        refused(folder)
        == "must be a folder that holds test/<class>/, to be tested with, but got no ROOT/test"
    )


def parquet(
    root: Path, test_labels: list[int], names: list[str] | None = None, train_names: list[str] | None = None
) -> DatasetSettings:
    encoded = [encode(image) for image in random_images(40)]
    write_parquet(root / "train-0.parquet", encoded, [number % 2 for number in range(40)], names=train_names)
    write_parquet(root / "test-0.parquet", encoded[: len(test_labels)], test_labels, names=names)
    return settings("parquet", root)


def test_parquet_reads_its_test_files(tmp_path: Path) -> None:
    dataset = parquet(tmp_path, [1, 0, 1], names=["cat", "dog"], train_names=["cat", "dog"])
    split = tests_of.read_test_split(dataset, prepare(dataset))
    assert split.labels.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(split.images, random_images(40)[:3])


def test_parquet_files_that_do_not_match_are_refused(tmp_path: Path) -> None:
    assert refused(parquet(tmp_path / "a", [0, 2])) == (
        "test labels must be those of the training images, 0 to 1, but got 2"
    )
    other = parquet(tmp_path / "b", [0, 1], names=["dog", "cat"], train_names=["cat", "dog"])
    assert "must be those of the training images, ['cat', 'dog'], but got ['dog', 'cat']" in refused(other)
    empty = parquet(tmp_path / "c", [0])
    path = tmp_path / "c" / "test-0.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert refused(empty) == "must hold test images, but got no row in ROOT/test-0.parquet"
    gone = parquet(tmp_path / "d", [0])
    (tmp_path / "d" / "test-0.parquet").unlink()
    assert "must be a folder that holds test*.parquet, to be tested with, but got no" in refused(gone)
    poisoned = parquet(tmp_path / "e", [0])
    (tmp_path / "e" / "test-0.parquet").write_bytes(b"whoever reads this fails")
    assert refused(poisoned).startswith("must hold readable Parquet files, but got ROOT/test-0.parquet")


def test_images_of_another_size_are_refused_and_grey_ones_become_coloured(tmp_path: Path) -> None:
    images, labels = random_images(40), [number % 2 for number in range(40)]
    write_folder(tmp_path / "a", images, labels)
    write_folder(tmp_path / "a", random_images(4, 9, 9), [0, 1, 0, 1], split="test")
    assert refused(settings("folder", tmp_path / "a")) == (
        "test images must be 8x8x3 as the training images are, but got 9x9x3"
    )
    write_folder(tmp_path / "b", images, labels)
    grey = random_images(4, channels=1)
    write_folder(tmp_path / "b", grey, [0, 0, 1, 1], split="test")
    dataset = settings("folder", tmp_path / "b")
    split = tests_of.read_test_split(dataset, prepare(dataset))
    np.testing.assert_array_equal(split.images, np.repeat(grey, 3, axis=3))


def test_images_without_colours_are_greyscale_however_they_are_stored(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(40, channels=1), [number % 2 for number in range(40)])
    grey = random_images(4, channels=1)
    write_folder(tmp_path, np.repeat(grey, 3, axis=3), [0, 0, 1, 1], split="test")
    dataset = settings("folder", tmp_path)
    np.testing.assert_array_equal(tests_of.read_test_split(dataset, prepare(dataset)).images, grey)
    write_folder(tmp_path, random_images(1), [1], split="test")
    assert refused(dataset) == "test images must be greyscale as the training images are, but got colours"


def test_test_images_that_are_trained_on_are_told(folder: DatasetSettings) -> None:
    assert tests_of.checked_test_split(folder, prepare(folder)) == [
        "6 of 6 test images are also trained on, pixel for pixel: test errors will be too low"
    ]
    for path in (Path(str(folder.root)) / "test").rglob("*.png"):
        path.write_bytes(encode(random_images(1)[0][::-1].copy()))
    assert tests_of.checked_test_split(folder, prepare(folder)) == []


@pytest.mark.parametrize("preprocessing", ["meanstd", "divide255", "zca"])
@pytest.mark.parametrize("joined", [False, True])
def test_test_images_are_prepared_with_the_statistics_of_the_trained_ones(
    tmp_path: Path, preprocessing: str, joined: bool
) -> None:
    """The test images are the training images here: so their batches must be what a training on them is given."""
    images, labels = random_images(40), [number % 2 for number in range(40)]
    write_folder(tmp_path, images, labels)
    write_folder(tmp_path, images, labels, split="test")
    dataset = settings("folder", tmp_path, preprocessing=preprocessing)
    if joined:
        dataset = JoinedSettings.of(dataset)
    data = prepare(dataset)
    batches = tests_of.batches_of_test_split(dataset, data, 128)
    assert batches.num_images == 40
    ((inputs, test_labels),) = list(batches)
    stored = np.load(data.directory / "train_images.npy").astype(np.float32)
    trained = ((stored - np.float32(data.mean)) / np.float32(data.std)).transpose(0, 3, 1, 2)
    assert len(trained) == (40 if joined else 30)
    for image in trained:
        assert np.abs(inputs.numpy() - image).max(axis=(1, 2, 3)).min() < 1e-3
    assert test_labels.tolist() == [0] * 20 + [1] * 20
