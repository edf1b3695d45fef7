"""The layout of ImageNet: what is found, what is half there and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.imagenet.imagenet_data import WNIDS, write_imagenet
from wrn_search.datasets.dataset import Place
from wrn_search.datasets.image_fit import ImageFit
from wrn_search.datasets.imagenet import imagenet_folder
from wrn_search.datasets.imagenet.imagenet_folder import IMAGENET
from wrn_search.errors import InputError


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_imagenet(tmp_path_factory.mktemp("imagenet"), train_each=4, val_each=2)


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "imagenet"))


def test_training_images_are_those_of_train_and_test_images_those_of_val(written: Path) -> None:
    assert IMAGENET.streamed is not None
    place = Place(written, fit=ImageFit(16, "centre"))
    listed = IMAGENET.streamed.list_training_images(place)
    assert listed.class_names == WNIDS
    assert listed.files[:2] == (f"train/{WNIDS[0]}/{WNIDS[0]}_0.JPEG", f"train/{WNIDS[0]}/{WNIDS[0]}_1.JPEG")
    assert listed.labels.tolist() == [label for label in range(4) for _ in range(4)]
    tested = IMAGENET.streamed.list_test_images(place, WNIDS)
    assert {name.partition("/")[0] for name in tested.files} == {"val"}
    assert tested.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    seen = IMAGENET.presence(place)
    assert (seen.images, seen.classes, seen.image_shape) == (16, 4, (16, 16, 1))
    assert seen.validation_images is None
    some = IMAGENET.streamed.some_training_files(place, 2)
    assert [path.parent.name for path in some] == list(WNIDS[:2])


def test_those_with_the_memory_can_have_all_of_them_decoded(written: Path) -> None:
    place = Place(written, fit=ImageFit(16, "centre"))
    source = IMAGENET.read_training_images(place)
    assert (source.images.shape, source.validation) == ((16, 16, 16, 3), None)
    assert IMAGENET.read_test_images(place, WNIDS).images.shape == (8, 16, 16, 3)


def without(*parts: str) -> Callable[[Path], object]:
    return lambda root: shutil.rmtree(root.joinpath(*parts))


def archive_left(root: Path) -> None:
    (root / "train" / "n01494475.tar").write_bytes(b"x")


def flat_val(root: Path) -> None:
    for path in list((root / "val").rglob("*.JPEG")):
        path.rename(root / "val" / path.name)
    for folder in [entry for entry in (root / "val").iterdir() if entry.is_dir()]:
        folder.rmdir()


def emptied(*parts: str) -> Callable[[Path], object]:
    return lambda root: [path.unlink() for path in root.joinpath(*parts).iterdir()]


def from_kaggle(root: Path) -> None:
    (root / "ILSVRC" / "Data" / "CLS-LOC").mkdir(parents=True)
    (root / "train").rename(root / "ILSVRC" / "Data" / "CLS-LOC" / "train")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (
            without("train"),
            r"must be a folder that holds train/<class>/, but got no .*/train; .*val holds folders",
        ),
        (
            without(),
            r"must be a folder that holds train/<class>/, but got no .*/train; put the training images into",
        ),
        (from_kaggle, r"there is .*/CLS-LOC/train: set dataset.root to .*/CLS-LOC$"),
        (
            emptied("train", WNIDS[1]),
            rf"every class must have training images \(.*\), but got none in .*{WNIDS[1]}$",
        ),
        (
            archive_left,
            r"archives of classes in .*/train must be unpacked, each into a folder of its name, but got 1 that are "
            r"not: n01494475\.tar$",
        ),
        (
            lambda root: [shutil.rmtree(root / "train" / wnid) for wnid in WNIDS[1:]],
            r"must hold one folder a class, at least 2, but got 1 in ",
        ),
    ],
)
def test_training_images_that_are_half_there_are_refused(
    harm: Callable[[Path], object], told: str, root: Path
) -> None:
    harm(root)
    for look in (IMAGENET.presence, imagenet_folder.listed_training_images, IMAGENET.remarks):
        with pytest.raises(InputError, match=told):
            look(Place(root))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (without("val"), r"must be a folder that holds val/<class>/, to be tested on, but got no .*/val$"),
        (
            lambda root: (root / "val").rename(root / "test"),
            r"but got no .*/val; there is .*/test: rename it to val if its images have classes$",
        ),
        (
            flat_val,
            r"the images of .*/val must lie in a folder a class, but got 8 files in none: move each into .*/<class>/",
        ),
        (without("val", WNIDS[2]), rf"must hold the classes of .*/train, but got '{WNIDS[2]}' not there$"),
        (without("train", WNIDS[2]), rf"must hold the classes of .*/train, but got '{WNIDS[2]}' only there$"),
        (emptied("val", WNIDS[0]), rf"every class must have test images, but got none in .*/val/{WNIDS[0]}$"),
    ],
)
def test_test_images_that_are_half_there_are_refused(
    harm: Callable[[Path], object], told: str, root: Path
) -> None:
    harm(root)
    names = (
        IMAGENET.presence(Place(root)).classes
        and imagenet_folder.listed_training_images(Place(root)).class_names
    )
    assert names
    with pytest.raises(InputError, match=told):
        IMAGENET.check_test_images(Place(root), names)


def test_what_may_be_amiss_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert IMAGENET.remarks(Place(root)) == []
    monkeypatch.setattr(imagenet_folder, "_ILSVRC_CLASSES", 4)
    shutil.rmtree(root / "val")
    (root / "train" / "notes.txt").write_text("x")
    ignored, half, no_val = IMAGENET.remarks(Place(root))
    assert ignored.startswith("1 file in ")
    assert half.endswith("/train, where ILSVRC 2012 has 1,281,167: is it half copied?")
    assert half.startswith("16 images of 4 classes in ")
    assert no_val.endswith("/val: a search needs none, `confirm` and protocol: test_each test on it")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (cut, r"1 of 16 that are not: OSError: .*truncated.* \(.*_0\.JPEG\)"),
        (lambda path: path.write_bytes(b""), r"1 of 16 that are not: .*_0\.JPEG is empty"),
        (
            lambda path: path.write_bytes(b"<html>404</html>"),
            r"1 of 16 that are not: an unknown format \(.*_0\.JPEG\)",
        ),
    ],
)
def test_files_that_are_cut_short_are_refused_before_any_training(
    harm: Callable[[Path], object], told: str, root: Path
) -> None:
    harm(root / "train" / WNIDS[0] / f"{WNIDS[0]}_0.JPEG")
    rule = "every file must be a whole image: copy those that are not again, or remove them, but got "
    with pytest.raises(InputError, match=rule + told):
        imagenet_folder.listed_training_images(Place(root))


def test_a_jpeg_with_bytes_behind_its_end_and_other_formats_are_whole(root: Path) -> None:
    """Some of ImageNet's are so, and one of them is a PNG by another name."""
    from PIL import Image

    first, second = (root / "train" / WNIDS[0] / f"{WNIDS[0]}_{number}.JPEG" for number in (0, 1))
    first.write_bytes(first.read_bytes() + b"\0" * 500)
    Image.open(second).save(second, "PNG")
    assert len(imagenet_folder.listed_training_images(Place(root)).files) == 16
