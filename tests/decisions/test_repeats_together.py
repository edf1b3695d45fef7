"""Repeats under a scheduler go on or stop together, by their mean: a configuration is never judged by its survivors."""

from __future__ import annotations

import random
import statistics
from pathlib import Path

import pytest

from tests.decisions.playing import (
    FACTS,
    conductor_of,
    cuts,
    metrics,
    new_record,
    play,
    space_of,
)
from wrn_search.decisions.proposals import SearchPlan
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment, NoTrial
from wrn_search.results.events import Completed, Event, Paused, Reported, SearchResumed, Started, Stopped
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.trial_state import FINAL
from wrn_search.searchers.searcher import Full, Outcome, Pruned
from wrn_search.space.space import Space

REPEATS = 5
RUNGS = (3, 6)
SEED_DEVIATION = 3.0  # points of error
ALL_ALIKE = 20.0  # percent: every configuration's true error


def _space(trials: int = 12, repeats: int = REPEATS, **search) -> Space:
    """A search with two rungs, of ten epochs."""
    asha = {
        "scheduler": "asha",
        "rungs": list(RUNGS),
        "reduction_factor": 3,
        "searcher": "random",
        "promote": False,
    }
    return space_of(search={**asha, "trials": trials, "repeats": repeats, **search})


def _noise(assignment: Assignment, epoch: int) -> float:
    """The same true error for all, and a deviation that each seed keeps."""
    seed = random.Random(assignment.config.seed)
    return ALL_ALIKE + seed.gauss(0, SEED_DEVIATION) + 0 * epoch


def _worse_with_each(assignment: Assignment, epoch: int) -> float:
    return 20.0 + assignment.number


def _played(path: Path, space: Space, curve=_noise, concurrent: int = 1) -> tuple[Conductor, list[Event]]:
    conductor = conductor_of(space, new_record(path, space), concurrent)
    play(conductor, curve)
    return conductor, [event for _, event in read_events(path)]


def _statuses(conductor: Conductor) -> list[list[str]]:
    """Of the repeats of each configuration."""
    numbers = range(0, len(conductor.state.trials), conductor.space.search.repeats)
    return [[trial.status for trial in conductor.state.repeats_of(number)] for number in numbers]


@pytest.mark.parametrize("concurrent", [1, 2, 4, 7])
def test_repeats_end_alike_and_at_the_same_rung(tmp_path, concurrent) -> None:
    conductor, _ = _played(tmp_path / "events.jsonl", _space(), concurrent=concurrent)
    assert conductor.end_reason == "finished"
    for number in range(0, len(conductor.state.trials), REPEATS):
        repeats = conductor.state.repeats_of(number)
        assert len(repeats) == REPEATS
        assert len({(trial.status, trial.rung, trial.epochs_done) for trial in repeats}) == 1
    assert {status for statuses in _statuses(conductor) for status in statuses} == {"completed", "stopped"}


def _told(monkeypatch) -> list[Outcome]:
    """What searchers that are made from now on are told."""
    told: list[Outcome] = []
    learn = SearchPlan.__init__

    def listening(self: SearchPlan, *arguments, **options) -> None:
        learn(self, *arguments, **options)
        monkeypatch.setattr(self._searcher, "told", lambda _, outcome: told.append(outcome))

    monkeypatch.setattr(SearchPlan, "__init__", listening)
    return told


@pytest.mark.parametrize(("searcher", "hears"), [("tpe", True), ("random", False), ("qmc", False)])
def test_only_who_learns_is_told_of_ends(tmp_path, monkeypatch, searcher, hears) -> None:
    told = _told(monkeypatch)
    conductor, _ = _played(tmp_path / "events.jsonl", _space(searcher=searcher))
    assert conductor.end_reason == "finished"
    assert len(told) == (12 if hears else 0)


def test_the_searcher_hears_the_mean_of_all_seeds_of_what_went_on(tmp_path, monkeypatch) -> None:
    """All are at 20 %: by their survivors the searcher would hear of 15 %."""
    told = _told(monkeypatch)
    conductor, _ = _played(tmp_path / "events.jsonl", _space(trials=40, searcher="tpe"))
    full = [outcome.val_error for outcome in told if isinstance(outcome, Full)]
    assert len(told) == 40
    assert 2 <= len(full) < 40
    # The mean of five seeds deviates by 3 / sqrt(5) points: four deviations below the truth none of 40 is seen.
    assert min(full) > ALL_ALIKE - 4 * SEED_DEVIATION / REPEATS**0.5
    for outcome in told:
        if isinstance(outcome, Pruned):
            assert set(outcome.curve) in ({1, 2, 3}, set(range(1, 7)))
    whole = [statuses for statuses in _statuses(conductor) if "completed" in statuses]
    assert whole == [["completed"] * REPEATS] * len(full)


