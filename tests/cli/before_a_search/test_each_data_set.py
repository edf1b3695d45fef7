"""`data` and `check` on the data sets of torchvision and of Hugging Face's library, as their files lie there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pytest
from PIL import Image

from tests.datasets.image_data import random_images
from tests.datasets.torchvision_sets.torchvision_files import write_set
from tests.prepared_data_folder import prepared_data_folder  # noqa: F401  # a fixture for every test here
from wrn_search.__main__ import main
from wrn_search.images.prepared_data import prepare
from wrn_search.space.space_file import read_space

# name -> (images that are trained on or held out, that validate in a split of their own, that are tested with)
SETS = {
    "stl10": (30, None, 20),
    "mnist": (60, None, 20),
    "fashion_mnist": (60, None, 20),
    "emnist": (94, None, 47),
    "gtsrb": (36, None, 3),
    "eurosat": (24, None, 6),
    "flowers102": (12, 12, 12),
    "food101": (8, None, 4),
    "huggingface": (30, 6, 9),
}


def write(root: Path, name: str) -> None:
    if name != "huggingface":
        write_set(root, name)
        return
    datasets.disable_progress_bars()
    images, splits, start = random_images(45, 32, 32), {}, 0
    for split, count in (("train", 30), ("validation", 6), ("test", 9)):
        columns = {"image": [Image.fromarray(pixels) for pixels in images[start : start + count]]}
        labels = {"label": [number % 3 for number in range(count)]}
        features = datasets.Features(
            {"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b", "c"])}
        )
        splits[split] = datasets.Dataset.from_dict(columns | labels, features=features)
        start += count
    datasets.DatasetDict(splits).save_to_disk(root)


@pytest.mark.parametrize("name", SETS)
def test_data_sees_it_and_writes_a_space_file_that_can_be_searched(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root, written = tmp_path / "root", tmp_path / "space.yaml"
    write(root, name)
    assert main(["data", str(root), "--json", "--output", str(written)]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["kind"] == name
    there = [found["splits"].get(split, {}).get("images") for split in ("train", "validation", "test")]
    assert tuple(there) == SETS[name]
    assert not any(split["refused"] for split in found["splits"].values())
    assert main(["check", str(written), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    dataset = read_space(written).dataset
    data = prepare(dataset)
    assert told["validation_images"] == (SETS[name][1] or dataset.validation)
    assert told["dataset"]["augmentation"] == dataset.augmentation
    assert told["dataset"]["crop_padding"] == data.padding == max(1, round(min(data.image_shape[:2]) / 8))
    assert data.train_images + data.validation_images == SETS[name][0] + (SETS[name][1] or 0)


def test_two_data_sets_below_one_root_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "mnist")
    write(tmp_path, "gtsrb")
    assert main(["data", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "ROOT: must hold one data set, or --as must say which is meant, but got mnist and gtsrb in" in told
    assert main(["data", str(tmp_path), "--as", "gtsrb", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "gtsrb"
    assert main(["data", str(tmp_path), "--as", "food101"]) == 2
    assert f"ROOT: must hold food101, but got: not in {tmp_path} yet" in capsys.readouterr().err


def test_check_needs_no_download(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = tmp_path / "space.yaml"
    space.write_text(
        f"dataset: {{name: flowers102, root: {tmp_path}/nowhere}}\ntraining: {{batch_size: 32}}\n"
    )
    assert main(["check", str(space), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["validation_images"], told["dataset"]["image_size"]) == (1020, 64)
    assert not (tmp_path / "nowhere").exists()
