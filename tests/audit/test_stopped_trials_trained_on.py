"""`audit` on a real search of digits: its ends are those of full trainings, whatever came between."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit.searches import EPOCHS, STOPPED, audited_search
from tests.training.trainings import new_training
from tests.winner.searches import read_lines, write_lines
from wrn_search.__main__ import main
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.progress.stop_request import ask_to_stop
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.table_reader import read_tables
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.divergence import Diverged
from wrn_search.training.training_loop import Training


def state_of(results: Path) -> SearchState:
    return fold(read_events(results / "events.jsonl"))


def files_of(results: Path) -> dict[str, bytes]:
    """All that the search itself wrote."""
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in results.rglob("*")
        if path.is_file() and "audit" not in path.relative_to(results).parts
    }


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The epochs that are trained, in order."""
    trained: list[int] = []
    run_epoch = Training.run_epoch

    def counting(self: Training) -> EpochMetrics:
        metrics = run_epoch(self)
        trained.append(metrics.epoch)
        return metrics

    monkeypatch.setattr(Training, "run_epoch", counting)
    return trained


def before_epoch(monkeypatch: pytest.MonkeyPatch, epoch: int, act: Callable[[], object]) -> None:
    """Whenever a training would begin this epoch, something happens first."""
    run_epoch = Training.run_epoch

    def run(self: Training) -> EpochMetrics:
        if self.epoch + 1 == epoch:
            act()
        return run_epoch(self)

    monkeypatch.setattr(Training, "run_epoch", run)


def test_the_ends_are_those_of_full_trainings_and_the_search_is_left_alone(
    own_search: Path, capsys, count: list[int]
) -> None:
    before = files_of(own_search)
    assert main(["audit", str(own_search), "--trials", "3", "--json"]) == 0
    values = told(capsys)
    assert files_of(own_search) == before
    assert count == [1, 2, 3] * 3
    search, later = state_of(own_search), state_of(own_search / "audit")
    assert len({(t.config["depth"], t.config["widen_factor"]) for t in later.trials.values()}) == 3
    for trial, row in zip(later.trials.values(), values["trials"], strict=True):
        original = search.trials[row["trial"]]
        assert row["trial"] in STOPPED
        assert (trial.trial_id, trial.config, trial.hparams) == (
            original.trial_id,
            original.config,
            original.hparams,
        )
        training = new_training(TrialConfig.from_dict(original.config))
        end = [training.run_epoch() for _ in range(EPOCHS)][-1].val_error
        assert (row["end"], row["stopped_at"], row["as_recorded"]) == (end, 1, True)
        assert row["covered"] == (row["low"] <= end <= row["high"])
    assert values["hidden_ends"] == 3
    assert values["covered"] == sum(row["covered"] for row in values["trials"])
    assert values["passed"] is True
    assert later.ended == "finished"
    trials, epochs = read_tables(own_search / "audit")
    assert (trials["status"].to_pylist(), len(epochs)) == (["completed"] * 3, 9)
    assert not list((own_search / "audit" / "checkpoints").iterdir()), "nothing can go on from them"


@pytest.mark.slow
def test_the_predictions_are_those_of_the_report_which_counts_these_ends(own_search: Path, capsys) -> None:
    assert main(["report", str(own_search), "--json"]) == 0
    before = told(capsys)
    assert main(["audit", str(own_search), "--trials", "2", "--json"]) == 0
    values = told(capsys)
    for row in values["trials"]:
        trial = before["trials"][row["trial"]]
        assert (trial["predicted_low"], trial["predicted_high"]) == (row["low"], row["high"])
    assert main(["report", str(own_search), "--json"]) == 0
    after = told(capsys)
    assert before["audit"] == {"anchors": 0, "hidden_ends": 0, "covered": 0, "passed": True}
    assert after["audit"] == {**before["audit"], "hidden_ends": 2, "covered": values["covered"]}
    assert after["model"]["trained_on"] == 2
    assert after["trials"] == before["trials"], "the ends are no part of the fit"
    assert after["cells"] == before["cells"]