def test_a_configuration_is_decided_on_by_its_mean(tmp_path) -> None:
    """Seeds at 10 and 40 % lose against two at 20 %, though one of them is the best of all."""
    errors = {0: 20.0, 1: 20.0, 2: 10.0, 3: 40.0}
    space = _space(trials=2, repeats=2, reduction_factor=2)
    conductor, events = _played(
        tmp_path / "events.jsonl", space, lambda assignment, _: errors[assignment.number]
    )
    assert _statuses(conductor) == [["completed"] * 2, ["stopped"] * 2]
    reasons = [(event.number, event.reason) for event in events if isinstance(event, Stopped)]
    assert reasons == [(number, "1 of 2 configurations at this rung were better") for number in (3, 2)]


def test_one_that_waits_trains_no_epoch_and_gives_its_place_back(tmp_path) -> None:
    space = _space(trials=1, repeats=3)
    conductor, events = _played(tmp_path / "events.jsonl", space)
    told = [event for event in events if isinstance(event, Started | Reported | Paused | Completed)]
    at_rung = [index for index, event in enumerate(told) if isinstance(event, Paused)]
    assert [told[index].number for index in at_rung] == [0, 1, 2, 0]  # the last to arrive goes on at once
    for index in at_rung:
        paused = told[index]
        following = next(
            place for place in range(index + 1, len(told)) if told[place].number == paused.number
        )
        assert isinstance(told[following], Started)
        others = {
            event.number
            for event in told[:following]
            if isinstance(event, Reported) and event.metrics.epoch == paused.rung
        }
        assert others == {0, 1, 2}  # all had come to the rung before it went on
    assert _statuses(conductor) == [["completed"] * 3]
    for trial in conductor.state.trials.values():
        assert [report.epoch for _, report in trial.reports] == list(range(1, 11))


def test_with_one_repeat_no_trial_waits_and_reasons_name_trials(tmp_path) -> None:
    _, events = _played(tmp_path / "events.jsonl", _space(trials=30, repeats=1), concurrent=3)
    assert not any(isinstance(event, Paused) for event in events)
    reasons = [event.reason for event in events if isinstance(event, Stopped)]
    assert reasons
    assert all("trials at this rung were better" in reason for reason in reasons)


def test_without_a_scheduler_no_repeat_waits(tmp_path) -> None:
    conductor, events = _played(tmp_path / "events.jsonl", _space(trials=3, scheduler="none"))
    assert not any(isinstance(event, Paused) for event in events)
    assert _statuses(conductor) == [["completed"] * REPEATS] * 3


@pytest.mark.parametrize("end", ["diverged", "failed", "out of memory"])
@pytest.mark.parametrize("concurrent", [1, 2, 3])
def test_those_that_wait_for_one_that_ends_are_decided_on_without_it(tmp_path, end, concurrent) -> None:
    """Rule 2: one that diverged or ran out of memory counts as guessing, one that crashed not at all."""
    space = _space(trials=2, repeats=3, reduction_factor=2)
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent)
    running: list[tuple[int, int]] = []
    while True:
        while isinstance(answer := conductor.next_trial(), Assignment):
            conductor.started(answer.number)
            running.append((answer.number, conductor.state.trials[answer.number].epochs_done))
        if not running:
            break
        number, epoch = running.pop(0)
        if (number, epoch) == (4, 2):  # the second repeat of the second configuration, before the rung
            if end == "diverged":
                conductor.diverged(number, 3, "nan")
            else:
                conductor.failed(number, "broken", out_of_memory=end == "out of memory")
        elif conductor.reported(number, metrics(epoch + 1, 20.0 - number), "node", "cpu"):
            running.append((number, epoch + 1))
    assert answer is NoTrial.DONE
    first, second = _statuses(conductor)
    assert first == ["completed"] * 3
    ended = "diverged" if end == "diverged" else "failed"
    others = (
        "completed" if end == "failed" else "stopped"
    )  # (17 + 15) / 2 is better than 19, (17 + 15 + 90) / 3 not
    assert second == [others, ended, others]


