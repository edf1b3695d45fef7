"""torchvision's data sets in the layouts that it unpacks, read as torchvision reads them; nothing is downloaded."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision
from PIL import Image

from tests.datasets.image_data import md5
from tests.datasets.torchvision_sets.torchvision_files import (
    write_eurosat,
    write_gtsrb,
    write_mnist,
    write_set,
    write_stl10,
)
from wrn_search.datasets.dataset import LabelledImages, Source
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData, check_presence, prepare, remarks_on
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.space_file import space_from_mapping

SETS = ("stl10", "mnist", "fashion_mnist", "emnist", "gtsrb", "eurosat", "flowers102", "food101")
KINDS = dict(
    zip(
        SETS,
        ("STL10", "MNIST", "FashionMNIST", "EMNIST", "GTSRB", "EuroSAT", "Flowers102", "Food101"),
        strict=True,
    )
)
HELD_OUT = {
    "stl10": 10,
    "mnist": 10,
    "fashion_mnist": 10,
    "emnist": 47,
    "gtsrb": 9,
    "eurosat": 6,
    "food101": 2,
}


def settings(name: str, root: Path, **keys: Any) -> DatasetSettings:
    held_out = {"validation": HELD_OUT[name]} if name in HELD_OUT else {}
    return DatasetSettings.model_validate({"name": name, "root": str(root), **held_out, **keys})


def read(dataset: DatasetSettings) -> Source:
    return DATASETS[dataset.name].read_training_images(place_of(dataset))


def read_test(dataset: DatasetSettings) -> LabelledImages:
    names = read(dataset).class_names
    DATASETS[dataset.name].check_test_images(place_of(dataset), names)
    return DATASETS[dataset.name].read_test_images(place_of(dataset), names)


def garble_test_split(root: Path) -> None:
    """What only a look at pixels of the test split could notice."""
    for pattern in (
        "*/raw/t10k-*",
        "*/raw/*-test-*",
        "stl10_binary/test_*",
        "gtsrb/GTSRB/Final_Test/Images/*",
    ):
        for path in root.glob(pattern):
            path.write_bytes(b"no image")
    tested = [*(root / "food-101").glob("images/*/*2.jpg"), *(root / "food-101").glob("images/*/*5.jpg")]
    tested += [root / "flowers-102" / "jpg" / f"image_{number:05d}.jpg" for number in range(25, 37)]
    for path in tested:
        if path.is_file():
            path.write_bytes(b"no image")


@pytest.mark.parametrize("name", SETS)
def test_a_search_reads_the_training_split_and_never_decodes_the_test_split(
    tmp_path: Path, name: str
) -> None:
    dataset = settings(name, write_set(tmp_path, name))
    test = read_test(dataset)
    garble_test_split(tmp_path)
    if name == "eurosat":  # whose test images are told from the others by a split alone
        place, kind = place_of(dataset), DATASETS[name]
        assert kind.survey is not None
        assert kind.user_files is not None
        tested = set(kind.survey(place)["test"].images)
        assert not tested & set(kind.user_files(place))
        for path in tested:
            path.write_bytes(b"no image")
    data = prepare(dataset)
    source, facts = read(dataset), dataset.facts
    assert source.images.shape[1:] == facts.image_shape == data.image_shape
    assert test.images.shape[1:] == facts.image_shape
    assert set(test.labels.tolist()) == set(range(len(source.class_names)))
    known = {image.tobytes() for image in source.images}
    assert not any(image.tobytes() in known for image in test.images)
    assert data.train_images + data.validation_images == len(source.images)
    with pytest.raises(InputError):
        read_test(dataset)


def theirs(name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, int]]:
    """What torchvision reads as the training split: pixels and label of each image."""
    kind = getattr(torchvision.datasets, KINDS[name])
    if name == "stl10":  # wants checksums, also of files that nobody needs
        monkeypatch.setattr(kind, "train_list", [["train_X.bin", None], ["train_y.bin", None]])
        monkeypatch.setattr(kind, "test_list", [])
    if name == "flowers102":
        sums = {
            key: (file, md5(root / "flowers-102" / file))
            for key, (file, _) in kind._file_dict.items()
            if key != "image"
        }
        monkeypatch.setattr(kind, "_file_dict", sums)
    data = kind(root, **({"split": "balanced"} if name == "emnist" else {}))
    return [(np.asarray(image).tobytes(), int(label)) for image, label in data]


@pytest.mark.parametrize("name", [name for name in SETS if name not in ("eurosat", "emnist")])
def test_images_and_labels_are_those_that_torchvision_reads(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = settings(name, write_set(tmp_path, name), validation_files=name != "flowers102")
    expected = theirs(name, tmp_path, monkeypatch)
    found = DATASETS[name].survey(place_of(dataset))["train"]  # type: ignore[misc]
    if found.array is not None:
        images = [image.tobytes() for image in found.array()]
    else:
        images = [np.asarray(Image.open(path).convert("RGB")).tobytes() for path in found.images]
    labels = found.labels()
    assert sorted(zip(images, labels.tolist(), strict=True)) == sorted(expected)


def test_emnist_is_set_upright_and_has_the_classes_of_its_balanced_split(tmp_path: Path) -> None:
    images, labels = write_mnist(tmp_path, "EMNIST", "emnist-balanced-train", 94, 47)
    source = read(settings("emnist", tmp_path))
    np.testing.assert_array_equal(source.images[..., 0], images.transpose(0, 2, 1))
    assert source.labels.tolist() == labels
    assert "".join(source.class_names) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
    assert source.class_names == tuple(torchvision.datasets.EMNIST.classes_split_dict["balanced"])


def test_files_that_nobody_unpacked_are_read_too(tmp_path: Path) -> None:
    images, labels = write_mnist(tmp_path)
    for path in list((tmp_path / "MNIST" / "raw").iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    source = read(settings("mnist", tmp_path))
    np.testing.assert_array_equal(source.images[..., 0], images)
    assert source.labels.tolist() == labels
    cut = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"
    cut.write_bytes(cut.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"must be a whole \.gz file, but got .*train-images"):
        read(settings("mnist", tmp_path))


def test_frames_of_one_track_stay_on_one_side_of_the_split(tmp_path: Path) -> None:
    write_gtsrb(tmp_path, tracks=6)
    dataset = settings("gtsrb", tmp_path, validation=18)
    source = read(dataset)
    assert source.class_names == ("speed limit 20 km/h", "speed limit 30 km/h", "stop")
    assert source.groups is not None
    assert np.unique(source.groups, return_counts=True)[1].tolist() == [3] * 18
    data = prepare(dataset)
    assert (data.train_images, data.validation_images) == (36, 18)
    validating = np.load(data.directory / "validation_images.npy")
    groups = {
        source.groups[index]
        for index in range(54)
        if source.images[index].tobytes() in {v.tobytes() for v in validating}
    }
    assert len(groups) == 6, "6 whole tracks"
    alone = settings("gtsrb", tmp_path, validation=7, group_by="(.*)")
    assert prepare(alone).validation_images in (6, 7, 8), "each image a group, which no track of 3 allows"


def test_flowers_validate_with_their_own_split_unless_it_is_passed_over(tmp_path: Path) -> None:
    write_set(tmp_path, "flowers102")
    data = prepare(settings("flowers102", tmp_path))
    assert (data.train_images, data.validation_images, data.class_names[0]) == (12, 12, "pink primrose")
    assert (
        "the images of Flowers102's validation split validate"
        in remarks_on(settings("flowers102", tmp_path))[1]
    )
    fewer = settings("flowers102", tmp_path, validation_files=False, validation=0.25)
    assert (prepare(fewer).train_images, prepare(fewer).validation_images) == (9, 3)


def test_eurosats_test_split_is_a_fifth_of_each_class_and_always_the_same(tmp_path: Path) -> None:
    write_eurosat(tmp_path / "one")
    write_eurosat(tmp_path / "two")
    tests = [read_test(settings("eurosat", tmp_path / which)) for which in ("one", "two")]
    assert np.bincount(tests[0].labels).tolist() == [2, 2, 2]
    np.testing.assert_array_equal(tests[0].images, tests[1].images)
    assert len(read(settings("eurosat", tmp_path / "one")).images) == 24


def test_images_of_one_file_are_made_another_size(tmp_path: Path) -> None:
    write_stl10(tmp_path)
    dataset = settings("stl10", tmp_path, image_size=24)
    assert (dataset.facts.image_shape, dataset.crop_padding) == ((24, 24, 3), 3)
    source = read(dataset)
    assert source.images.shape == (30, 24, 24, 3)
    first = Image.fromarray(read(settings("stl10", tmp_path)).images[0])
    np.testing.assert_array_equal(
        source.images[0], np.asarray(first.resize((24, 24), Image.Resampling.BICUBIC))
    )
    assert prepare(dataset).padding == 3


def test_other_files_are_prepared_anew(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    first = prepare(settings("mnist", tmp_path))
    assert prepare(settings("mnist", tmp_path)).directory == first.directory
    write_mnist(tmp_path, count=70)
    second = prepare(settings("mnist", tmp_path))
    assert (second.train_images, first.train_images) == (60, 50)
    assert second.split_hash != first.split_hash


def cut(path: str) -> Callable[[Path], Any]:
    return lambda root: (root / path).write_bytes((root / path).read_bytes()[:-5])


def changed(path: str, content: bytes) -> Callable[[Path], Any]:
    return lambda root: (root / path).write_bytes(content)


def gone(path: str) -> Callable[[Path], Any]:
    return lambda root: (root / path).unlink()


def emptied(path: str) -> Callable[[Path], Any]:
    return lambda root: [each.unlink() for each in (root / path).iterdir()]


RAW = "MNIST/raw/train-images-idx3-ubyte"
LABELS = "MNIST/raw/train-labels-idx1-ubyte"
TRAINED = "gtsrb/GTSRB/Training"
FRAME = f"{TRAINED}/00000/00000_00000.ppm"
IDX = b"\0\0\x08\x01\0\0\0"  # of one axis, and the first bytes of its length


@pytest.mark.parametrize(
    ("name", "harm", "told"),
    [
        ("mnist", cut(RAW), "must hold 47,056 bytes, as its header says, but got 47,051 ({root}/" + RAW),
        ("mnist", changed(RAW, b""), "must be an idx file of bytes with 3 axes, as train-images-idx3-ubyte is, but got "
         "one that begins with nothing ({root}/" + RAW),
        ("mnist", changed(LABELS, IDX + b"\x3c" + bytes(59) + b"\x0a"),
         "labels must be 0 to 9, but got 10 ({root}/" + LABELS),
        ("mnist", changed(LABELS, IDX + b"\x01\x01"), "must hold equally many, but got 60 images and 1 labels"),
        ("stl10", cut("stl10_binary/train_X.bin"), "must hold 27,648 bytes for each of the 30 labels of train_y.bin, "
         "but got 829,435 bytes ({root}/stl10_binary/train_X.bin)"),
        ("stl10", changed("stl10_binary/train_y.bin", bytes(30)),
         "labels must be 1 to 10, but got 0 ({root}/stl10_binary/train_y.bin)"),
        ("gtsrb", emptied(f"{TRAINED}/00014"),
         "every class must have images (.ppm), but got none in {root}/" + TRAINED),
        ("gtsrb", lambda root: (root / TRAINED / "x").mkdir(), "every class must have images (.ppm), but got none in"),
        ("gtsrb", lambda root: (root / TRAINED / "00014").rename(root / TRAINED / "stop"),
         "folders of classes must be numbers, as 00000, but got {root}/" + TRAINED + "/stop"),
        ("gtsrb", lambda root: (root / FRAME).rename(root / TRAINED / "00000" / "a.ppm"),
         "'([0-9]+/[0-9]+)_' must be found in every file name, but got 1 without: " + TRAINED + "/00000/a.ppm"),
        ("eurosat", lambda root: [shutil.rmtree(root / "eurosat/2750" / each) for each in ("Forest", "River")],
         "must hold one folder a class, at least 2, but got 1 in {root}/eurosat/2750"),
        ("flowers102", gone("flowers-102/jpg/image_00013.jpg"), "every image that {root}/flowers-102/setid.mat names "
         "must be there, but got 1 of 12 that are not: {root}/flowers-102/jpg/image_00013.jpg"),
        ("flowers102", changed("flowers-102/setid.mat", b"no matrix"), "must be a MATLAB file with the variable trnid"),
        ("food101", gone("food-101/images/waffles/1000.jpg"), "every image that {root}/food-101/meta/train.json names "
         "must be there, but got 1 of 8 that are not: {root}/food-101/images/waffles/1000.jpg"),
        ("food101", changed("food-101/meta/train.json", b'["a"]'), "must be a list of images by class, as {{apple_pie"),
    ],
)  # fmt: skip
def test_files_that_are_not_as_they_must_be(
    tmp_path: Path, name: str, harm: Callable[[Path], Any], told: str
) -> None:
    write_set(tmp_path, name)
    harm(tmp_path)
    with pytest.raises(InputError) as error:
        DATASETS[name].presence(place_of(settings(name, tmp_path)))
    assert told.format(root=tmp_path) in str(error.value)
    with pytest.raises(InputError):
        prepare(settings(name, tmp_path))


def test_a_test_split_of_other_classes_is_refused(tmp_path: Path) -> None:
    write_set(tmp_path, "gtsrb")
    table = tmp_path / "gtsrb" / "GT-final_test.csv"
    table.write_text(table.read_text().replace(";14\n", ";17\n"))
    with pytest.raises(
        InputError, match="must hold classes of the training images, but got 'no entry' only there"
    ):
        read_test(settings("gtsrb", tmp_path))
    table.write_text("File;Class\n1;2\n")
    with pytest.raises(InputError, match="a table with the columns Filename and ClassId"):
        read_test(settings("gtsrb", tmp_path))


def test_what_is_absent_would_be_downloaded_and_a_look_writes_nothing(tmp_path: Path) -> None:
    for name in SETS:
        told = check_presence(DatasetSettings(name=name, root=str(tmp_path)))
        assert told.startswith(f"{name}: not in {tmp_path} yet; the search downloads "), told
        assert remarks_on(DatasetSettings(name=name, root=str(tmp_path))) == []
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_is_told_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(torchvision.datasets, "MNIST", stand_in(asked, write_mnist))
    dataset = settings("mnist", tmp_path, validation=59_991)
    for look in (check_presence, prepare):
        with pytest.raises(InputError, match="must be at most 59990, to leave an image of each class"):
            look(dataset)
    assert asked == []
    write_mnist(tmp_path)  # fewer than there should be: what is there counts
    with pytest.raises(InputError, match="must be at most 50, to leave an image of each class"):
        check_presence(settings("mnist", tmp_path, validation=51))
    assert prepare(settings("mnist", tmp_path, validation=0.5)).validation_images == 30


def stand_in(asked: list[dict[str, Any]], write: Callable[[Path], Any]) -> Callable[..., None]:
    """For torchvision's class: what it downloads."""

    def download(root: Path, **options: Any) -> None:
        asked.append(options)
        write(root)

    return download


