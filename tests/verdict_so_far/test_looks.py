"""A search that stops when it is decided: looks on record, kept over a resume, and played again alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.decisions.trial_to_train import NoTrial
from wrn_search.end_reason import EndReason
from wrn_search.results.events import Looked, SearchResumed
from wrn_search.results.events_jsonl import Record
from wrn_search.verdict_so_far import looks as module
from wrn_search.verdict_so_far.answered_questions import FIRST, SMALLEST, STEP, WINNER, Answer
from wrn_search.verdict_so_far.curves_of_state import curves_of_state

MODEL = {
    "depth": {"choice": [10, 16]},
    "widen_factor": {"choice": [1, 2]},
    "dropout": {"uniform": [0.0, 0.5]},
}
SEARCH = {"trials": 60, "searcher": "random", "scheduler": "none", "stop_when": "decided"}


def space(**search: Any):
    return space_of(model=MODEL, training={"epochs": 3}, search=SEARCH | search)


def curve(assignment, epoch):
    """Wider is better, and nothing else matters; noise by the number of the trial."""
    width = assignment.config.widen_factor
    return 30 / epoch - 4 * width + 0.1 * (assignment.number % 7)


@pytest.fixture
def answered(monkeypatch):
    """Every look answers everything, whatever the trials say."""
    monkeypatch.setattr(module, "answers_of", lambda table, sizes: everything())


def everything() -> dict[str, Answer | None]:
    networks = {name: Answer(name, network=(10.0, 2.0)) for name in (WINNER, SMALLEST)}
    return {"depth_vs_width": Answer("depth_vs_width", "hurts"), **networks}


def test_it_ends_after_two_looks_that_answer_everything_and_says_what_they_said(tmp_path, answered) -> None:
    with new_record(tmp_path / "events.jsonl", space()) as record:
        conductor = conductor_of(space(), record)
        play(conductor, curve)
        assert conductor.end_reason is EndReason.DECIDED
        assert len(conductor.state.trials) == FIRST + STEP
        assert [look.configurations for look in conductor.state.looks] == [FIRST, FIRST + STEP]
        assert conductor.state.looks[0].answers == {
            "depth_vs_width": "hurts",
            WINNER: "WRN-10-2",
            SMALLEST: "WRN-10-2",
        }


def test_trials_that_run_end_after_their_epoch(tmp_path, answered) -> None:
    with new_record(tmp_path / "events.jsonl", space()) as record:
        conductor = conductor_of(space(), record, concurrent=3)
        play(conductor, curve)
        statuses = [trial.status for trial in conductor.state.trials.values()]
    assert set(statuses) == {"completed", "interrupted"}
    assert 1 <= statuses.count("interrupted") <= 2  # another may have reached its last epoch with it


def test_a_resume_does_not_look_again_and_stays_decided_until_more_is_asked(
    tmp_path, answered, monkeypatch
) -> None:
    path = tmp_path / "events.jsonl"
    with new_record(path, space()) as record:
        play(conductor_of(space(), record), curve)
    monkeypatch.setattr(module, "answers_of", lambda *_: pytest.fail("looked again"))
    with Record.open(path) as record:
        record.append(SearchResumed())
        conductor = conductor_of(space(), record)
        assert conductor.next_trial() is NoTrial.DONE
        assert conductor.end_reason is EndReason.DECIDED
    with Record.open(path) as record:
        record.append(SearchResumed(changed={"search.stop_when": None}))
        conductor = conductor_of(space(stop_when=None), record)
        assert conductor.next_trial() is not NoTrial.DONE


def test_a_change_of_the_search_asks_anew(tmp_path, answered) -> None:
    path = tmp_path / "events.jsonl"
    with new_record(path, space()) as record:
        play(conductor_of(space(), record), curve)
    with Record.open(path) as record:
        record.append(SearchResumed(changed={"search.trials": 90}))
        assert conductor_of(space(trials=90), record).state.looks == []


def test_a_killed_session_looks_where_an_unbroken_one_does(tmp_path, answered) -> None:
    with new_record(tmp_path / "whole.jsonl", space()) as record:
        whole = conductor_of(space(), record)
        reports = play(whole, curve)
    path = tmp_path / "broken.jsonl"
    with new_record(path, space()) as record:
        play(conductor_of(space(), record), curve, most_reports=reports // 2)
    with Record.open(path) as record:
        record.append(SearchResumed())
        broken = conductor_of(space(), record)
        play(broken, curve)
    assert broken.state.looks == whole.state.looks
    assert len(broken.state.trials) == len(whole.state.trials)


def test_without_the_key_nothing_is_looked_at(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "answers_of", lambda *_: pytest.fail("looked"))
    with new_record(tmp_path / "events.jsonl", space()) as record:
        conductor = conductor_of(space(stop_when=None), record)
        play(conductor, curve)
        assert conductor.end_reason is EndReason.FINISHED


def test_the_true_look_answers_what_is_plain(tmp_path) -> None:
    with new_record(tmp_path / "events.jsonl", space()) as record:
        conductor = conductor_of(space(trials=FIRST), record)
        play(conductor, curve)
        (look,) = conductor.state.looks
    assert isinstance(look, Looked)
    assert set(look.answers) == {"depth_vs_width", WINNER, SMALLEST}
    assert look.answers["depth_vs_width"] in ("hurts", None)


def test_the_table_holds_rungs_and_ends_alone_so_that_a_replay_comes_to_the_same(tmp_path) -> None:
    with new_record(tmp_path / "events.jsonl", space()) as record:
        conductor = conductor_of(space(stop_when=None), record)
        play(conductor, curve)
        table = curves_of_state(conductor.state, space().hyperparameters, (2,), 300)
    assert table is not None
    assert {trial.epochs for trial in table.trials} == {(2, 3)}
    assert table.scale("depth") == "blocks"
    assert table.scale("dropout") == "linear"
    last = conductor.state.trials[0].last
    assert last is not None
    assert table.trials[0].wrong[-1] == pytest.approx(3 * last.val_error)  # of 300 images


@pytest.mark.parametrize(
    ("model", "pairs"),
    [
        ({"network": {"choice": ["WRN-10-2", "WRN-16-1"]}}, {(10.0, 2.0), (16.0, 1.0)}),
        (MODEL, {(10.0, 1.0), (10.0, 2.0), (16.0, 1.0), (16.0, 2.0)}),
    ],
)
def test_only_networks_of_the_space_can_win(tmp_path, monkeypatch, model, pairs) -> None:
    asked: list[set[module.Pair]] = []
    monkeypatch.setattr(module, "answers_of", lambda table, sizes: asked.append(set(sizes)) or {})
    model = model | {"dropout": {"uniform": [0.0, 0.5]}}
    searched = space_of(model=model, training={"epochs": 3}, search=SEARCH | {"trials": FIRST})

    with new_record(tmp_path / "events.jsonl", searched) as record:
        play(conductor_of(searched, record), curve)

    assert asked == [pairs]
