"""The fold: what a search's state is after any events."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.results.searches import (
    MAX_EPOCHS,
    START,
    confirmation_events,
    every_event,
    metrics,
    proposed,
    reported,
    search_started,
    started,
    timed,
)
from wrn_search.errors import InputError
from wrn_search.results import events as all_events
from wrn_search.results.events import (
    Completed,
    Diverged,
    Exhausted,
    Failed,
    Interrupted,
    SearchEnded,
    SearchResumed,
    Started,
    Stopped,
)
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.table_writer import trials_table
from wrn_search.results.trial_state import FINAL, STATUSES

ENDS = {
    "completed": Completed(0),
    "stopped": Stopped(0, 1, "not among the best third"),
    "diverged": Diverged(0, 2, "train loss is nan in epoch 2"),
    "failed": Failed(0, "RuntimeError: x"),
    "interrupted": Interrupted(0, "SIGINT"),
}


def after(*events):
    """Trial 0 after these events."""
    return fold(timed(search_started(), proposed(0), *events)).trials[0]


def test_the_search_is_what_its_first_event_says():
    state = fold(timed(search_started()))
    assert (state.search, state.search_id) == ("small", "0123456789abcdef")
    assert (state.max_epochs, state.chance_error, state.dataset) == (MAX_EPOCHS, 90.0, "digits")
    assert state.trials == {}
    assert state.ended is None


def test_every_trial_of_a_search_has_its_status():
    state = fold(every_event())
    statuses = {number: trial.status for number, trial in state.trials.items()}
    assert statuses == {
        0: "completed",
        1: "stopped",
        2: "diverged",
        3: "failed",
        4: "running",
        5: "running",
    }
    assert set(statuses.values()) <= STATUSES
    assert state.exhausted == 6


def test_a_trial_runs_from_its_proposal_on_and_keeps_what_was_proposed():
    trial = after()
    proposal = proposed(0)
    assert trial.status == "running"
    assert (trial.trial_id, trial.configuration, trial.repeat) == ("trial_00000", 0, 0)
    assert (trial.hparams, trial.config) == (proposal.hparams, proposal.config)
    assert (trial.num_params, trial.macs) == (proposal.num_params, proposal.macs)
    assert (trial.started_at, trial.finished_at, trial.threads, trial.gpu_fraction) == (None,) * 4
    assert (trial.epochs_done, trial.last, trial.best_val_error) == (0, None, None)


def test_a_start_tells_when_and_with_what():
    trial = after(Started(0, 3, 0.25))
    assert (trial.started_at, trial.threads, trial.gpu_fraction) == (START + 2, 3, 0.25)


def test_reports_are_kept_with_their_times():
    trial = after(started(0), reported(0, 1, val_error=20.0), reported(0, 2, val_error=30.0))
    assert trial.reports == [
        (START + 3, metrics(1, val_error=20.0)),
        (START + 4, metrics(2, val_error=30.0)),
    ]
    assert (trial.epochs_done, trial.last, trial.best_val_error) == (2, metrics(2, val_error=30.0), 20.0)
    assert (trial.node, trial.device) == ("node-a", "cpu")


@pytest.mark.parametrize("status", ENDS)
def test_each_end_gives_its_status_time_and_reason(status):
    trial = after(started(0), ENDS[status])
    assert (trial.status, trial.finished_at) == (status, START + 3)
    reason = {
        "diverged": "train loss is nan in epoch 2",
        "failed": "RuntimeError: x",
        "interrupted": "SIGINT",
    }
    assert trial.error == reason.get(status)
    assert trial.rung == (1 if status == "stopped" else None)


@pytest.mark.parametrize("later", ENDS)
@pytest.mark.parametrize("status", sorted(FINAL))
def test_a_final_status_stands_whatever_ends_the_session(status, later):
    assert after(started(0), ENDS[status], ENDS[later]) == after(started(0), ENDS[status])


@pytest.mark.parametrize("status", ["interrupted", "failed"])
def test_a_trial_that_is_started_again_runs_again(status):
    trial = after(started(0), reported(0, 1), ENDS[status], Started(0, 2, 1.0))
    assert trial.status == "running"
    assert (trial.error, trial.finished_at) == (None, None)
    assert (trial.threads, trial.gpu_fraction) == (2, 1.0)
    assert trial.started_at == START + 2, "the first start is when it started"
    assert trial.epochs_done == 1


def test_the_first_row_of_an_epoch_stands():
    trial = after(started(0), reported(0, 1), reported(0, 2, val_error=5.0), reported(0, 2, val_error=9.0))
    assert [row.val_error for _, row in trial.reports] == [60.0, 5.0]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6), st.floats(0, 100)), max_size=40))
def test_with_any_duplicates_each_epoch_stands_once_as_first_recorded(rows):
    events = [proposed(number) for number in range(3)]
    events += [reported(number, epoch, val_error=error) for number, epoch, error in rows]
    state = fold(timed(search_started(), *events))
    first = {}
    for number, epoch, error in rows:
        first.setdefault((number, epoch), error)
    found = {
        (number, row.epoch): row.val_error
        for number, trial in state.trials.items()
        for _, row in trial.reports
    }
    assert found == first
    assert sum(trial.epochs_done for trial in state.trials.values()) == len(first)


@settings(deadline=None)
@given(st.integers(0, len(every_event())))
def test_the_fold_is_the_same_twice_and_in_two_parts(cut):
    events = every_event()
    assert fold(events) == fold(events)
    state = fold(events[:cut])
    for time, event in events[cut:]:
        state.apply(time, event)
    assert state == fold(events)


def test_a_trial_proposed_twice_stands_as_first_proposed():
    assert after(started(0), reported(0, 1), proposed(0, dropout=0.5)) == after(started(0), reported(0, 1))


@pytest.mark.parametrize("event", [started(7), reported(7, 1), Completed(7), Interrupted(7, "x")])
def test_an_event_of_a_trial_that_was_never_proposed_is_refused(event):
    with pytest.raises(InputError, match=r"number: a trial must be proposed first, but got .*number=7"):
        fold(timed(search_started(), event))


def test_the_end_of_a_session_is_its_reason_until_the_search_goes_on():
    events = timed(search_started(), SearchEnded("interrupted"))
    assert fold(events).ended == "interrupted"
    events += timed(SearchResumed(), first=START + 50)
    assert fold(events).ended is None
    events += timed(Exhausted(4), SearchEnded("exhausted"), first=START + 60)
    assert (fold(events).ended, fold(events).exhausted) == ("exhausted", 4)


def test_seconds_spent_are_those_of_the_sessions_not_of_the_time_between():
    assert SearchState().seconds_spent == 0.0
    first = timed(search_started(), proposed(0), started(0), reported(0, 1))  # 3 seconds, then killed
    second = timed(SearchResumed(), SearchEnded("interrupted"), first=START + 1000)  # 1 second
    third = timed(SearchResumed(), started(0), reported(0, 2), first=START + 5000)  # 2 seconds
    assert fold(first).seconds_spent == 3.0
    assert fold(first + second).seconds_spent == 4.0
    assert fold(first + second + third).seconds_spent == 6.0


def test_a_clock_that_is_set_back_takes_nothing_from_the_seconds_spent():
    events = [*timed(search_started(), proposed(0), started(0)), (START - 3600, reported(0, 1))]
    assert fold(events).seconds_spent == 2.0


@pytest.mark.parametrize(
    "events",
    [
        [proposed(1)],
        [proposed(0), proposed(2)],
        [proposed(0), proposed(1, repeat=2)],
        [proposed(0), proposed(1), proposed(2, repeat=2)],
    ],
)
def test_proposals_out_of_order_are_refused(events):
    with pytest.raises(
        InputError, match=r"^number: proposals must follow each other, and this one must have number"
    ):
        fold(timed(search_started(), *events))


def test_a_confirmation_has_its_choice_its_readings_and_its_test_error_once():
    events = confirmation_events()
    later = timed(
        all_events.Chosen("other", "top", 1, 1, 1, 1, {}),
        all_events.Tested(0, 0.1, 1.0, 10),
        first=START + 100,
    )
    state = fold(events + later)
    assert state.choice == events[0][1]
    trial = state.trials[0]
    assert trial.test_opened == [START + 3]
    assert (trial.tested.test_error, trial.best_val_error) == (4.75, None)
    row = trials_table(state).to_pylist()[0]
    assert (row["test_error"], row["val_error"], row["best_val_error"]) == (4.75, None, None)
