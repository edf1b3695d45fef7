"""Files that follow from the record: whatever becomes of them, the search goes on and they say what the record says."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import wrn_search
from tests.decisions.playing import conductor_of, metrics, play
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.end_reason import EndReason
from wrn_search.results.events import SearchStarted
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.tensorboard.tensorboard_log import runs_are_whole
from wrn_search.session.files_from_the_record import Observers
from wrn_search.session.search_request import request_of
from wrn_search.session.start_of_a_session import end_session

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = {
    "name": "played",
    "dataset": {"name": "digits"},
    "model": {"depth": 10, "dropout": {"uniform": [0.0, 0.5]}},
    "training": {"epochs": 4},
    "search": {"trials": 4, "searcher": "random", "scheduler": "none"},
}


def _curve(assignment: Assignment, epoch: int) -> float:
    return 60 * assignment.config.dropout + 40 / epoch


@contextmanager
def _session(folder: Path) -> Iterator[tuple[ResultsDirectory, Conductor, Observers, Record]]:
    """A session whose observers follow, as `search_run` has it, but for Ray."""
    request = request_of(DOCUMENT, [], folder)
    directory = request.directory
    directory.create()
    told = {"space": request.space.to_document(), "given": request.space_text}
    with Record.create(directory.events) as record:
        record.append(SearchStarted("played", "id", 4, 90.0, "digits", "split", **told))
    directory.started()
    directory.checkpoints.mkdir()
    with Record.open(directory.events) as record:
        conductor = conductor_of(request.space, record)
        observers = Observers(directory, record, conductor)
        record.forget()
        yield directory, conductor, observers, record


def _are_whole(directory: ResultsDirectory) -> None:
    state = fold(read_events(directory.events))
    trials, epochs = wrn_search.read(directory.path)
    assert trials["epochs_done"].tolist() == [trial.epochs_done for trial in state.trials.values()]
    assert trials["val_error"].tolist() == [trial.last.val_error for trial in state.trials.values()]
    assert len(epochs) == sum(trial.epochs_done for trial in state.trials.values())
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    assert runs_are_whole(directory.tensorboard, state)
    runs = sorted(path.name for path in directory.tensorboard.glob("0*"))
    assert len(runs) == len(state.trials)
    assert all(any((directory.tensorboard / run).iterdir()) for run in runs)


def _no_epochs(directory: ResultsDirectory) -> None:
    shutil.rmtree(directory.epochs)


def _no_tensorboard(directory: ResultsDirectory) -> None:
    shutil.rmtree(directory.tensorboard)


def _a_folder_for_a_table(directory: ResultsDirectory) -> None:
    directory.trials.unlink()
    directory.trials.mkdir()


def _no_checkpoints(directory: ResultsDirectory) -> None:
    shutil.rmtree(directory.checkpoints)


@pytest.mark.parametrize("damage", [_no_epochs, _no_tensorboard, _no_checkpoints])
def test_the_search_goes_on_and_the_files_are_made_anew(tmp_path, damage: Callable[..., None]) -> None:
    with _session(tmp_path / "out") as (directory, conductor, observers, record):
        play(conductor, _curve, most_reports=6)
        observers.tick()
        damage(directory)
        for number in sorted(conductor.live):
            conductor.interrupted(number, "for this test")
    with Record.open(directory.events) as record:
        conductor = conductor_of(conductor.space, record)
        directory.checkpoints.mkdir(exist_ok=True)
        observers = Observers(directory, record, conductor)
        play(conductor, _curve, most_reports=3)
        damage(directory)
        for number in sorted(conductor.live):
            conductor.reported(number, metrics(4, 10.0), "node", "cpu")
        play(conductor, _curve)
        end_session(conductor, record, observers, EndReason.FINISHED)
    _are_whole(directory)


def test_what_stands_in_the_way_is_told_once_and_fails_the_end_alone(tmp_path, capsys, monkeypatch) -> None:
    late, real = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + late[0])
    with _session(tmp_path / "out") as (directory, conductor, observers, record):
        _a_folder_for_a_table(directory)
        play(conductor, _curve)
        for _ in range(4):
            late[0] += 60.0
            observers.tick()
        with pytest.raises(OSError, match=r"^the tables could not be written: "):
            end_session(conductor, record, observers, EndReason.FINISHED)
        assert len(fold(read_events(directory.events)).trials) == 4
        told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("the tables")]
        assert len(told) == 1
        assert "the search goes on" in told[0]
        directory.trials.rmdir()
        end_session(conductor, record, observers, EndReason.FINISHED)
    _are_whole(directory)


def test_tables_are_written_on_the_clock_too(tmp_path, monkeypatch) -> None:
    """The last epoch before a long one stood in no table until the next event came."""
    late, real = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + late[0])
    with _session(tmp_path / "out") as (directory, conductor, observers, _):
        conductor.next_trial()
        conductor.started(0)
        conductor.reported(0, metrics(1, 50.0), "node", "cpu")
        observers.tick()
        late[0] = 40.0
        observers.tick()
        trials, epochs = wrn_search.read(directory.path)
        assert (trials["epochs_done"].tolist(), len(epochs)) == ([1], 1)


def _a_wrong_value(directory: ResultsDirectory) -> None:
    table = pq.read_table(directory.trials)
    place = table.schema.get_field_index("val_error")
    wrong = pc.add(table["val_error"], 1.0)
    pq.write_table(table.set_column(place, table.schema.field(place), wrong), directory.trials)


def _a_wrong_epoch(directory: ResultsDirectory) -> None:
    (path,) = directory.epochs.iterdir()
    table = pq.read_table(path)
    place = table.schema.get_field_index("train_loss")
    wrong = pc.add(table["train_loss"], 1.0)
    pq.write_table(table.set_column(place, table.schema.field(place), wrong), path)


def _no_run(directory: ResultsDirectory) -> None:
    shutil.rmtree(next(directory.tensorboard.glob("002*")))


DAMAGES = [_a_wrong_value, _a_wrong_epoch, _no_run, _no_tensorboard, _no_epochs]


def test_a_finished_search_is_mended_by_what_its_files_say(tmp_path) -> None:
    with _session(tmp_path / "out") as (directory, conductor, observers, record):
        play(conductor, _curve)
        end_session(conductor, record, observers, EndReason.FINISHED)
    whole, whole_epochs = wrn_search.read(directory.path)
    for damage in DAMAGES:
        damaged = ResultsDirectory(tmp_path / damage.__name__)
        shutil.copytree(directory.path, damaged.path)
        damage(damaged)
    names = [damage.__name__ for damage in DAMAGES]
    program = f"import wrn_search\nfor name in {names}:\n wrn_search.run(name, resume=True)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for damage in DAMAGES:
        trials, epochs = wrn_search.read(tmp_path / damage.__name__)
        assert trials.equals(whole)
        assert epochs.equals(whole_epochs)
        _are_whole(ResultsDirectory(tmp_path / damage.__name__))
