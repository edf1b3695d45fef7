"""`export --finalist`: the network that a confirmation trained on all images, the one to deploy."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.decisions.playing import FACTS
from wrn_search.__main__ import main
from wrn_search.confirmation.choice_of_finalists import Rule
from wrn_search.confirmation.confirmation_plan import ConfirmationPlan
from wrn_search.confirmation.confirmation_request import confirmation_request
from wrn_search.confirmation.confirmation_run import _begin
from wrn_search.datasets.dataset import Place
from wrn_search.datasets.digits import DIGITS
from wrn_search.datasets.stratified_split import stratified_split
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.images.prepared_data import prepare
from wrn_search.results.events import SearchEnded, SearchStarted
from wrn_search.results.events_jsonl import Record
from wrn_search.results.manifest import write_manifest
from wrn_search.results.table_writer import TableWriter
from wrn_search.training.checkpoints.checkpoint_file import load_checkpoint
from wrn_search.training.training_loop import Training
from wrn_search.winner.file_formats.format_table import FORMATS, load_model

TEST_ERROR = 12.25


@pytest.fixture(scope="module")
def confirmed(searched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the search with a confirmation of its best network, really trained; the test error is made up."""
    results = Path(shutil.copytree(searched, tmp_path_factory.mktemp("confirmed") / "small"))
    request = confirmation_request(results, Rule(top=1), 1)
    directory, split = request.directory, prepare(request.space.dataset).split_hash
    directory.path.mkdir()
    directory.checkpoints.mkdir()
    write_manifest(directory.manifest, {"search_id": "new"})
    with Record.create(directory.events) as record:
        record.append(SearchStarted(request.space.name, "new", 2, 90.0, "digits", split))
    with Record.open(directory.events) as record:
        conductor = Conductor(
            request.space, FACTS, Allotment(1, 1, 0.0), record, plan=ConfirmationPlan(request)
        )
        _begin(request, record, conductor)
        while isinstance(assignment := conductor.next_trial(), Assignment):
            _retrain(conductor, assignment, directory.checkpoints)
        record.append(SearchEnded("finished"))
        TableWriter(directory, conductor.state).flush()
    return results


def _retrain(conductor: Conductor, assignment: Assignment, checkpoints: Path) -> None:
    conductor.started(assignment.number)
    training = Training(assignment.config, prepare(assignment.config.dataset))
    while training.epoch < assignment.config.epochs:
        conductor.reported(assignment.number, training.run_epoch(), "node", "cpu")
    training.save(checkpoints / f"{assignment.trial_id}.pt")
    if conductor.state.trials[assignment.number].status == "running":
        conductor.met_test_split(assignment.number, {"asks": True})
        told = {"test_loss": 0.2, "test_error": TEST_ERROR, "images": 300}
        conductor.met_test_split(assignment.number, told)


def told_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """What `export ... --json` prints."""
    assert main(["export", *map(str, arguments), "--json"]) == 0
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


