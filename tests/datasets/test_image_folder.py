"""root/train/<class>/: what is read, in which order, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.image_data import encode, random_images, write_folder
from wrn_search.datasets.dataset import Place
from wrn_search.datasets.image_folder import FOLDER, presence, remarks, training_files, training_images
from wrn_search.errors import InputError


def test_labels_count_the_sorted_class_names_and_files_are_sorted(tmp_path: Path) -> None:
    images = random_images(7)
    write_folder(tmp_path, images, [2, 0, 1, 0, 2, 2, 1])
    source = training_images(Place(tmp_path))
    assert source.class_names == ("class_0", "class_1", "class_2")
    assert source.labels.tolist() == [0, 0, 1, 1, 2, 2, 2]
    np.testing.assert_array_equal(source.images, images[[1, 3, 2, 6, 0, 4, 5]])


def test_files_below_a_class_belong_to_it_and_others_are_passed_over(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(2), [0, 1])
    train = tmp_path / "train"
    (train / "class_1" / "more" / "deep").mkdir(parents=True)
    (train / "class_1" / "more" / "deep" / "X.PNG").write_bytes(encode(random_images(1)[0]))
    (train / "class_1" / "._000.png").write_bytes(b"another program's")
    (train / "class_1" / "list.txt").write_text("x")
    (train / "class_1" / ".cache").mkdir()
    (train / "class_1" / ".cache" / "y.png").write_bytes(b"another program's")
    (train / ".ipynb_checkpoints").mkdir()
    (train / "readme.md").write_text("x")
    assert training_images(Place(tmp_path)).labels.tolist() == [0, 1, 1]
    names = [path.relative_to(train).as_posix() for path in training_files(Place(tmp_path))]
    assert names == ["class_0/000.png", "class_1/001.png", "class_1/more/deep/X.PNG"]


def test_presence_counts_and_decodes_the_first_image_alone(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(3), [0, 1, 1])
    (tmp_path / "train" / "class_1" / "001.png").write_bytes(b"no image")
    looked = presence(Place(tmp_path))
    assert looked.text == f"found 3 images of 2 classes in {tmp_path / 'train'}"
    assert (looked.images, looked.classes) == (3, 2)


@pytest.mark.parametrize("first", [True, False])
def test_a_look_waits_for_no_pipe(first: bool, tmp_path: Path) -> None:
    """Which nobody writes to: as the first image it is refused, behind a grey one it has no colours."""
    write_folder(tmp_path, random_images(3, channels=1), [0, 1, 1])
    os.mkfifo(tmp_path / "train" / "class_0" / ("0.png" if first else "1.png"))
    if first:
        with pytest.raises(InputError, match=r"must be plain files, but got train/class_0/0\.png"):
            presence(Place(tmp_path))
    else:
        assert presence(Place(tmp_path)).image_shape == (8, 8, 1)


def test_one_image_with_colours_gives_all_three_channels(tmp_path: Path) -> None:
    """As `training_images` decodes them; the look opens headers alone."""
    write_folder(tmp_path, random_images(3, channels=1), [0, 1, 1])
    (tmp_path / "train" / "class_1" / "9.png").write_bytes(encode(random_images(1)[0]))
    looked, read = presence(Place(tmp_path)), training_images(Place(tmp_path))
    assert looked.image_shape == read.images.shape[1:] == (8, 8, 3)


def test_a_folder_that_is_not_there_says_what_was_looked_for_and_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        training_images(Place(tmp_path))
    train = tmp_path / "train"
    assert str(error.value) == (
        f"dataset.root: must be a folder that holds train/<class>/, but got no {train}; "
        f"put the training images into {train}/<class>/, as .png, .jpg, ..."
    )


def test_every_empty_class_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(2), [0, 1])
    (tmp_path / "train" / "cat").mkdir()
    (tmp_path / "train" / "dog").mkdir()
    (tmp_path / "train" / "dog" / "x.txt").write_text("x")
    with pytest.raises(InputError) as error:
        training_images(Place(tmp_path))
    assert [problem.text.rpartition(" ")[2] for problem in error.value.problems] == [
        str(tmp_path / "train" / "cat"),
        str(tmp_path / "train" / "dog"),
    ]


def test_images_outside_of_classes_are_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "x.png").write_bytes(encode(random_images(1)[0]))
    with pytest.raises(InputError, match=r"one folder a class, at least 2, but got 0 in"):
        training_images(Place(tmp_path))


def test_a_bad_image_is_named_by_its_path(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(4), [0, 1, 0, 1])
    (tmp_path / "train" / "class_1" / "003.png").write_bytes(encode(random_images(1, 6, 6)[0]))
    with pytest.raises(InputError, match=r"but got 8x8 and 6x6 \(train/class_1/003\.png\)"):
        training_images(Place(tmp_path))


def test_each_real_folder_is_read_once(tmp_path: Path) -> None:
    """Links that close a loop, lead to another class or to the root; those to elsewhere are followed."""
    root = write_folder(tmp_path / "data", random_images(4), [0, 1, 0, 1])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.png").write_bytes(encode(random_images(1)[0]))
    train = root / "train"
    for name, target in (
        ("again", "../class_0"),
        ("first", "../class_1"),
        ("up", ".."),
        ("root", "../.."),
        ("there", "../../../elsewhere"),
    ):
        (train / "class_0" / name).symlink_to(target)
    (train / "class_0" / "z").mkdir()
    (train / "class_0" / "z" / "loop").symlink_to(".")
    names = [path.relative_to(train).as_posix() for path in training_files(Place(root))]
    assert names == [
        "class_0/000.png",
        "class_0/002.png",
        "class_0/there/x.png",
        "class_1/001.png",
        "class_1/003.png",
    ]
    (line,) = remarks(Place(root))
    assert line.startswith("5 links passed over, to folders that are read already: ")
    assert f"{train / 'class_0' / 'again'}" in line


def test_the_links_of_test_images_are_read_once_too(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(4), [0, 1, 0, 1], "test")
    (tmp_path / "test" / "class_0" / "again").symlink_to("../class_1")
    test = FOLDER.read_test_images(Place(tmp_path), ("class_0", "class_1"))
    assert test.labels.tolist() == [0, 0, 1, 1]


def test_two_classes_of_one_folder_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(2), [0, 1])
    (tmp_path / "train" / "class_2").symlink_to("class_0")
    with pytest.raises(
        InputError, match="different folders, but got 'class_0' and 'class_2', which are one folder"
    ):
        training_images(Place(tmp_path))


def test_every_ignored_file_is_counted(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(3), [0, 1, 1])
    train = tmp_path / "train"
    (train / "class_1" / "002.png").rename(train / "class_1" / "002.JFIF")
    for path in ("labels.csv", "class_0/a.heic", "class_0/deep/b.HEIC", "class_1/README", "class_1/.hidden"):
        (train / path).parent.mkdir(exist_ok=True)
        (train / path).write_bytes(b"x")
    assert presence(Place(tmp_path)).images == 3
    (line,) = remarks(Place(tmp_path))
    assert line.startswith(f"4 files in {train} ignored (2 .heic, 1 .csv, 1 no suffix): only .png, ")


@pytest.mark.parametrize(
    ("made", "root", "hint"),
    [
        ("Train", ".", "there is ROOT/Train: rename it to train"),
        ("training", ".", "there is ROOT/training: rename it to train"),
        ("flowers/train", ".", "there is ROOT/flowers/train: set dataset.root to ROOT/flowers"),
        (
            "a/b/Training",
            ".",
            "there is ROOT/a/b/Training: set dataset.root to ROOT/a/b and rename Training to train",
        ),
        ("train", "train", "the folders of the classes are in ROOT/train itself: set dataset.root to ROOT"),
        (
            ".",
            ".",
            "ROOT holds folders of images itself (class_0, class_1, ...): move the classes to ROOT/train",
        ),
        (
            "images",
            ".",
            "ROOT/images holds folders of images (class_0, class_1, ...): rename it to ROOT/train",
        ),
    ],
)
def test_the_nearest_layout_is_named(tmp_path: Path, made: str, root: str, hint: str) -> None:
    write_folder(tmp_path / made, random_images(2), [0, 1], split=".")
    with pytest.raises(InputError) as error:
        training_images(Place(tmp_path / root))
    assert str(error.value).replace(str(tmp_path), "ROOT").endswith(hint)


def test_classes_a_folder_too_deep_are_named(tmp_path: Path) -> None:
    write_folder(tmp_path / "train" / "flowers", random_images(2), [0, 1], split=".")
    with pytest.raises(InputError) as error:
        training_images(Place(tmp_path))
    train = tmp_path / "train"
    assert str(error.value).endswith(
        f"the folders in {train / 'flowers'} look like classes: move them to {train}"
    )


@pytest.mark.parametrize("name", ["val", "Validation", "valid", "dev"])
def test_a_folder_of_validation_images_is_read_behind_the_others(tmp_path: Path, name: str) -> None:
    images = random_images(9)
    write_folder(tmp_path, images[:6], [0, 1, 2] * 2)
    write_folder(tmp_path, images[6:], [2, 1, 2], split=name)
    source = training_images(Place(tmp_path))
    assert source.labels.tolist() == [0, 0, 1, 1, 2, 2, 1, 2, 2]
    assert source.validation is not None
    assert source.validation.tolist() == [6, 7, 8]
    np.testing.assert_array_equal(source.images[6:], images[[7, 6, 8]])
    assert source.name_of(6) == f"{name}/class_1/001.png"
    looked = presence(Place(tmp_path))
    assert (looked.images, looked.validation_images) == (6, 3)
    assert looked.text.endswith(f", 3 that validate in {tmp_path / name}")
    assert [path.parts[-3] for path in training_files(Place(tmp_path))] == ["train"] * 6 + [name] * 3
    (line,) = remarks(Place(tmp_path))
    assert (
        line == f"the images of {tmp_path / name} validate: dataset.validation holds none of the others out"
    )
    without = Place(tmp_path, validation_files=False)
    assert (training_images(without).validation, remarks(without)) == (None, [])
    assert presence(without).validation_images is None


@pytest.mark.parametrize(
    ("labels", "folders", "message"),
    [
        ([0, 3], ["val"], r"must hold classes of the training images, but got 'class_3' only there"),
        ([0, 1], ["val", "dev"], r"one folder of validation images .* but got .*dev and .*val"),
    ],
)
def test_validation_folders_that_do_not_fit(
    tmp_path: Path, labels: list[int], folders: list[str], message: str
) -> None:
    write_folder(tmp_path, random_images(4), [0, 1, 0, 1])
    for name in folders:
        write_folder(tmp_path, random_images(2), labels, split=name)
    with pytest.raises(InputError, match=message):
        presence(Place(tmp_path))


def patients(root: Path) -> Path:
    """Four patients, two images each; a folder a scene."""
    for number, pixels in enumerate(random_images(8)):
        path = (
            root / "train" / f"class_{number % 2}" / f"scene_{number // 4}" / f"p{number // 2}_{number}.png"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(pixels))
    return root


@pytest.mark.parametrize(
    ("pattern", "groups"), [("^p([0-9])_", [0, 1, 2, 3] * 2), ("(scene_.)/", [0, 0, 1, 1] * 2)]
)
def test_groups_are_found_in_names_and_in_paths(tmp_path: Path, pattern: str, groups: list[int]) -> None:
    source = training_images(Place(patients(tmp_path), group_by=pattern))
    assert source.groups is not None
    assert source.groups.tolist() == groups


def test_names_without_a_group_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        presence(Place(patients(tmp_path), group_by="^(p[01])_"))
    assert str(error.value).startswith(
        "dataset.group_by: '^(p[01])_' must be found in every file name, but got 4 without: train/class_0/scene_1/"
    )
