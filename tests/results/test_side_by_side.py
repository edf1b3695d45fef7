"""Seconds that a trial trained alone: against a second way, which compares intervals of time pair by pair."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.results.searches import metrics, proposed, search_started
from wrn_search.errors import InputError
from wrn_search.results.event_lines import from_line, to_line
from wrn_search.results.events import Completed, Interrupted, Paused, Reported, SearchResumed, Started
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.table_writer import epoch_rows, epochs_table, trials_table

SECONDS = 1.0  # of training in each epoch here


def _fold(*timed: tuple[float, object]) -> SearchState:
    numbers = {event.number for _, event in timed if isinstance(event, Started)}
    proposals = [(0.0, proposed(number)) for number in sorted(numbers)]
    return fold([(0.0, search_started()), *proposals, *timed])


def _report(number: int, epoch: int, node: str = "node-a") -> Reported:
    return Reported(number, metrics(epoch, seconds=SECONDS), node, "cpu")


def test_epochs_beside_another_trial_are_not_alone() -> None:
    state = _fold(
        (1.0, Started(0, 1, 0.0)),
        (3.0, _report(0, 1)),  # alone
        (4.0, Started(1, 1, 0.0)),
        (5.0, Completed(1)),
        (6.0, _report(0, 2)),  # another one trained meanwhile, and has ended
        (8.0, _report(0, 3)),  # alone again
    )
    assert state.trials[0].seconds_alone == 2 * SECONDS
    assert state.trials[1].seconds_alone == 0.0


@pytest.mark.parametrize("end", [Paused(1, 1), Interrupted(1, "gone"), Completed(1)])
def test_one_that_waits_or_is_gone_shares_nothing(end) -> None:
    state = _fold((1.0, Started(1, 1, 0.0)), (2.0, end), (3.0, Started(0, 1, 0.0)), (5.0, _report(0, 1)))
    assert state.trials[0].seconds_alone == SECONDS


def test_other_nodes_and_whole_gpus_are_shared_with_nobody() -> None:
    beside = [(1.0, Started(0, 1, 0.5)), (1.0, Started(1, 1, 0.5)), (2.5, _report(1, 1, "node-b"))]
    for place, share, alone in (("node-a", 0.5, True), ("node-b", 0.5, False), ("node-b", 1.0, True)):
        start = [(1.0, Started(0, 1, share)), *beside[1:]]
        state = _fold(*start, (4.0, _report(0, 1, place)))
        assert state.trials[0].seconds_alone == SECONDS * alone, place


def test_an_epoch_that_was_trained_before_a_kill_is_not_known_to_be_alone() -> None:
    """It comes from the checkpoint, at once; and whoever trained when the driver died trains no more."""
    state = _fold(
        (1.0, Started(1, 1, 0.0)),
        (9.0, SearchResumed()),
        (10.0, Started(0, 1, 0.0)),
        (10.2, _report(0, 1)),
        (12.0, _report(0, 2)),
    )
    assert state.trials[0].seconds_alone == SECONDS


def test_epochs_that_are_reported_together_are_alone_by_their_own_moments() -> None:
    """Trial 0 tells of three epochs at second 4; trial 1 trained from 1 to 2.5, so beside the first two of them."""
    together = [
        (4.0, Reported(0, metrics(epoch, seconds=SECONDS), "node-a", "cpu", ended_ago=4.0 - (1 + epoch)))
        for epoch in (1, 2, 3)
    ]
    other = [(1.0, Started(1, 1, 0.0)), (2.5, Completed(1))]
    state = _fold((1.0, Started(0, 1, 0.0)), *other, *together)
    assert state.trials[0].alone == {3}
    assert _fold((1.0, Started(0, 1, 0.0)), *together).trials[0].alone == {1, 2, 3}
    assert [epoch for _, epoch in state.trials[0].reports] == [metrics(e, seconds=SECONDS) for e in (1, 2, 3)]


def test_the_tables_tell_which_epochs_were_alone() -> None:
    state = _fold(
        (1.0, Started(0, 1, 0.0)),
        (3.0, _report(0, 1)),
        (3.5, Started(1, 1, 0.0)),
        (5.0, _report(0, 2)),
        (5.5, Completed(1)),
    )
    assert epochs_table(epoch_rows(state))["alone"].to_pylist() == [True, False]
    row = trials_table(state).to_pylist()[0]
    assert (row["train_seconds"], row["seconds_alone"], row["epochs_alone"]) == (2 * SECONDS, SECONDS, 1)


def test_a_report_tells_when_its_epoch_ended_only_where_that_was_earlier() -> None:
    late, now = replace(_report(0, 1), ended_ago=0.75), _report(0, 1)
    assert '"ended_ago":0.75' in to_line(late, 3, 2.0)
    assert "ended_ago" not in to_line(now, 3, 2.0), "as before"
    assert [from_line(to_line(each, 3, 2.0)) for each in (late, now)] == [(3, 2.0, late), (3, 2.0, now)]
    with pytest.raises(InputError, match="ended_ago: must be at least 0, but got -1"):
        _fold((1.0, Started(0, 1, 0.0)), (2.0, replace(now, ended_ago=-1.0)))


def test_random_schedules_agree_with_intervals_compared_pair_by_pair() -> None:
    generator = random.Random(0)
    for _ in range(50):
        timed, spans, epochs = [], [], []
        for number in range(4):
            begin = now = generator.uniform(1, 20)
            timed.append((now, Started(number, 1, 0.0)))
            for epoch in range(1, generator.randint(1, 4)):
                end = now + generator.uniform(1.1, 4)
                timed.append((end, _report(number, epoch)))
                epochs.append((number, now, end))
                now = end
            timed.append((now + 0.01, Completed(number)))
            spans.append((begin, now + 0.01))
        state = _fold(*sorted(timed, key=lambda each: each[0]))
        for number, trial in state.trials.items():
            alone = [
                all(
                    stop <= begin or start >= end
                    for other, (start, stop) in enumerate(spans)
                    if other != number
                )
                for owner, begin, end in epochs
                if owner == number
            ]
            assert trial.seconds_alone == SECONDS * sum(alone)