@pytest.mark.parametrize("format", FORMATS)
def test_the_file_prepares_images_as_those_that_were_trained_on(
    format: str, confirmed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"model{FORMATS[format].suffix}"
    told = told_of(capsys, confirmed, "--finalist", 1, "--format", format, "--output", file)
    assert (told["finalist"], told["val_error"], told["epochs_done"]) == (1, None, 2)
    assert (told["check"]["split"], told["check"]["images"]) == ("training", 300)

    source = DIGITS.read_training_images(Place(Path()))
    dataset = config_of(confirmed).dataset
    split = stratified_split(source.labels, dataset.validation, dataset.train_images)
    images = source.images[np.concatenate([split.train, split.validation])]
    mean, std = images.mean(dtype=np.float64), images.std(dtype=np.float64)
    assert abs(mean - source.images[split.train].mean()) > 0.01, "the test could not tell the two apart"
    assert mean == pytest.approx(prepare_all(confirmed).mean[0], abs=1e-9)
    state = load_checkpoint(Path(told["checkpoint"]))
    about = load_model(file).about
    network = Training(config_of(confirmed), prepare_all(confirmed)).network
    network.load_state_dict(state["network"])
    network.eval()
    inputs = torch.tensor((images - mean) / std, dtype=torch.float32).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = torch.softmax(network(inputs), dim=1).numpy()
    np.testing.assert_allclose(load_model(file)(images), expected, atol=1e-4)
    assert about.facts["validation_images"] == 0


def config_of(results: Path) -> Any:
    from wrn_search.winner.trial_to_export import choose_finalist

    return choose_finalist(results, 1).config


def prepare_all(results: Path) -> Any:
    return prepare(config_of(results).dataset)


def test_once_confirmed_the_finalist_is_what_is_exported(
    confirmed: Path, searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = Path(shutil.copytree(confirmed, tmp_path / "own"))
    told = told_of(capsys, own, "--format", "torch")
    assert told["finalist"] == 1
    assert Path(told["file"]).parent == own / "export"
    assert Path(told["file"]).name.startswith("finalist_1_")
    card = Path(told["card"]).read_text()
    assert "Finalist 1 of a confirmation, retrained on all images" in card
    assert f"| test error of these weights | {TEST_ERROR:.2f} % |" in card
    assert "No image validated it" in card
    assert "On 300 training images" in card

    assert told_of(capsys, own, "--format", "torch", "--trial", "best")["finalist"] is None
    assert told_of(capsys, searched, "--format", "torch", "--output", tmp_path / "a.pt")["finalist"] is None
    assert main(["export", str(own), "--format", "torch", "--force"]) == 0
    assert "finalist 1, retrained on all images, epoch 2 of 2" in capsys.readouterr().out


def test_the_images_must_be_those_of_the_search(
    confirmed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = Path(shutil.copytree(confirmed, tmp_path / "own"))
    events = own / "confirm" / "events.jsonl"
    first, *lines = events.read_text().splitlines(keepends=True)
    values = json.loads(first) | {"split_hash": "0" * 16}
    del values["crc"]
    events.write_text("".join([json.dumps(values) + "\n", *lines]))
    assert main(["export", str(own), "--format", "torch"]) == 2
    assert (
        "dataset: the images must be those that the search trained and validated on"
        in capsys.readouterr().err
    )


def test_what_is_not_there_is_told(
    confirmed: Path, searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = Path(shutil.copytree(confirmed, tmp_path / "own"))
    for path in (own / "confirm" / "checkpoints").iterdir():
        path.unlink()
    for arguments, line in (
        (
            [searched, "--finalist", 1],
            f"--finalist: needs a confirmation, but {searched} holds none; start it with: ",
        ),
        ([confirmed, "--finalist", 2], "--finalist: must be 1 to 1, the finalists' places, but got 2"),
        ([confirmed, "--finalist", 0], "--finalist: must be 1 to 1, the finalists' places, but got 0"),
        (
            [own, "--finalist", 1],
            "--finalist: finalist 1 needs the checkpoint that `confirm` keeps of its first seed",
        ),
        (
            [own, "--finalist", 1, "--trial", "best"],
            "--finalist: must stand without --trial, but got both (best)",
        ),
    ):
        assert main(["export", *map(str, arguments), "--format", "torch"]) == 2
        assert capsys.readouterr().err.startswith(line)


def test_a_finalist_is_trained_again_as_it_was_trained(
    confirmed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On all images, so no image validates it; its weights come out again, and the test split stays closed."""
    assert main(["rerun", str(confirmed), "--finalist", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["finalist"], told["equal"], told["compared"]) == (1, True, 2)
    assert [epoch["now"]["val_error"] for epoch in told["epochs"]] == [None, None]
    assert main(["rerun", str(confirmed), "--finalist", "1", "--checkpoint"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Finalist 1, on all images, ")
    assert lines[2].split()[:3] == ["1", "-", "-"]
    assert lines[-2] == "Equal: 2 epochs on record came out again, bit for bit."
    again = load_checkpoint(Path(lines[-1].partition(": ")[2]))["network"]
    kept = load_checkpoint(confirmed / "confirm" / "checkpoints" / f"{told['trial_id']}.pt")["network"]
    assert all(torch.equal(again[name], kept[name]) for name in kept)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "--trial: must say what to train again, or --finalist must, but got neither"),
        (
            ["--trial", "best", "--finalist", "1"],
            "--trial: must say what to train again, or --finalist must, but got both (best, 1)",
        ),
        (["--finalist", "2"], "--finalist: must be 1 to 1, the finalists' places, but got 2"),
    ],
)
def test_what_is_trained_again_is_one_thing(
    confirmed: Path, options: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rerun", str(confirmed), *options]) == 2
    assert capsys.readouterr().err.splitlines() == [line]