def test_torchvisions_class_downloads_what_is_absent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(torchvision.datasets, "GTSRB", stand_in(asked, write_gtsrb))
    dataset = settings("gtsrb", tmp_path / "root")
    first: PreparedData = prepare(dataset)
    assert prepare(dataset).directory == first.directory, "the key is that of the files, not of their absence"
    read_test(dataset)
    assert asked == [{"download": True, "split": "train"}]
    shutil.rmtree(tmp_path / "root" / "gtsrb" / "GTSRB" / "Final_Test")
    read_test(dataset)
    assert asked[1:] == [{"download": True, "split": "test"}]


def test_a_failed_download_says_where_to_place_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(root: Path) -> None:
        raise OSError("no\nnetwork")

    monkeypatch.setattr(torchvision.datasets, "EMNIST", stand_in([], offline))
    with pytest.raises(InputError) as error:
        prepare(settings("emnist", tmp_path))
    start = "EMNIST/raw/emnist-balanced-train"
    assert str(error.value) == (
        f"dataset.root: must hold {start}-images-idx3-ubyte and {start}-labels-idx1-ubyte, but got none in {tmp_path}, "
        "and the download failed (no network); download https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip elsewhere "
        f"and unpack it so that {tmp_path}/{start}-images-idx3-ubyte is there"
    )


