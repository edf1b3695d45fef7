"""What objectives ask to be measured, by the trainable as Ray Tune drives it: real trainings of a thin network."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.decisions.playing import conductor_of, new_record, space_of
from tests.ray_tune.test_trainable import ROOT, assignment_of, trainable_of
from tests.training.trainings import learned
from wrn_search.file_system.turns import Turns
from wrn_search.ray_tune.measuring import measured_costs
from wrn_search.ray_tune.trainable import metrics_of
from wrn_search.ray_tune.tune_adapter import ConductorScheduler, ConductorSearcher

INFERENCE = ["inference_ms", "inference_ms_64"]


@pytest.fixture(autouse=True)
def _turns_in_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured_costs, "_folder", lambda checkpoints: tmp_path / "turns")


def _trainable(folder: Path, measures: list[str], name: str = "trial", **told: Any) -> Any:
    return trainable_of({**assignment_of(folder / f"{name}.pt"), "measures": measures, **told})


def test_passes_are_timed_with_the_first_epoch_and_change_nothing_that_is_learned(tmp_path: Path) -> None:
    plain = _trainable(tmp_path, [], "plain")
    measured = _trainable(tmp_path, INFERENCE)
    for epoch in (1, 2):
        theirs, ours = metrics_of(plain.step()), metrics_of(measured.step())
        assert learned(ours) == learned(theirs)
        assert (theirs.inference_ms, theirs.inference_ms_64, theirs.energy_kwh) == (None, None, None)
        if epoch == 1:
            assert ours.inference_ms is not None
            assert ours.inference_ms_64 is not None
            assert min(ours.inference_ms, ours.inference_ms_64) > 0
        else:
            assert (ours.inference_ms, ours.inference_ms_64) == (None, None)


def test_only_what_is_asked_for_is_measured(tmp_path: Path) -> None:
    metrics = metrics_of(_trainable(tmp_path, ["num_params", "inference_ms_64"]).step())
    assert metrics.inference_ms is None
    assert metrics.inference_ms_64 is not None


def test_a_trial_that_goes_on_from_its_checkpoint_is_not_measured_again(tmp_path: Path) -> None:
    first = metrics_of(_trainable(tmp_path, INFERENCE, rungs=[1]).step())
    again = _trainable(tmp_path, INFERENCE)
    assert metrics_of(again.step()) == first  # not on record, so told from the checkpoint
    assert metrics_of(again.step()).inference_ms is None


def test_who_measures_waits_for_the_epochs_beside_it_and_holds_up_the_next_ones(tmp_path: Path) -> None:
    """The device is shared with trials that the test stands for."""
    turns = Turns(tmp_path / "turns", "cpu")
    trainable, told = _trainable(tmp_path, INFERENCE), []
    training = threading.Thread(target=lambda: told.append(trainable.step()), daemon=True)
    with turns.together():
        training.start()
        training.join(2.0)
        assert not told
    training.join(60.0)
    assert metrics_of(told[0]).inference_ms is not None
    with turns.alone():  # another trial measures: no epoch begins
        training = threading.Thread(target=lambda: told.append(trainable.step()), daemon=True)
        training.start()
        training.join(2.0)
        assert len(told) == 1
    training.join(60.0)
    assert metrics_of(told[1]).epoch == 2


def test_who_measures_waits_for_those_that_are_being_built_and_holds_them_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first trials of a session begin together: some are ready to measure while others load torch and data."""
    turns = Turns(tmp_path / "turns", "cpu")
    is_building, may_end, was_alone = threading.Event(), threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        is_building.set()
        may_end.wait(60.0)

    def measure() -> None:
        with turns.alone():
            was_alone.set()

    monkeypatch.setattr("wrn_search.ray_tune.trainable.restore_if_there", slow)
    threading.Thread(target=_trainable(tmp_path, INFERENCE).step, daemon=True).start()
    assert is_building.wait(60.0)
    threading.Thread(target=measure, daemon=True).start()
    assert not was_alone.wait(2.0)
    may_end.set()
    assert was_alone.wait(60.0)

    is_building.clear()
    with turns.alone():  # another trial measures
        threading.Thread(target=_trainable(tmp_path, INFERENCE, "other").step, daemon=True).start()
        assert not is_building.wait(5.0)
    assert is_building.wait(60.0)


