"""`--retry-failed`: what failed is tried again, and nobody remembers the failure as a result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import wrn_search
from tests.decisions.playing import conductor_of, metrics, new_record, space_of
from wrn_search.decisions.proposals import proposed_event
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.progress.search_progress import Progress
from wrn_search.results.events import Failed, Proposed, Reopened, SearchResumed, SearchStarted, Started
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.kept_checkpoints import CheckpointKeeper
from wrn_search.results.state_from_events import fold
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.session.search_request import request_of

ROOT = Path(__file__).resolve().parents[2]
LEARNING = [name for name, kind in SEARCHERS.items() if kind.learns]


def _play(conductor: Conductor, fails: bool, count: int) -> None:
    for _ in range(count):
        answer = conductor.next_trial()
        assert isinstance(answer, Assignment)
        conductor.started(answer.number)
        if fails and answer.number % 3 == 0:
            conductor.failed(
                answer.number, "RuntimeError: no kernel image", out_of_memory=answer.number % 2 == 0
            )
        else:
            conductor.reported(answer.number, metrics(1, 100 * answer.config.dropout), "node", "cpu")


@pytest.mark.parametrize("name", SEARCHERS)
def test_failed_trials_are_tried_again_and_a_replay_knows_the_same(tmp_path, name) -> None:
    model = {"depth": 10, "dropout": {"choice": [0.02 * number for number in range(25)]}}
    space = space_of(
        model=model, training={"epochs": 1}, search={"searcher": name, "scheduler": "none", "trials": 20}
    )
    path = tmp_path / "events.jsonl"
    with new_record(path, space) as record:
        _play(conductor_of(space, record), fails=True, count=12)
    with Record.open(path) as record:
        record.append(SearchResumed())
        for trial in fold(read_events(path)).trials.values():
            if trial.status == "failed":
                record.append(Reopened(trial.number))
        conductor = conductor_of(space, record)
        numbers = []
        for _ in range(4):
            answer = conductor.next_trial()
            numbers.append(answer.number)
            conductor.started(answer.number)
            conductor.reported(answer.number, metrics(1, 100 * answer.config.dropout), "node", "cpu")
        assert numbers == [0, 3, 6, 9]
        assert {trial.status for trial in conductor.state.trials.values()} == {"completed"}
        assert not any(trial.error or trial.out_of_memory for trial in conductor.state.trials.values())
        following = conductor.next_trial().config
    with Record.open(path) as record:
        record.append(SearchResumed())
        assert conductor_of(space, record).next_trial().config == following


@pytest.mark.parametrize("name", LEARNING)
def test_what_succeeded_at_the_second_try_is_known_as_if_it_had_at_the_first(tmp_path, name) -> None:
    space = space_of(training={"epochs": 1}, search={"searcher": name, "scheduler": "none", "trials": 40})
    following = []
    for fails in (False, True):
        path = tmp_path / f"{fails}.jsonl"
        with new_record(path, space) as record:
            conductor = conductor_of(space, record)
            answers = [conductor.next_trial()]
            conductor.failed(0, "ValueError: x") if fails else conductor.reported(
                0, metrics(1, 3.0), "n", "cpu"
            )
        with Record.open(path) as record:
            record.append(SearchResumed())
            if fails:
                record.append(Reopened(0))
            conductor = conductor_of(space, record)
            if fails:
                assert conductor.next_trial().config == answers[0].config
                conductor.reported(0, metrics(1, 3.0), "n", "cpu")
            _play(conductor, fails=False, count=15)
            following.append([trial.hparams for trial in conductor.state.trials.values()][1:])
    assert following[0] == following[1]


def test_its_checkpoint_stays_again_and_the_display_counts_it_once(tmp_path) -> None:
    space = space_of(search={"searcher": "random"})
    path = tmp_path / "events.jsonl"
    with new_record(path, space) as record:
        conductor = conductor_of(space, record)
        conductor.next_trial()
        conductor.failed(0, "ValueError: x")
        record.append(Reopened(0))
    keeper, progress = CheckpointKeeper(tmp_path / "checkpoints", 1), Progress(9, 10, began=0.0)
    (tmp_path / "checkpoints").mkdir()
    for moment, event in read_events(path):
        keeper(moment, event)
        progress.apply(moment, event)
    file = tmp_path / "checkpoints" / f"{conductor.state.trials[0].trial_id}.pt"
    file.touch()
    keeper.sweep()
    assert file.exists()
    assert progress.line(1.0).startswith("trials 0/9 | 0 running | epochs 0/90")


def _run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_search.py"), *map(str, arguments)]
    environment = {**os.environ, "WRN_SEARCH_DATA": str(cwd / "data")}
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False, env=environment
    )


@pytest.mark.slow
def test_the_command_tries_them_again(tmp_path) -> None:
    document = {
        "name": "small",
        "dataset": {"name": "digits", "train_images": 128},
        "model": {"depth": 10, "widen_factor": 0.25},
        "training": {"epochs": 1, "batch_size": 64, "precision": "fp32", "compile": "off"},
        "search": {"trials": 1, "searcher": "random"},
    }
    request = request_of(document, [], tmp_path / "out")
    (tmp_path / "out").mkdir()
    config = request.space.trial_config({}, 7, precision="fp32", compile="off")
    facts = conductor_of(space_of(), new_record(tmp_path / "other.jsonl", space_of())).facts
    trial: Proposed = proposed_event(0, 0, 0, {}, config, facts, anchor=False)
    told = {"space": request.space.to_document(), "given": request.space_text}
    with Record.create(tmp_path / "out" / "events.jsonl") as record:
        record.append(SearchStarted("small", "id", 1, 90.0, "digits", **told))
        for event in (trial, Started(0, 1, 0.0), Failed(0, "RuntimeError: no kernel image")):
            record.append(event)
    alone = _run("out", "--retry-failed", cwd=tmp_path)
    assert (alone.returncode, alone.stderr) == (
        2,
        "--retry-failed: must come with --resume, but came without it\n",
    )
    plan = _run("out", "--resume", "--retry-failed", "--dry-run", cwd=tmp_path)
    assert "tried again   1 trial that failed" in plan.stdout, plan.stderr
    done = _run("out", "--resume", "--retry-failed", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    trials, epochs = wrn_search.read(tmp_path / "out")
    assert (trials["status"].tolist(), trials["error"].notna().sum(), len(epochs)) == (["completed"], 0, 1)
