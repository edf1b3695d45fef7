"""ASHA that promotes: configurations wait at rungs, go on when their place allows it, and end with the search."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decisions.playing import (
    FACTS,
    conductor_of,
    fates,
    goes_on_after_any_kill,
    metrics,
    new_record,
    play,
    played,
    space_of,
)
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment, NoTrial
from wrn_search.end_reason import EndReason
from wrn_search.results.events import Paused, Reopened, Resumed, Started, Stopped
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.schedulers.asha import PromotingAsha
from wrn_search.schedulers.scheduler import Wait
from wrn_search.space.space import Space

RUNGS = (1, 3)
EPOCHS = 9


def _space(trials: int = 12, **search: object) -> Space:
    asha = {"scheduler": "asha", "rungs": list(RUNGS), "searcher": "random", "anchors": 0.0, "trials": trials}
    return space_of(training={"epochs": EPOCHS}, search={**asha, **search})


def _error(number: int) -> float:
    """Of a trial at every epoch; the order of arrival says nothing."""
    return 5 + 80 * random.Random(number).random()


def _curve(assignment: Assignment, epoch: int) -> float:
    return _error(assignment.number) - epoch / 10


def _played(path: Path, space: Space, curve: Callable = _curve, **options: int) -> Conductor:
    return played(path, space, curve, **options)


def _epochs_by_the_paper(errors: list[float], eta: int) -> list[int]:
    """Algorithm 2 of Li et al., word by word, one worker: who could be promoted is, from the top; else a new one."""
    reached = [0] * len(errors)  # how many rungs each has passed; 3 is the end
    seen: list[set[int]] = [set() for _ in RUNGS]
    promoted: list[set[int]] = [set() for _ in RUNGS]
    begun = 0
    while True:
        for k in reversed(range(len(RUNGS))):
            best = sorted(seen[k], key=lambda each: errors[each])[: len(seen[k]) // eta]
            if fitting := [each for each in best if each not in promoted[k]]:
                promoted[k].add(fitting[0])
                job = fitting[0]
                break
        else:
            if begun == len(errors):
                return [(*RUNGS, EPOCHS)[passed - 1] for passed in reached]
            job, begun = begun, begun + 1
        if reached[job] < len(RUNGS):
            seen[reached[job]].add(job)
        reached[job] += 1


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(list(range(18))), eta=st.integers(2, 4))
def test_who_trains_how_long_is_what_the_paper_says(tmp_path_factory, order: list[int], eta: int) -> None:
    errors = [10.0 + each for each in order]
    space = _space(trials=len(order), reduction_factor=eta)
    path = tmp_path_factory.mktemp("paper") / "events.jsonl"
    conductor = _played(path, space, lambda assignment, epoch: errors[assignment.number])
    trials = list(conductor.state.trials.values())
    expected = _epochs_by_the_paper(errors, eta)
    if max(expected) == EPOCHS:  # else the best one still comes to its end, see below
        assert [trial.epochs_done for trial in trials] == expected
    assert all(
        trial.status == ("completed" if trial.epochs_done == EPOCHS else "stopped") for trial in trials
    )


@pytest.mark.parametrize("trials", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("workers", [1, 4])
def test_however_few_there_are_one_comes_to_its_end(tmp_path, trials: int, workers: int) -> None:
    conductor = _played(tmp_path / "events.jsonl", _space(trials), concurrent=workers)
    ends = [trial.status for trial in conductor.state.trials.values()]
    assert "completed" in ends
    assert set(ends) <= {"completed", "stopped"}


def test_equal_errors_and_divergence(tmp_path) -> None:
    alike = _played(tmp_path / "alike.jsonl", _space(9), lambda assignment, epoch: 20.0)
    assert [trial.status for trial in alike.state.trials.values()].count("completed") >= 1
    lost = _played(tmp_path / "lost.jsonl", _space(5), lambda assignment, epoch: None)
    assert {trial.status for trial in lost.state.trials.values()} == {"diverged"}


@pytest.mark.parametrize("trials", [4, 5])
def test_one_comes_to_its_end_though_the_best_diverged_on_their_way(tmp_path, trials: int) -> None:
    def curve(assignment: Assignment, epoch: int) -> float | None:
        return None if assignment.number < 2 and epoch > 2 else 20.0 + assignment.number

    ends = [
        trial.status
        for trial in _played(tmp_path / "events.jsonl", _space(trials), curve).state.trials.values()
    ]
    assert ends == ["diverged", "diverged", "completed", *["stopped"] * (trials - 3)]


def test_one_that_comes_early_goes_on_when_others_were_worse(tmp_path) -> None:
    path = tmp_path / "events.jsonl"
    conductor = _played(path, _space(9), lambda assignment, epoch: 20.0 + assignment.number)
    events = [event for _, event in read_events(path) if getattr(event, "number", None) == 0]
    kinds = [type(event) for event in events if isinstance(event, Paused | Resumed | Started | Stopped)]
    assert kinds[:4] == [Started, Paused, Resumed, Started]
    assert conductor.state.trials[0].status == "completed"
    assert "0 of 1 trials at this rung were better" in next(e.reason for e in events if isinstance(e, Paused))


def test_the_reason_of_an_end_counts_all_that_arrived(tmp_path) -> None:
    conductor = _played(
        tmp_path / "events.jsonl", _space(9), lambda assignment, epoch: 20.0 + assignment.number
    )
    last = conductor.state.trials[8]
    assert (last.status, last.rung, last.is_paused) == ("stopped", 1, False)
    stops = [event for _, event in read_events(tmp_path / "events.jsonl") if isinstance(event, Stopped)]
    assert "8 of 9 trials at this rung were better" in {stop.reason for stop in stops}


@pytest.mark.parametrize(
    "options", [{}, {"repeats": 2}, {"searcher": "tpe", "trials": 16}, {"anchors": 0.25, "trials": 18}]
)
def test_a_search_killed_at_any_event_goes_on_as_if_nothing_had_happened(tmp_path, options) -> None:
    space = _space(**{"trials": 9, **options})
    assert '"resumed"' in goes_on_after_any_kill(tmp_path, space, _curve, 3 if options else 1)


def test_repeats_rest_and_go_on_together(tmp_path) -> None:
    conductor = _played(tmp_path / "events.jsonl", _space(6, repeats=3), concurrent=2)
    for first in range(0, 18, 3):
        repeats = conductor.state.repeats_of(first)
        assert len({(trial.status, trial.epochs_done) for trial in repeats}) == 1


def test_an_anchor_never_rests(tmp_path) -> None:
    space = _space(20, anchors=0.3, anchor_epochs=1)
    path = tmp_path / "events.jsonl"
    conductor = _played(path, space, lambda assignment, epoch: 80.0 - assignment.number)
    anchors = {trial.number for trial in conductor.state.trials.values() if trial.anchor}
    rested = {event.number for _, event in read_events(path) if isinstance(event, Paused)}
    assert anchors
    assert rested
    assert not anchors & rested
    assert all(conductor.state.trials[number].status == "completed" for number in anchors)


def test_no_worker_is_idle_while_one_that_rests_may_go_on(tmp_path) -> None:
    """Three workers; of the first three the best goes on as soon as a place is free, before anything new begins."""
    conductor = conductor_of(_space(30), new_record(tmp_path / "events.jsonl", _space(30)), concurrent=3)
    first = [conductor.next_trial() for _ in range(3)]
    for answer in first:
        assert isinstance(answer, Assignment)
        conductor.started(answer.number)
    for number, error in enumerate((10.0, 20.0, 30.0)):
        assert not conductor.reported(number, metrics(1, error), "node", "cpu")
    answer = conductor.next_trial()
    assert isinstance(answer, Assignment)
    assert (answer.number, answer.epochs_done) == (0, 1)
    others = [conductor.next_trial() for _ in range(3)]
    assert [each.number for each in others[:2] if isinstance(each, Assignment)] == [3, 4]
    assert others[2] is NoTrial.WAIT


def test_those_that_rest_stay_so_when_the_user_stops_the_search(tmp_path) -> None:
    """And go on with the next session, which may have more trials: what was seen is not lost."""
    path = tmp_path / "events.jsonl"
    few = _space(4)
    with new_record(path, few) as record:
        conductor = conductor_of(few, record)
        play(conductor, _curve, most_reports=3)
        conductor.interrupt()
        assert conductor.next_trial() is NoTrial.DONE
    assert not [event for _, event in read_events(path) if isinstance(event, Stopped)]
    more = conductor_of(_space(12), Record.open(path))
    play(more, _curve)
    whole = _played(tmp_path / "whole.jsonl", _space(12))
    assert fates(more) == fates(whole)


@pytest.mark.parametrize("reports", [*range(1, 20), 1000])
def test_a_search_that_let_none_rest_goes_on_with_promotion(tmp_path, reports: int) -> None:
    """Who went on by the other rule has gone on."""
    path, before = tmp_path / "events.jsonl", _space(6, promote=False)
    with new_record(path, before) as record:
        play(conductor_of(before, record, concurrent=2), _curve, most_reports=reports)
    conductor = conductor_of(_space(12), Record.open(path), concurrent=2)
    play(conductor, _curve)
    ends = [trial.status for trial in conductor.state.trials.values()]
    assert len(ends) == 12
    assert set(ends) == {"completed", "stopped"}
    assert not conductor._known.resting


@pytest.mark.parametrize("search", [{"promote": False}, {"scheduler": "none"}])
def test_those_that_rest_end_or_go_on_by_another_scheduler(tmp_path, search: dict) -> None:
    path, space = tmp_path / "events.jsonl", _space(6)
    with new_record(path, space) as record:
        play(conductor_of(space, record), _curve, most_reports=4)
    conductor = conductor_of(_space(6, **search), Record.open(path))
    play(conductor, _curve)
    ends = {trial.status for trial in conductor.state.trials.values()}
    assert ends == ({"completed", "stopped"} if "promote" in search else {"completed"})


def test_a_failed_repeat_that_is_tried_again_trains_once_while_the_others_rest(tmp_path) -> None:
    path, space = tmp_path / "events.jsonl", _space(9, repeats=2)
    with new_record(path, space) as record:
        conductor = conductor_of(space, record)
        conductor.started(conductor.next_trial().number)
        conductor.failed(0, "boom")
        conductor.started(conductor.next_trial().number)
        assert not conductor.reported(1, metrics(1, 1.0), "node", "cpu")
    record = Record.open(path)
    record.append(Reopened(0))
    conductor = conductor_of(space, record, concurrent=5)
    assert _numbers_begun(conductor) == [0, 2, 3, 4, 5]
    for number in (2, 3, 4, 5):
        conductor.reported(number, metrics(1, 50.0), "node", "cpu")
    assert _numbers_begun(conductor) == [1, 6, 7, 8]
    assert conductor.reported(0, metrics(1, 1.0), "node", "cpu"), "its configuration has gone on"


def _numbers_begun(conductor: Conductor) -> list[int]:
    numbers = []
    while isinstance(answer := conductor.next_trial(), Assignment):
        conductor.started(answer.number)
        numbers.append(answer.number)
    return numbers


def test_none_goes_on_when_the_hours_are_over(tmp_path) -> None:
    """All are proposed and rest at a rung; with more hours the best of them comes to its end."""
    path, now = tmp_path / "events.jsonl", [0.0]
    with new_record(path, _space(2)) as record:
        conductor = conductor_of(_space(2, max_hours=1), record, clock=lambda: now[0])
        play(conductor, _curve, most_reports=2)
        now[0] = 3601.0
        assert conductor.next_trial() is NoTrial.DONE
        assert conductor.end_reason is EndReason.MAX_HOURS
    assert not [event for _, event in read_events(path) if isinstance(event, Resumed | Stopped)]
    more = conductor_of(_space(2), Record.open(path))
    play(more, _curve)
    assert sorted(trial.status for trial in more.state.trials.values()) == ["completed", "stopped"]


def test_one_at_chance_ends_at_once(tmp_path) -> None:
    space = _space(3, rungs="schedule")
    conductor = _played(tmp_path / "events.jsonl", space, lambda assignment, epoch: FACTS.chance_error)
    assert all(trial.status == "stopped" and trial.at_chance for trial in conductor.state.trials.values())


def test_a_scheduler_that_hears_the_same_again_answers_alike() -> None:
    """Ties among those that wait, second reports, epochs that are no rung."""
    asha = PromotingAsha(RUNGS, 3, None, 300)
    for configuration, error in enumerate((30.0, 20.0, 20.0, 40.0)):
        for _ in range(2):
            asha.observe(configuration, 1, error)
        asha.observe(configuration, 2, 0.0)
    assert isinstance(asha.decide(0, 1), Wait)
    assert asha.decide(2, 1) is None  # as good as the best of three
    waiting = {0: 1, 1: 1, 3: 1}
    assert [asha.next_to_take_up(waiting, at_least=0) for _ in range(2)] == [1, 1]
    asha.goes_on(1, 1)
    assert asha.decide(1, 1) is None
    assert asha.next_to_take_up({0: 1, 3: 1}, at_least=0) is None
    assert asha.left_behind(0, 1).reason == "2 of 4 trials at this rung were better"