@pytest.mark.slow
@pytest.mark.parametrize(("images", "name"), [(1, "inference_ms"), (64, "inference_ms_64")])
def test_measuring_that_hangs_ends_its_process_and_is_told_as_such(
    tmp_path: Path, images: int, name: str
) -> None:
    """In C code that never gives the interpreter back. `search.retries` times it is tried again, then it is failed."""
    space = space_of(search={"trials": 1, "searcher": "random", "trial_timeout": 5, "retries": 1})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    searcher, scheduler = ConductorSearcher(conductor, tmp_path), ConductorScheduler(conductor)
    reason = f"measuring {name} must end within search.trial_timeout (5 s), but it did not"
    for status in ("interrupted", "failed"):  # tried again, and given up
        told = searcher.suggest("ray1")
        assert isinstance(told, dict)
        done = _process_that_hangs(tmp_path, images, {**told, "measures": INFERENCE})
        assert done.returncode == 1, done.stderr
        scheduler.on_trial_error(None, SimpleNamespace(config=told, trial_id="ray1"))
        trial = conductor.state.trials[0]
        assert trial.status == status
        assert trial.error is not None
        assert reason in trial.error
        assert "in _measure_once" in Path(told["fault_note"]).read_text()  # the trace, for the log


def _process_that_hangs(folder: Path, images: int, told: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Trains as the driver told; a pass of so many images never ends."""
    assignment = {**assignment_of(folder / "trial.pt"), "fault_note": told["fault_note"]}
    assignment |= {name: told[name] for name in ("epoch_seconds", "measures")}
    program = f"""
import ctypes
from wrn_search.ray_tune.measuring import measured_costs
from wrn_search.ray_tune.trainable import WideResNetTrainable
from wrn_search.training import evaluation
measured_costs._folder = lambda checkpoints: checkpoints / "turns"
milliseconds = evaluation.Evaluation.milliseconds
def hanging(self, images, image_shape):
    return ctypes.PyDLL(None).sleep(100) if images == {images} else milliseconds(self, images, image_shape)
evaluation.Evaluation.milliseconds = hanging
trainable = WideResNetTrainable.__new__(WideResNetTrainable)
trainable.setup({assignment!r})
trainable.step()
"""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False, timeout=240
    )


@pytest.mark.slow
def test_the_limit_is_none_of_the_time_that_a_trial_waits_for_its_turn(tmp_path: Path) -> None:
    trainable, told = _trainable(tmp_path, INFERENCE, epoch_seconds=3.0), []
    training = threading.Thread(target=lambda: told.append(trainable.step()), daemon=True)
    with Turns(tmp_path / "turns", "cpu").together():
        training.start()
        training.join(4.0)
        assert not told
    training.join(60.0)
    assert metrics_of(told[0]).inference_ms is not None


def test_who_has_nothing_to_measure_waits_for_nobody(tmp_path: Path) -> None:
    began = time.monotonic()
    with Turns(tmp_path / "turns", "cpu").alone():
        assert metrics_of(_trainable(tmp_path, ["macs"]).step()).epoch == 1
    assert time.monotonic() - began < 60


def test_energy_without_a_counter_ends_the_trial_with_what_is_missing(tmp_path: Path) -> None:
    """A search is refused at its start; a node that lost its driver since then says so."""
    failed = _trainable(tmp_path, ["energy_kwh"]).step()["failed"]
    assert "there is no libnvidia-ml.so.1, which comes with NVIDIA's driver" in failed["error"]
    assert not failed["out_of_memory"]


class _Counters:
    """Each reading is a watt-hour later."""

    def __init__(self, uuids: list[str]):
        self.read = 0

    def kwh(self) -> float:
        self.read += 1
        return self.read / 1000


def test_energy_of_every_epoch_is_what_the_counters_rose_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured_costs, "GpuEnergy", _Counters)
    trainable = _trainable(tmp_path, ["energy_kwh"])
    assert [metrics_of(trainable.step()).energy_kwh for _ in range(2)] == pytest.approx([0.001, 0.001])
