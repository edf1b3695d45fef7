"""Settings to arrays: what is stored, when it is made again, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.image_data import encode, random_images, write_cifar10, write_folder, write_parquet
from wrn_search.datasets.dataset import Place, Source
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.stratified_split import stratified_split
from wrn_search.errors import InputError
from wrn_search.images import cache_keys
from wrn_search.images.augmentation import AUGMENTATIONS, pad_images, stored_with
from wrn_search.images.held_out_test_images import read_test_split
from wrn_search.images.normalisation_and_zca import zca
from wrn_search.images.prepared_data import PreparedData, check_presence, prepare
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings

DIGITS = DatasetSettings(name="digits")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's arrays are prepared."""
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the data sets that were decoded."""
    names: list[str] = []

    def counted(name: str, read: Callable[[Place], Source]) -> Callable[[Place], Source]:
        def reading(place: Place) -> Source:
            names.append(name)
            return read(place)

        return reading

    for name, dataset in DATASETS.items():
        counting = dataclasses.replace(
            dataset, read_training_images=counted(name, dataset.read_training_images)
        )
        monkeypatch.setitem(DATASETS, name, counting)
    return names


def small_folder(root: Path, count: int = 40, size: int = 8) -> DatasetSettings:
    write_folder(root, random_images(count, size, size), [number % 4 for number in range(count)])
    return DatasetSettings(name="folder", root=str(root), validation=12)


def array(data: PreparedData, name: str) -> np.ndarray:
    loaded: np.ndarray = np.load(data.directory / f"{name}.npy", mmap_mode="r")
    return loaded


def test_digits() -> None:
    data = prepare(DIGITS)
    assert (data.num_classes, data.class_names) == (10, tuple("0123456789"))
    assert (data.image_shape, data.padding) == ((8, 8, 1), 1)
    assert (data.train_images, data.validation_images) == (1197, 300)
    # May never move: results of other versions are compared by it.
    assert data.split_hash == "ad20802c80910719"
    source = DATASETS["digits"].read_training_images(place_of(DIGITS))
    split = stratified_split(source.labels, 300)
    train = source.images[split.train]
    np.testing.assert_array_equal(array(data, "train_images"), pad_images(train, AUGMENTATIONS["shift"]))
    np.testing.assert_array_equal(array(data, "validation_images"), source.images[split.validation])
    np.testing.assert_array_equal(array(data, "train_labels"), source.labels[split.train])
    np.testing.assert_array_equal(array(data, "validation_labels"), source.labels[split.validation])
    assert array(data, "train_images").dtype == np.uint8
    np.testing.assert_allclose([data.mean[0], data.std[0]], [train.mean(), train.std()])
    errors = [100 * np.mean(source.labels[split.validation] != label) for label in range(10)]
    assert data.chance_error == pytest.approx(min(errors))


def test_images_that_are_not_trained_on_have_no_part_in_the_statistics(tmp_path: Path) -> None:
    data = prepare(small_folder(tmp_path / "data").model_copy(update={"train_images": 10}))
    train = array(data, "train_images")[:, 1:-1, 1:-1]  # an eighth of 8 pixels around each
    assert len(train) == 10
    np.testing.assert_allclose(data.mean, train.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(data.std, train.std(axis=(0, 1, 2)))


def test_zca_is_stored_whitened_then_padded(tmp_path: Path) -> None:
    settings = small_folder(tmp_path / "data", count=200).model_copy(update={"preprocessing": "zca"})
    data = prepare(settings)
    source = DATASETS["folder"].read_training_images(place_of(settings))
    split = stratified_split(source.labels, 12)
    fitted = zca(source.images[split.train])
    assert array(data, "train_images").dtype == np.float32
    expected = pad_images(fitted.store(source.images[split.train]), stored_with(settings, data.image_shape))
    np.testing.assert_allclose(array(data, "train_images"), expected, atol=1e-5)
    expected = fitted.store(source.images[split.validation])
    np.testing.assert_allclose(array(data, "validation_images"), expected, atol=1e-5)
    assert (data.mean, data.std) == ((0.0,) * 3, (1.0,) * 3)


SECOND_CALL = """
import sys
from wrn_search.datasets.dataset import Place
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.images.prepared_data import check_presence, prepare
prepare(DatasetSettings(name="digits"))
print(check_presence(DatasetSettings(name="digits")))
print([name for name in ("torch", "torchvision", "sklearn", "scipy", "PIL", "pyarrow") if name in sys.modules])
"""


def test_a_second_process_reads_meta_json_alone(cache: Path) -> None:
    data = prepare(DIGITS)
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    answer = subprocess.run([sys.executable, "-c", SECOND_CALL], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == [f"digits: prepared in {data.directory}", "[]"]
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before


def test_other_settings_are_prepared_elsewhere_and_decode_nothing_again(
    tmp_path: Path, decoded: list[str]
) -> None:
    settings = small_folder(tmp_path / "data")
    changes = [
        {},
        {"validation": 16},
        {"train_images": 8},
        {"preprocessing": "zca"},
        {"preprocessing": "divide255"},
        {"augmentation": "shift"},
        {"augmentation": "none"},
    ]
    prepared = [prepare(settings.model_copy(update=change)) for change in changes]
    assert len({data.directory for data in prepared}) == len(changes)
    assert len({data.split_hash for data in prepared}) == 3
    assert decoded == ["folder"]


def test_changed_files_are_prepared_again(tmp_path: Path, decoded: list[str]) -> None:
    settings = small_folder(tmp_path / "data")
    first = prepare(settings)
    (tmp_path / "data" / "train" / "class_0" / "more.png").write_bytes(encode(random_images(1)[0]))
    second = prepare(settings)
    assert second.train_images == first.train_images + 1
    os.utime(tmp_path / "data" / "train" / "class_0" / "more.png", (1, 1))
    third = prepare(settings)
    assert len({data.directory for data in (first, second, third)}) == 3
    assert len(decoded) == 3


def test_the_same_files_elsewhere_are_other_files(tmp_path: Path) -> None:
    first, second = small_folder(tmp_path / "a"), small_folder(tmp_path / "b")
    for path in (tmp_path / "a").rglob("*.png"):
        os.utime(path, (1, 1))
        os.utime(tmp_path / "b" / path.relative_to(tmp_path / "a"), (1, 1))
    assert prepare(first).directory != prepare(second).directory


@pytest.mark.parametrize("which", ["digits-source-*", "digits-[!s]*"])
def test_a_damaged_folder_is_made_again(cache: Path, which: str) -> None:
    data = prepare(DIGITS)
    whole = (data.directory / "train_images.npy").read_bytes()
    (damaged,) = (cache / "prepared").glob(which)
    largest = max(damaged.glob("*.npy"), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[2000:3000] = bytes(1000)
    largest.write_bytes(content)
    # Another split needs the source; the first one needs itself.
    assert prepare(DIGITS.model_copy(update={"validation": 200})).validation_images == 200
    assert prepare(DIGITS) == data
    assert (data.directory / "train_images.npy").read_bytes() == whole


def test_threads_that_start_at_once_prepare_once(decoded: list[str]) -> None:
    def prepare_at_once(_: int) -> tuple[PreparedData, int]:
        barrier.wait()
        data = prepare(DIGITS)
        return data, (data.directory / "meta.json").stat().st_mtime_ns

    barrier = threading.Barrier(6)
    with ThreadPoolExecutor(6) as pool:
        prepared = set(pool.map(prepare_at_once, range(6)))
    assert len(prepared) == 1
    assert decoded == ["digits"]


PREPARE = """
import sys
from wrn_search.datasets.dataset import Place
from wrn_search.space.data_folders import place_of
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.images.prepared_data import prepare
data = prepare(DatasetSettings(name="folder", root=sys.argv[1], validation=12))
print(data, (data.directory / "meta.json").stat().st_mtime_ns)
"""


def test_processes_that_start_at_once_prepare_once(tmp_path: Path, cache: Path) -> None:
    small_folder(tmp_path / "data", count=400)
    command = [sys.executable, "-c", PREPARE, str(tmp_path / "data")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {process.communicate(timeout=240)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(answers) == 1  # the same file, not one like it
    folders = [path for path in (cache / "prepared").iterdir() if path.is_dir()]
    assert len(folders) == 2  # decoded, and prepared


def test_another_prepared_format_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(DIGITS)
    monkeypatch.setattr(cache_keys, "FORMAT", cache_keys.FORMAT + 1)
    assert prepare(DIGITS).directory != first.directory


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "file"))
    with pytest.raises(InputError) as error:
        prepare(DIGITS)
    assert str(error.value).startswith(
        f"WRN_SEARCH_DATA: must be a folder with room for the prepared images, but got {tmp_path / 'file'}: "
    )


def test_what_is_refused_leaves_no_prepared_folder(tmp_path: Path, cache: Path) -> None:
    settings = small_folder(tmp_path / "data").model_copy(update={"validation": 37})
    with pytest.raises(InputError, match="must be at most 36, to leave an image of each class"):
        prepare(settings)
    assert [path.name for path in (cache / "prepared").iterdir() if path.is_dir()] == []  # nor is one decoded
    assert prepare(settings.model_copy(update={"validation": 36})).train_images == 4


@pytest.mark.parametrize(
    ("size", "change", "message"),
    [
        (4, {"crop_padding": 4}, "dataset.augmentation: flip_crop reflects 4 pixels and needs images of at least 5x5, "
         "but got 4x4"),
        (33, {"preprocessing": "zca"}, "dataset.preprocessing: zca needs images of 32x32 or smaller, but got 33x33"),
    ],
)  # fmt: skip
def test_images_of_an_unfit_size(
    tmp_path: Path, size: int, change: dict[str, str | int], message: str
) -> None:
    settings = small_folder(tmp_path / "data", size=size)
    with pytest.raises(InputError) as error:
        prepare(settings.model_copy(update=change))
    assert str(error.value) == message
    fitting = {"augmentation": "shift", "preprocessing": "meanstd"}
    assert prepare(settings.model_copy(update=fitting)).image_shape == (size, size, 3)


@pytest.mark.parametrize("look", [prepare, check_presence])
@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (DatasetSettings(name="cifar10", validation=49_991), "dataset.validation"),
        (DatasetSettings(name="svhn", train_images=599_389), "dataset.train_images"),
        (DatasetSettings(name="svhn", extra=False, train_images=68_258), "dataset.train_images"),
        (DatasetSettings(name="svhn", validation=73_248), "dataset.validation"),
        (DatasetSettings(name="digits", validation=1488), "dataset.validation"),
    ],
)
def test_what_is_known_is_checked_before_anything_is_downloaded(
    look: Callable[[DatasetSettings], object], settings: DatasetSettings, key: str, decoded: list[str]
) -> None:
    with pytest.raises(InputError) as error:
        look(settings)
    assert [problem.key for problem in error.value.problems] == [key]
    assert decoded == []


def test_a_training_file_that_is_no_plain_file(tmp_path: Path) -> None:
    settings = small_folder(tmp_path / "data")
    os.mkfifo(tmp_path / "data" / "train" / "class_1" / "pipe.png")  # whoever reads it waits for ever
    with pytest.raises(InputError, match=r"must be plain files, but got .*class_1/pipe\.png"):
        prepare(settings)


@pytest.mark.parametrize("look", [prepare, check_presence])
def test_a_training_file_that_cannot_be_read(
    tmp_path: Path, look: Callable[[DatasetSettings], object]
) -> None:
    settings = small_folder(tmp_path / "data")
    (tmp_path / "data" / "train" / "class_1" / "broken.png").symlink_to(tmp_path / "absent")
    with pytest.raises(InputError, match=r"dataset\.root: training files must be readable, .*broken\.png"):
        look(settings)


def test_presence_of_each_kind_writes_nothing(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import CIFAR10

    assert check_presence(DIGITS) == "digits: ships with scikit-learn"
    absent = DatasetSettings(name="cifar10")
    assert check_presence(absent).startswith(
        f"cifar10: not in {cache} yet; the search downloads 170 MB from https://"
    )
    for name, value in write_cifar10(tmp_path / "cifar").items():
        monkeypatch.setattr(CIFAR10, name, value)
    present = DatasetSettings(name="cifar10", root=str(tmp_path / "cifar"))
    assert check_presence(present) == f"cifar10: found in {tmp_path / 'cifar'}"
    settings = small_folder(tmp_path / "data")
    assert (
        check_presence(settings) == f"folder: found 40 images of 4 classes in {tmp_path / 'data' / 'train'}"
    )
    path = write_parquet(
        tmp_path / "train.parquet", [encode(image) for image in random_images(4)], [0, 1, 0, 1]
    )
    settings = DatasetSettings(name="parquet", root=str(tmp_path), validation=2)
    assert check_presence(settings) == f"parquet: found 4 images of 2 classes in {path}"
    assert not cache.exists()


@pytest.mark.parametrize("name", ["folder", "parquet"])
def test_presence_of_nothing_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"dataset\.root: must be a folder that holds train"):
        check_presence(DatasetSettings(name=name, root=str(tmp_path / "absent")))


def test_presence_checks_the_sizes_it_can_count(tmp_path: Path) -> None:
    settings = small_folder(tmp_path / "data")
    with pytest.raises(InputError, match="must be at most 36"):
        check_presence(settings.model_copy(update={"validation": 37}))


def test_meta_json_is_all_of_prepared_data() -> None:
    data = prepare(DIGITS)
    meta = json.loads((data.directory / "meta.json").read_text())
    # `files` is of images that are not decoded here
    assert set(meta["facts"]) | {"directory", "files"} == set(PreparedData.__dataclass_fields__)
    assert prepare(DIGITS) == data
    assert hash(data) == hash(prepare(DIGITS))


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (np.zeros((8, 8, 3), np.uint8), "0, 0, 0 in every pixel of all 40 (is what they show in the same"),
        (np.full((8, 8, 3), 255, np.uint8), "255, 255, 255 in every pixel of all 40 (transparent parts are"),
        (random_images(1)[0], "40 times the same image"),
    ],
)
def test_images_without_any_variation_are_refused(tmp_path: Path, image: np.ndarray, got: str) -> None:
    write_folder(tmp_path / "data", np.repeat(image[None], 40, axis=0), [number % 4 for number in range(40)])
    with pytest.raises(InputError) as error:
        prepare(DatasetSettings(name="folder", root=str(tmp_path / "data"), validation=12))
    assert str(error.value).startswith(f"dataset.root: training images must differ, but got {got}")


def test_copies_are_told_those_in_another_class_and_those_on_both_sides_of_the_split(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", random_images(40), [number % 2 for number in range(40)])
    train = root / "train"
    for name in ("000.png", "002.png"):
        (train / "class_0" / f"copy_of_{name}").write_bytes((train / "class_0" / name).read_bytes())
    (train / "class_1" / "other.png").write_bytes((train / "class_0" / "004.png").read_bytes())
    settings = DatasetSettings(name="folder", root=str(root), validation=21)
    data = prepare(settings)
    stored = [array(data, f"{part}_images") for part in ("train", "validation")]
    trained = {image[1:-1, 1:-1].tobytes() for image in stored[0]}
    both = sum(image.tobytes() in trained for image in stored[1])
    assert both, "the split must separate a copy from its image, or the test tells nothing"
    assert data.warnings == (
        "3 images of 43 are there before, pixel for pixel: train/class_0/copy_of_000.png shows what "
        "train/class_0/000.png shows",
        "1 image is there before in another class, pixel for pixel: train/class_1/other.png shows what "
        "train/class_0/004.png shows",
        f"{both} of 21 validation images are also trained on, pixel for pixel: validation errors will be too low",
    )
    assert prepare(settings).warnings == data.warnings, "of the second call, from meta.json"


def test_images_that_differ_are_no_copies(tmp_path: Path) -> None:
    assert prepare(small_folder(tmp_path / "data")).warnings == ()


def test_a_class_without_validation_image_is_told(tmp_path: Path) -> None:
    labels = [0] * 38 + [1, 2]
    root = write_folder(tmp_path / "data", random_images(40), labels)
    data = prepare(DatasetSettings(name="folder", root=str(root), validation=9))
    assert set(array(data, "validation_labels")) == {0}
    (line,) = data.warnings
    assert line.startswith("no validation image of 'class_1', 'class_2': validation errors say nothing of it")


def test_the_hash_of_the_split_covers_the_pixels_of_images_that_can_change(tmp_path: Path) -> None:
    settings = small_folder(tmp_path / "data")
    first = prepare(settings)
    paths = sorted((tmp_path / "data").rglob("*.png"))
    for path in paths:
        os.utime(path, (1, 1))
    assert prepare(settings).split_hash == first.split_hash, "touched is not changed"
    shutil.copytree(tmp_path / "data", tmp_path / "moved")
    moved = settings.model_copy(update={"root": str(tmp_path / "moved")})
    assert prepare(moved).split_hash == first.split_hash
    before = paths[7].read_bytes()
    paths[7].write_bytes(encode(random_images(1)[0][::-1].copy()))
    other = prepare(settings)
    assert other.split_hash != first.split_hash
    labels, _, pixels = first.split_hash.partition("-")
    assert len(labels) == len(pixels) == 16
    assert other.has_split(labels), "a record of before pixels were hashed"
    assert not other.has_split(first.split_hash)
    paths[7].write_bytes(before)
    assert prepare(settings).has_split(first.split_hash)


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_the_background_of_transparent_images_is_prepared_apart_and_holds_for_test_images(
    tmp_path: Path, kind: str
) -> None:
    """White drawings on a transparent ground: nothing over white, all of it over black."""
    drawn = np.full((24, 8, 8, 4), 255, np.uint8)
    drawn[..., 3] = random_images(24, 8, 8, channels=1)[..., 0]
    labels = [number % 2 for number in range(24)]
    root = tmp_path / "data"
    if kind == "folder":
        for split in ("train", "test"):
            write_folder(root, drawn, labels, split)
    else:
        for split in ("train", "test"):
            root.mkdir(exist_ok=True)
            write_parquet(root / f"{split}.parquet", [encode(image) for image in drawn], labels)
    over_white = DatasetSettings(name=kind, root=str(root), validation=8)
    with pytest.raises(InputError, match=r"transparent parts are laid on dataset\.background"):
        prepare(over_white)
    over_black = over_white.model_copy(update={"background": "black"})
    data = prepare(over_black)
    assert data.image_shape == (8, 8, 3)
    read = DATASETS[kind].read_training_images(place_of(over_black)).images
    np.testing.assert_array_equal(np.sort(read[..., 0], axis=None), np.sort(drawn[..., 3], axis=None))
    np.testing.assert_array_equal(
        np.sort(read_test_split(over_black, data).images, axis=None), np.sort(read, axis=None)
    )
    other = over_white.model_copy(update={"background": "#000080"})
    assert prepare(other).directory != data.directory
    assert prepare(other).split_hash != data.split_hash