@pytest.mark.parametrize(
    ("name", "key", "value", "told"),
    [
        ("mnist", "group_by", "(a)", "can be grouped, but got dataset.name: mnist"),
        (
            "cifar10",
            "background",
            "black",
            "may have transparent parts or are padded, but got dataset.name: cifar10",
        ),
        (
            "gtsrb",
            "validation_files",
            False,
            "only images of folder, parquet, huggingface and flowers102 may lie in",
        ),
        ("food101", "group_by", "column", "must be a regular expression with one group"),
        (
            "mnist",
            "preprocessing",
            "meanstd_cifar10",
            "is for images of 3 colours, but mnist has images of 1",
        ),
    ],
)
def test_keys_that_mean_nothing_to_a_data_set_are_refused(name: str, key: str, value: Any, told: str) -> None:
    with pytest.raises(InputError) as error:
        space_from_mapping({"dataset": {"name": name, key: value}})
    assert told in str(error.value)


def test_digits_letters_and_signs_are_not_mirrored() -> None:
    mirrored = {name for name in SETS if DATASETS[name].facts.augmentation == "flip_crop"}
    assert mirrored == {"stl10", "fashion_mnist", "eurosat", "flowers102", "food101"}
    assert all(DATASETS[name].facts.augmentation == "crop" for name in set(SETS) - mirrored)