def test_a_retry_or_a_node_that_leaves_keeps_the_others_waiting(tmp_path) -> None:
    space = _space(trials=1, repeats=2, retries=2)
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), 2)
    for number in (0, 1):
        assert conductor.next_trial().number == number
        conductor.started(number)
    assert [conductor.reported(0, metrics(epoch, 20.0), "node", "cpu") for epoch in (1, 2, 3)] == [
        True,
        True,
        False,
    ]
    conductor.reported(1, metrics(1, 20.0), "node", "cpu")
    for fault in (conductor.lost, conductor.displaced):
        fault(1, "gone")
        assert conductor.next_trial().number == 1  # trial 0 has not been let go on
        assert conductor.next_trial() is NoTrial.WAIT
        conductor.started(1)
    for epoch in (2, 3):
        assert conductor.reported(1, metrics(epoch, 20.0), "node", "cpu")
    answer = conductor.next_trial()
    assert (answer.number, answer.epochs_done) == (0, 3)


def _resumed(path: Path, space: Space) -> Conductor:
    with Record.open(path) as record:
        record.append(SearchResumed())
    return conductor_of(space, Record.open(path))


@pytest.mark.parametrize("killed_after", range(1, 60, 7))
def test_a_killed_search_goes_on_as_if_nothing_had_happened(tmp_path, killed_after) -> None:
    space = _space(trials=6, repeats=3, searcher="tpe", reduction_factor=2)
    whole, _ = _played(tmp_path / "whole.jsonl", space)
    path = tmp_path / "killed.jsonl"
    with new_record(path, space) as record:
        assert play(conductor_of(space, record), _noise, most_reports=killed_after) == killed_after
    resumed = _resumed(path, space)
    play(resumed, _noise)
    for one, other in zip(whole.state.trials.values(), resumed.state.trials.values(), strict=True):
        ours, theirs = ((t.trial_id, t.hparams, t.status, t.rung, t.epochs_done) for t in (one, other))
        assert ours == theirs


def test_a_kill_at_any_event_leaves_no_configuration_half_stopped(tmp_path) -> None:
    """The driver died between two events, such as those that stop the repeats of one configuration."""
    space = _space(trials=3, repeats=2, reduction_factor=2)
    path = tmp_path / "whole.jsonl"
    whole, _ = _played(path, space, _worse_with_each)
    assert _statuses(whole) == [["completed"] * 2, ["stopped"] * 2, ["stopped"] * 2]
    for kept, cut in cuts(path):
        resumed = _resumed(cut, space)
        play(resumed, _worse_with_each)
        assert _statuses(resumed) == _statuses(whole), kept
        assert resumed.state.trials.keys() == whole.state.trials.keys()


def test_a_record_of_repeats_that_were_stopped_one_by_one_goes_on_together(tmp_path) -> None:
    """As earlier versions wrote it: one repeat was stopped at a rung, another trains on, the third has not begun."""
    space = _space(trials=1, repeats=3)
    path = tmp_path / "events.jsonl"
    with new_record(path, space) as record:
        conductor = conductor_of(space, record, 3)
        for number in range(3):
            conductor.next_trial()
            conductor.started(number)
        for number, last in ((0, 3), (1, 4)):
            for epoch in range(1, last + 1):
                record.append(Reported(number, metrics(epoch, 20.0), "node", "cpu"))
        record.append(Stopped(0, 3, "1 of 1 trials at this rung were better"))
    resumed = _resumed(path, space)
    play(resumed, _noise)
    assert resumed.end_reason == "finished"
    assert _statuses(resumed) == [["stopped"] * 3]
    assert {trial.rung for trial in resumed.state.trials.values()} == {3}
    assert all(trial.status in FINAL for trial in resumed.state.trials.values())


def test_the_outcome_of_a_played_search_is_the_mean_over_its_seeds(tmp_path) -> None:
    """The value told is found again by hand, from the tables of what was reported."""
    space = _space(trials=4, repeats=4, reduction_factor=2)
    conductor, _ = _played(tmp_path / "events.jsonl", space)
    arrived: list[float] = []
    for number in range(0, 16, 4):
        repeats = conductor.state.repeats_of(number)
        mean = statistics.fmean(trial.reports[RUNGS[0] - 1][1].val_error for trial in repeats)
        arrived.append(mean)
        places = max(1, len(arrived) // 2)
        stopped = sorted(arrived).index(mean) >= places or mean >= FACTS.chance_error
        assert (repeats[0].rung == RUNGS[0]) is stopped
