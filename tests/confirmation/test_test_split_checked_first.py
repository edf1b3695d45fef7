"""What can be checked of the test split is checked by the command before hours of retraining."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.image_data import encode, random_images, write_folder
from tests.decisions.playing import conductor_of, play, space_of
from wrn_search.__main__ import main
from wrn_search.confirmation.choice_of_finalists import Rule
from wrn_search.confirmation.confirmation_request import confirmation_request
from wrn_search.confirmation.confirmation_run import prepared_data
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import prepare
from wrn_search.results.events import SearchStarted
from wrn_search.results.events_jsonl import Record
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.space.rules.starting_file import pinned


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ResultsDirectory:
    """A played search on a folder of greyscale images, whose test images are stored as coloured ones."""
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "cache"))
    root = write_folder(
        tmp_path / "data", random_images(40, channels=1), [number % 2 for number in range(40)]
    )
    write_folder(
        root, np.repeat(random_images(4, channels=1), 3, axis=3)[:, ::-1], [0, 1, 0, 1], split="test"
    )
    space = space_of(
        dataset={"name": "folder", "root": str(root), "validation": 10},
        training={"epochs": 1, "batch_size": 8},
        search={"trials": 1, "searcher": "random", "scheduler": "none"},
    )
    directory = ResultsDirectory(tmp_path / "played")
    directory.path.mkdir()
    split = prepare(space.dataset).split_hash
    with Record.create(directory.events) as record:
        record.append(SearchStarted("played", "id", 1, 50.0, "folder", split))
    with Record.open(directory.events) as record:
        play(conductor_of(space, record), lambda assignment, epoch: 10.0)
    directory.resolved.write_text(json.dumps(space.to_document()))
    return directory


@pytest.mark.parametrize("options", [[], ["--dry-run"]], ids=["run", "plan"])
def test_a_confirmation_no_longer_than_its_warm_up_is_refused(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of each finalist that would never reach its learning rate, before anything is trained or recorded."""
    model = {"depth": 10, "dropout": {"choice": [0.0, 0.1]}}
    space = space_of(
        model=model,
        training={"epochs": 6, "warmup_epochs": 3, "lr_schedule": "wsd", "lr_cooldown": 0.4},
        search={"searcher": "grid", "scheduler": "none"},
    )
    directory = ResultsDirectory(tmp_path / "played")
    directory.path.mkdir()
    with Record.create(directory.events) as record:
        record.append(SearchStarted("played", "id", 6, 90.0, "digits", "split", space=space.to_document()))
    with Record.open(directory.events) as record:
        play(conductor_of(space, record), lambda assignment, epoch: 10.0 + assignment.number)
    for epochs, rule in (
        ("2", "the warm-up must end before the last of the 2 epochs"),
        ("3", "the warm-up must end before the last of the 3 epochs"),
        ("4", "the warm-up must end before the cooldown begins, after 2.4 of 4 epochs"),
    ):
        told = [
            "confirm",
            str(directory.path),
            "--top",
            "2",
            "--no-per-network",
            "--epochs",
            epochs,
            *options,
        ]
        assert main(told) == 2
        assert capsys.readouterr().err.splitlines()[-2:] == [
            f"--epochs: {rule}, but got warmup_epochs 3 of trial {number}" for number in (0, 1)
        ]
        assert not directory.confirmation.path.exists()
    assert len(confirmation_request(directory.path, Rule(2, per_network=False), epochs=5).finalists) == 2


def test_weights_that_are_gone_are_told_before_anything_is_trained(results: ResultsDirectory) -> None:
    request = confirmation_request(results.path, Rule(), 1)
    (finalist,) = request.finalists
    gone = finalist.config | {"init_from": pinned("/nowhere/w.pt", "ab" * 32)}
    with pytest.raises(InputError, match=r"/nowhere/w\.pt: model\.init_from"):
        prepared_data(replace(request, finalists=(replace(finalist, config=gone),)))
    assert not results.confirmation.path.exists()


def test_grey_images_stored_as_coloured_ones_are_fit(results: ResultsDirectory) -> None:
    assert prepared_data(confirmation_request(results.path, Rule(), 1)).image_shape == (8, 8, 1)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (
            encode(random_images(1)[0]),
            "test images must be greyscale as the training images are, but got colours",
        ),
        (encode(random_images(1, 9, 9)[0]), "images must have one size"),
        (
            b"no image",
            "every file and row must hold an image, but got an unknown format (test/class_1/bad.png)",
        ),
    ],
)
def test_an_unfit_test_image_is_told_before_anything_is_trained(
    results: ResultsDirectory, bad: bytes, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data" / "test" / "class_1" / "bad.png").write_bytes(bad)

    assert main(["confirm", str(results.path), "--repeats", "1"]) == 2

    assert f"dataset.root: {told}" in capsys.readouterr().err
    assert not results.confirmation.path.exists()