def test_it_stops_when_asked_as_by_ctrl_c_and_goes_on(
    own_search: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask_and_wait() -> None:
        if (own_search / "audit" / ".stop").exists():
            ask_to_stop(own_search / "audit")
            time.sleep(30)  # an epoch that lasts: it is not waited for
            pytest.fail("nobody listened")

    heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    with monkeypatch.context() as patched:
        before_epoch(patched, 2, ask_and_wait)
        assert main(["audit", str(own_search), "--trials", "1"]) == 130
    signal.signal(signal.SIGINT, heard)
    told = capsys.readouterr().err
    assert "stopping, as process" in told
    assert "What was trained is on record; the same command goes on." in told
    stopped = state_of(own_search / "audit")
    assert (stopped.ended, [trial.epochs_done for trial in stopped.trials.values()]) == ("interrupted", [1])
    assert not (own_search / "audit" / ".stop").exists()
    assert main(["audit", str(own_search), "--trials", "1"]) == 0
    assert state_of(own_search / "audit").ended == "finished"


@pytest.mark.slow
def test_more_trials_are_added_and_fewer_take_nothing_away(
    own_search: Path, capsys, count: list[int]
) -> None:
    assert main(["audit", str(own_search), "--trials", "1"]) == 0
    (first,) = state_of(own_search / "audit").trials.values()
    assert count == [1, 2, 3]
    assert main(["audit", str(own_search), "--trials", "2"]) == 0
    assert count == [1, 2, 3] * 2
    assert state_of(own_search / "audit").trials[0].trial_id == first.trial_id
    record = (own_search / "audit" / "events.jsonl").read_bytes()
    capsys.readouterr()
    assert main(["audit", str(own_search), "--trials", "1"]) == 0
    assert (own_search / "audit" / "events.jsonl").read_bytes() == record, "nothing was left to do"
    assert "of 2 hidden ends " in capsys.readouterr().out


@pytest.mark.slow
def test_all_stopped_trials_are_the_most(own_search: Path, capsys) -> None:
    assert main(["audit", str(own_search)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("small: 5 of 5 stopped trials trained to the end (3 epochs), kept in ")
    assert "No more than 5 trials were stopped." in out
    assert sum(line.count("  epoch 1     ") for line in out.splitlines()) == 5
    assert out.splitlines()[-1].startswith("of 5 hidden ends ")


@pytest.mark.slow
def test_an_interrupted_audit_goes_on_to_the_same_ends(
    searched: Path, own_search: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    whole = Path(shutil.copytree(searched, tmp_path / "whole"))
    assert main(["audit", str(whole), "--trials", "2"]) == 0

    def interrupt() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        before_epoch(patch, 3, interrupt)
        assert main(["audit", str(own_search), "--trials", "2"]) == 130
    state = state_of(own_search / "audit")
    assert (state.ended, [t.status for t in state.trials.values()]) == ("interrupted", ["interrupted"])
    assert state.trials[0].epochs_done == 2
    assert "the same command goes on" in capsys.readouterr().err
    epochs: list[int] = []
    for each in (1, 2, 3):
        before_epoch(monkeypatch, each, lambda each=each: epochs.append(each))  # type: ignore[misc]
    assert main(["audit", str(own_search), "--trials", "2"]) == 0
    assert epochs == [3, 1, 2, 3]
    ends = [
        [trial.last.val_error for trial in state_of(each / "audit").trials.values() if trial.last]
        for each in (own_search, whole)
    ]
    assert ends[0] == ends[1]
    assert "(from the checkpoint)" in capsys.readouterr().err


def test_the_hours_end_it_after_the_running_epoch(
    own_search: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    with monkeypatch.context() as patch:
        before_epoch(patch, 1, lambda: time.sleep(1))
        assert main(["audit", str(own_search), "--trials", "1", "--hours", "0.00025", "--json"]) == 0
    values = told(capsys)
    assert (values["ended"], values["hidden_ends"], values["passed"]) == ("max_hours", 0, None)
    assert [(row["epochs_done"], row["status"]) for row in values["trials"]] == [(1, "interrupted")]
    assert main(["audit", str(own_search), "--trials", "1", "--json"]) == 0
    assert told(capsys)["hidden_ends"] == 1


@pytest.mark.slow
def test_it_goes_on_from_a_kept_checkpoint_and_anew_from_a_damaged_one(
    own_search: Path, capsys, count: list[int]
) -> None:
    for number in STOPPED:
        assert main(["rerun", str(own_search), "--trial", str(number), "--checkpoint"]) == 0
    count.clear()
    assert main(["audit", str(own_search), "--trials", "1"]) == 0
    assert count == [2, 3], "one epoch was kept"
    for path in (own_search / "rerun").iterdir():
        path.write_bytes(b"torn")
    assert main(["audit", str(own_search), "--trials", "2"]) == 0
    assert count == [2, 3, 1, 2, 3]
    values = [row.epochs_done for row in state_of(own_search / "audit").trials.values()]
    assert values == [EPOCHS, EPOCHS]


def test_a_divergence_is_told_and_is_no_end(own_search: Path, monkeypatch, capsys) -> None:
    def diverge() -> None:
        raise Diverged(2, "training loss is nan")

    before_epoch(monkeypatch, 2, diverge)
    assert main(["audit", str(own_search), "--trials", "1"]) == 0
    out = capsys.readouterr().out
    assert "diverged in epoch 2" in out
    assert out.splitlines()[-1] == "No hidden end yet to hold a prediction against."


def test_a_failed_training_is_tried_again_by_the_next_call(own_search: Path, monkeypatch, capsys) -> None:
    def fail() -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patch:
        before_epoch(patch, 2, fail)
        assert main(["audit", str(own_search), "--trials", "1", "--json"]) == 1
    assert "DefaultCPUAllocator" in told(capsys)["trials"][0]["error"]
    assert main(["audit", str(own_search), "--trials", "1", "--json"]) == 0
    (row,) = told(capsys)["trials"]
    assert (row["status"], row["as_recorded"]) == ("completed", True)


@pytest.mark.slow
def test_ends_outside_the_intervals_fail_the_audit_and_the_report_falls_back(
    own_search: Path, capsys
) -> None:
    assert main(["audit", str(own_search), "--trials", "3"]) == 0
    audit = own_search / "audit"
    far = [line | ({"val_error": 80.0} if line.get("epoch") == EPOCHS else {}) for line in read_lines(audit)]
    write_lines(audit, far)
    capsys.readouterr()
    assert main(["audit", str(own_search), "--trials", "3"]) == 1
    out = capsys.readouterr().out
    assert "of 3 hidden ends 0 lay in their 95 % intervals: failed (binomial: 3 or more outside " in out
    assert out.count("  outside") == 3
    assert main(["report", str(own_search), "--json"]) == 0
    values = told(capsys)
    assert values["audit"] == {"anchors": 0, "hidden_ends": 3, "covered": 0, "passed": False}
    assert values["model"]["at_end"] is False
    assert values["model"]["why_not"].startswith(
        "the audit failed: of 3 ends of stopped trials trained on that were hidden"
    )


def test_another_curve_than_on_record_is_told(own_search: Path, capsys) -> None:
    lines = read_lines(own_search)
    for line in lines:
        if line["event"] == "reported" and line["number"] in STOPPED:
            line["train_loss"] *= 1 + 2**-50
    write_lines(own_search, lines)
    assert main(["audit", str(own_search), "--trials", "1"]) == 0
    assert "Of 1 the epochs on record did not come out again bit for bit" in capsys.readouterr().out


def test_what_cannot_be_predicted_is_trained_and_kept(tmp_path: Path, capsys) -> None:
    results = audited_search(tmp_path / "few", trials=2)
    assert main(["audit", str(results), "--trials", "1"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("Nothing can be predicted yet: at least 6 trials must have learned something")
    assert out.splitlines()[-1].startswith("No end can be predicted: at least 6 trials")
    assert state_of(results / "audit").trials[0].status == "completed"


@pytest.mark.parametrize(
    ("further", "line"),
    [
        (["--trials", "0"], "--trials: must be 1 to 100000, but got 0"),
        (["--trials", "-3"], "--trials: must be 1 to 100000, but got -3"),
        (["--hours", "0"], "--hours: must be above 0, but got 0.0"),
        (["--hours", "nan"], "--hours: must be above 0, but got nan"),
        (["--root", ""], "--root: must not be empty, but got ''"),
    ],
)
def test_bad_options_are_told(further: list[str], line: str, searched: Path, capsys) -> None:
    assert main(["audit", str(searched), *further]) == 2
    assert capsys.readouterr().err.startswith(line)
    assert not (searched / "audit").exists()


def test_bad_directories_are_told(own_search: Path, tmp_path: Path, capsys) -> None:
    assert main(["audit", str(tmp_path / "nowhere")]) == 2
    assert "must be a results directory, but there is no such directory" in capsys.readouterr().err
    lines = [line for line in read_lines(own_search) if line["event"] != "stopped"]
    write_lines(own_search, lines)
    assert main(["audit", str(own_search)]) == 2
    assert "needs a trial that early stopping ended, but of 12 none was" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["file", "folder", "loop"])
def test_what_lies_in_the_place_of_the_audit_is_told_before_anything_is_trained(
    kind: str, own_search: Path, capsys, count: list[int]
) -> None:
    place = own_search / "audit"
    if kind == "file":
        place.write_text("mine")
    elif kind == "loop":
        place.symlink_to("audit")
    else:
        place.mkdir()
        (place / "notes.txt").write_text("mine")
    assert main(["audit", str(own_search)]) == 2
    rule = "must be an audit, or a place where one can begin, but holds or is something else; move it away"
    assert capsys.readouterr().err == f"{place}: {rule}\n"
    assert count == []


def test_the_audit_of_another_search_is_not_gone_on_with(own_search: Path, capsys) -> None:
    assert main(["audit", str(own_search), "--trials", "1"]) == 0
    lines = read_lines(own_search)
    lines[0]["search_id"] = "another"
    write_lines(own_search, lines)
    assert main(["audit", str(own_search), "--trials", "2"]) == 2
    assert "must be the record of an audit of this search (another), but is of " in capsys.readouterr().err


def test_a_damaged_audit_costs_the_report_a_remark(own_search: Path, capsys) -> None:
    assert main(["audit", str(own_search), "--trials", "1"]) == 0
    record = own_search / "audit" / "events.jsonl"
    record.write_bytes(record.read_bytes().replace(b'"event":"completed"', b'"event":"compleded"'))
    capsys.readouterr()
    assert main(["report", str(own_search), "--json"]) == 0
    values = told(capsys)
    assert values["audit"]["hidden_ends"] == 0
    assert any("trained for an audit cannot be read" in note for note in values["notes"])
