"""`data`: what it says of folders and Parquet files, what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.commands import modules_of
from tests.datasets.image_data import encode, random_images, write_folder, write_parquet
from tests.prepared_data_folder import prepared_data_folder  # noqa: F401  # a fixture for every test here
from wrn_search.__main__ import main
from wrn_search.images.prepared_data import prepare
from wrn_search.space.space_file import read_space


def saw(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert main(["data", *map(str, arguments), "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """30 + 10 images of three classes; six of the training split are odd, two of the test split known."""
    root = tmp_path / "flowers"
    images = random_images(30, 20, 24)
    images[21] = images[0]  # the same class, 0
    images[29] = images[1]  # class 2, not 1
    write_folder(root, images, [number % 3 for number in range(30)])
    write_folder(
        root, np.concatenate([images[3:5], random_images(8, 24, 20).swapaxes(1, 2)]), [0, 0] + [1] * 8, "test"
    )
    train = root / "train"
    (train / "class_0" / "003.png").write_bytes(encode(random_images(1, 20, 24)[0])[:200])
    (train / "class_1" / "010.png").write_text("no image")
    (train / "class_2" / "tall.png").write_bytes(encode(random_images(1, 40, 24)[0]))
    (train / "class_2" / "grey.png").write_bytes(encode(random_images(1, 20, 24, 1)[0]))
    (train / "class_2" / "notes.txt").write_text("x")
    (root / "labels.csv").write_text("x")
    return root


def test_a_folder_is_counted(flowers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = saw(capsys, flowers)
    train, test = found["splits"]["train"], found["splits"]["test"]
    assert (found["kind"], found["root"]) == ("folder", str(flowers))
    assert (train["images"], test["images"]) == (32, 10)
    assert train["classes"] == {"class_0": 9, "class_1": 9, "class_2": 12}, "a broken image is of no class"
    assert train["chance_error"] == 100 * (1 - 12 / 30)
    assert train["modes"] == {"RGB": 29, "L": 1}
    assert train["sizes"]["most_frequent"] == [
        {"height": 20, "width": 24, "images": 29},
        {"height": 40, "width": 24, "images": 1},
    ]
    assert train["sizes"]["aspect"] == {"min": 0.6, "median": 1.2, "max": 1.2}
    assert train["bytes"] == sum(path.stat().st_size for path in (flowers / "train").rglob("*.png"))


def test_images_that_a_search_would_refuse_are_named(
    flowers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {each["name"]: each["reason"] for each in saw(capsys, flowers)["splits"]["train"]["refused"]}
    assert refused.keys() == {"train/class_0/003.png", "train/class_1/010.png"}
    assert refused["train/class_0/003.png"].startswith("every image must be readable, but got ")
    assert (
        refused["train/class_1/010.png"] == "every file and row must hold an image, but got an unknown format"
    )


def test_copies_are_told_within_and_between_the_splits(
    flowers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = saw(capsys, flowers)
    assert found["splits"]["train"]["copies"] == {
        "images": 2,
        "same_bytes": 2,
        "other_class": 1,
        "example": ["train/class_2/029.png", "train/class_1/001.png"],
    }
    # image 3 of the training split is cut short; image 4 has class 1 there
    assert found["copies_between_splits"] == [
        {
            "split": "test",
            "of": "train",
            "images": 1,
            "same_bytes": 1,
            "other_class": 1,
            "example": ["test/class_0/001.png", "train/class_1/004.png"],
        }
    ]
    assert found["other_classes"] == [{"split": "test", "only_there": [], "not_there": ["class_2"]}]


def test_the_same_pixels_in_other_files_are_copies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = random_images(6, channels=1)
    write_folder(tmp_path, images, [0, 1] * 3)
    (tmp_path / "train" / "class_0" / "bitmap.bmp").write_bytes(encode(images[0].repeat(3, axis=2), "BMP"))
    copies = saw(capsys, tmp_path)["splits"]["train"]["copies"]
    assert (copies["images"], copies["same_bytes"], copies["other_class"]) == (1, 0, 0)


def test_what_is_passed_over_is_told(flowers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = saw(capsys, flowers)["remarks"]
    assert first.startswith(f"1 file in {flowers / 'train'} ignored (1 .txt): only ")
    assert second == f"not read in {flowers}: labels.csv"


def test_people_are_told_the_same(flowers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", str(flowers)]) == 0
    told = capsys.readouterr().out
    for line in (
        "train       32 images (",
        "  sizes     2 different: 20x24 (29), 40x24 (1); height 20 to 40, width 24 to 24; aspect (width/height) "
        "0.6 to 1.2, median 1.2",
        "  classes   3: class_0 9, class_1 9, class_2 12 (images that can be read)",
        "  balance   1.3 times as many images of class_2 as of class_1; always answering class_2 has an error of ",
        "  refused   2 images: a search stops until they are mended or moved away",
        "            train/class_1/010.png: every file and row must hold an image, but got an unknown format",
        "  copies    2 images are there before, pixel for pixel, 2 of them byte for byte, 1 of them in another class: ",
        "between     1 image of test is also in train, pixel for pixel, ",
        "classes     of test: class_2 not there",
    ):
        assert f"\n{line}" in told, line


def test_a_class_of_broken_images_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(tmp_path, random_images(6), [0, 1, 1, 1, 1, 1])
    (tmp_path / "train" / "class_0" / "000.png").write_text("no image")
    assert main(["data", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "  classes   2: class_0 0, class_1 5 (images that can be read)" in told
    assert "  balance   no image of class_0; always answering class_1 has an error of 0.0 %" in told
    for path in (tmp_path / "train" / "class_1").iterdir():
        path.write_text("no image")
    assert main(["data", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "  classes   2: class_0 0, class_1 0 (images that can be read)" in told
    assert "balance" not in told


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_the_space_file_is_ready(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, images, labels = (
        tmp_path / "it's: my #1",
        random_images(60, 16, 16),
        [number % 4 for number in range(60)],
    )
    if kind == "folder":
        write_folder(root, images, labels)
    else:
        write_parquet(root / "train-00000.parquet", [encode(each) for each in images], labels)
    output = tmp_path / "next.yaml"
    assert main(["data", str(root), "--output", str(output)]) == 0
    assert f"written     {output}" in capsys.readouterr().out
    space = read_space(output)
    assert (space.name, space.dataset.name, space.dataset.root) == ("next", kind, str(root))
    assert main(["check", str(output)]) == 0
    data = prepare(space.dataset)
    assert (data.train_images, data.validation_images, data.image_shape) == (48, 12, (16, 16, 3))


def test_images_of_several_sizes_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(20):
        path = tmp_path / "train" / f"class_{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(random_images(1, 20 + number, 31)[0]))
    output = tmp_path / "x.yaml"
    assert main(["data", str(tmp_path), "--output", str(output)]) == 0
    assert "note        images have several sizes: image_size makes them 28x28, " in capsys.readouterr().out
    dataset = read_space(output).dataset
    assert (dataset.image_size, dataset.image_fit) == (28, "crop")
    data = prepare(dataset)
    assert data.image_shape == (28, 28, 3)
    (told,) = data.warnings
    assert told.startswith("images of 20 sizes (20x31 to 39x31, ")


def test_dark_images_of_16_bits_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        path = tmp_path / "train" / f"class_{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 1000 + number, dtype=np.uint16)).save(path)
    assert main(["data", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "\n  modes     4 I;16\n" in told
    assert "must reach 16,384, but got at most 1,003 in all 4 images of 16 bits: " in told


def test_a_split_of_validation_files_is_looked_at_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = random_images(12)
    write_folder(tmp_path, images[:8], [0, 1] * 4)
    write_folder(tmp_path, images[6:10], [0, 1] * 2, "val")
    write_folder(tmp_path, images[9:], [1, 0, 1], "test")
    found = saw(capsys, tmp_path)
    assert list(found["splits"]) == ["train", "validation", "test"]
    pairs = {(each["split"], each["of"]): each["images"] for each in found["copies_between_splits"]}
    assert pairs == {("validation", "train"): 2, ("test", "train"): 0, ("test", "validation"): 1}
    assert "validation" not in found["space"]["dataset"]
    assert found["remarks"] == [
        f"the images of {tmp_path / 'val'} validate: dataset.validation holds none of the others out"
    ]


def test_digits_are_not_mirrored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, pixels in enumerate(random_images(20, 28, 28, 1)):
        path = tmp_path / "train" / str(number % 10) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(pixels))
    found = saw(capsys, tmp_path)
    assert found["space"]["dataset"]["augmentation"] == "crop"
    assert found["all_grey"]


def test_a_parquet_row_is_named_and_its_label_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    encoded: list[bytes | None] = [encode(each) for each in random_images(12)]
    write_parquet(tmp_path / "test.parquet", encoded[:2], [1, 0], names=["cat", "dog"])
    encoded[3], encoded[5] = None, b"x"
    path = write_parquet(tmp_path / "train.parquet", encoded, [0, 1] * 6, names=["cat", "dog"])
    (tmp_path / "other.parquet").write_bytes(b"x")
    found = saw(capsys, tmp_path)
    assert found["splits"]["train"]["classes"] == {"cat": 6, "dog": 4}, "two are refused"
    assert found["splits"]["train"]["refused"] == [
        {"name": f"{path}, row 3", "reason": "every image must hold its bytes, but got null"},
        {
            "name": f"{path}, row 5",
            "reason": "every file and row must hold an image, but got an unknown format",
        },
    ]
    (between,) = found["copies_between_splits"]
    assert (between["images"], between["other_class"]) == (2, 2)
    assert "other.parquet" in found["remarks"][0]


def test_a_column_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet as pq

    path = write_parquet(tmp_path / "train.parquet", [encode(each) for each in random_images(6)], [0, 1] * 3)
    pq.write_table(pq.read_table(path).rename_columns(["img", "fine"]), path)
    assert main(["data", str(tmp_path)]) == 2
    assert "say --set dataset.label_column to fine" in capsys.readouterr().err
    assert (
        saw(capsys, tmp_path, "--set", "dataset.label_column=fine")["space"]["dataset"]["label_column"]
        == "fine"
    )


def test_large_files_are_looked_at_in_threads_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path, random_images(40), [number % 2 for number in range(40)])
    (tmp_path / "train" / "class_1" / "005.png").write_bytes(b"x")
    alone = saw(capsys, tmp_path)
    monkeypatch.setattr("wrn_search.survey.look._LARGE_FILE", 1)
    monkeypatch.setattr("wrn_search.survey.look._AT_ONCE", 7)
    monkeypatch.setattr("wrn_search.survey.look.usable_cores", lambda: 3)
    assert saw(capsys, tmp_path) == alone


def test_where_no_image_can_be_read_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        (tmp_path / "train" / name).mkdir(parents=True)
        (tmp_path / "train" / name / "x.png").write_bytes(b"x")
    output = tmp_path / "x.yaml"
    assert main(["data", str(tmp_path), "--output", str(output)]) == 0
    assert "no training image can be read" in capsys.readouterr().out
    assert not output.exists()


def both_layouts(root: Path) -> None:
    write_folder(root, random_images(2), [0, 1])
    write_parquet(root / "train.parquet", [encode(random_images(1)[0])] * 2, [0, 1])


def one_class(root: Path) -> None:
    write_folder(root, random_images(2), [0, 0])


def without_train(root: Path) -> None:
    write_folder(root, random_images(2), [0, 1], split="pictures")


def another_name(root: Path) -> None:
    write_parquet(root / "data.parquet", [b"x"], [0])


def a_file(root: Path) -> None:
    root.write_text("x")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "ROOT: must be a folder of images or Parquet files, but got no PLACE"),
        (
            lambda root: root.mkdir(),
            "ROOT: must hold train/<class>/ with images, or train*.parquet, but got nothing",
        ),
        (a_file, "ROOT: must be a folder that holds train/<class>/ or train*.parquet, but got a file: PLACE"),
        (both_layouts, "ROOT: must hold one of train/<class>/ and train*.parquet, or --as must say"),
        (one_class, "ROOT: must hold one folder a class, at least 2, but got 1 in PLACE/train"),
        (
            without_train,
            "ROOT: must be a folder that holds train/<class>/, but got no PLACE/train; PLACE/pictures",
        ),
        (
            another_name,
            "ROOT: must be a folder that holds train*.parquet, but got no PLACE/train*.parquet; there are",
        ),
    ],
)
def test_bad_input_is_located(
    make: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    make(root)
    assert main(["data", str(root)]) == 2
    assert capsys.readouterr().err.startswith(message.replace("PLACE", str(root)))


def test_wrong_options_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text("x")
    arguments = ["--output", str(tmp_path / "a.yaml"), "--set", "model.depth=10", "--set", "dataset.root=x"]
    assert main(["data", "", *arguments]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "ROOT: must not be empty, but got ''",
        "--set: must set a key of dataset other than name and root, which --as and ROOT say, but got 'model.depth=10'",
        "--set: must set a key of dataset other than name and root, which --as and ROOT say, but got 'dataset.root=x'",
        f"--output: must not be there yet, but got '{tmp_path / 'a.yaml'}'",
    ]


def test_both_layouts_are_read_as_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both_layouts(tmp_path)
    assert saw(capsys, tmp_path, "--as", "parquet")["kind"] == "parquet"
    assert saw(capsys, tmp_path, "--as", "folder")["kind"] == "folder"


def test_a_look_at_data_waits_for_no_torch(tmp_path: Path) -> None:
    write_folder(tmp_path, random_images(4), [0, 1] * 2)
    statement = f"from wrn_search.__main__ import main; main(['data', {str(tmp_path)!r}])"
    assert modules_of(statement, "torch", "ray", "sklearn") == set()


def test_a_group_that_the_names_do_not_have_is_told_before_a_space_file_says_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written is ready: `check` and `run` take it as it is."""
    root = write_folder(tmp_path / "f", random_images(12, 16, 16), [0, 1, 2] * 4)
    arguments = ["data", str(root), "--output", str(tmp_path / "f.yaml"), "--set"]
    assert main([*arguments, "dataset.group_by='(patient[0-9]+)_'"]) == 2
    assert capsys.readouterr().err.startswith(
        "dataset.group_by: '(patient[0-9]+)_' must be found in every file name, but got 12 without"
    )
    assert not (tmp_path / "f.yaml").exists()
    assert main([*arguments, "dataset.group_by='([0-9]+)[.]png'"]) == 0
    assert main(["check", str(tmp_path / "f.yaml")]) == 0
