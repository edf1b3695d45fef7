"""What a run would refuse of a user's own images is refused by `check` and `--dry-run`, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests.datasets.image_data import encode, random_images
from wrn_search.__main__ import main
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.built_network import built_network

IMAGES, LABELS = random_images(12, 16, 16), [0, 1, 2] * 4
Command: TypeAlias = Callable[..., int]


def settings(*assignments: str) -> list[str]:
    """As options."""
    return [part for each in assignments for part in ("--set", each)]


@pytest.fixture(params=["folder", "parquet"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[["check"], ["run", "--dry-run"]], ids=lambda command: command[0])
def command(
    request: pytest.FixtureRequest, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Asks of the images in `data`: three validate, nine are trained on."""
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "cache"))
    own = settings(f"dataset.name={kind}", f"dataset.root={tmp_path / 'data'}", "dataset.validation=3")
    space = "search_spaces/digits_quickstart.yaml"
    return lambda *changes: main([*request.param, space, *own, *settings("training.batch_size=4", *changes)])


def write(root: Path, kind: str, encoded: Sequence[bytes]) -> None:
    """The images as files by class, or in one Parquet file with their patient, who is the same one."""
    if kind == "folder":
        for number, (data, label) in enumerate(zip(encoded, LABELS, strict=True)):
            path = root / "train" / f"class_{label}" / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return
    root.mkdir()
    images = [{"bytes": data, "path": "x.png"} for data in encoded]
    table = pa.table({"image": images, "label": LABELS, "patient": ["one"] * len(LABELS)})
    pq.write_table(table, root / "train.parquet")


def test_batches_groups_and_sizes(
    command: Command, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "data", kind, [encode(each) for each in IMAGES])
    group_by = {"folder": "([a-z]+)$", "parquet": "patient"}[kind]  # png: one group
    assert command() == 0
    for changes, line in (
        (["training.batch_size=10"], "batch_size must be at most the 9 images that are trained on"),
        ([f"dataset.group_by='{group_by}'"], "some group must leave each class images to train on"),
        (
            ["dataset.augmentation=flip_crop", "dataset.crop_padding=20"],
            "flip_crop reflects 20 pixels and needs images of at least 21x21",
        ),
    ):
        capsys.readouterr()
        assert command(*changes) == 2, changes
        assert line in capsys.readouterr().err


def test_weights_are_held_against_all_images_not_the_first(
    command: Command, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first is grey, a later one has colours: all become three channels."""
    modes = ["L"] * 11 + ["RGB"]
    write(
        tmp_path / "data", kind, [encode(each, mode=mode) for each, mode in zip(IMAGES, modes, strict=True)]
    )
    weights = tmp_path / "grey.pt"
    torch.save(built_network(Architecture.of(10, 1.0), 3, 1).state_dict(), weights)
    assert command("model.depth=10", "model.widen_factor=1", f"model.init_from={weights}") == 2
    text = "model.init_from: must be of a network for images of 3 channels, but is of one for 1"
    assert text in capsys.readouterr().err
