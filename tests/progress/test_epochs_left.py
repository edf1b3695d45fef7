"""How many epochs are left: by the forecast at first, by the trials in the end."""

from __future__ import annotations

import pytest

from tests.decisions.playing import metrics, space_of
from wrn_search.progress.epochs_left import epochs_left, predicted_per_trial
from wrn_search.progress.search_progress import Progress
from wrn_search.results.events import Paused, Proposed, Reported, SearchResumed, SearchStarted, Started


def test_before_any_trial_has_ended_the_forecast_tells_and_at_the_end_the_trials_do() -> None:
    assert epochs_left(8, 3, 0, 0, 2.5) == 17
    assert epochs_left(8, 20, 8, 20, 2.5) == 0
    assert epochs_left(8, 24, 8, 24, 2.5) == 0


def test_half_way_both_count_alike() -> None:
    by_trials, by_forecast = (8 - 4) * 6 / 4 - (9 - 6), 8 * 2.5 - 9
    assert epochs_left(8, 9, 4, 6, 2.5) == pytest.approx((by_trials + by_forecast) / 2)


def test_without_a_forecast_trials_to_come_take_as_many_as_those_that_ended_or_wait() -> None:
    assert epochs_left(8, 3, 0, 0, None) is None
    assert epochs_left(8, 9, 4, 6, None) == (8 - 4) * 6 / 4 - (9 - 6)


def test_more_than_was_forecast_leaves_nothing_by_it() -> None:
    assert epochs_left(8, 30, 0, 0, 2.5) == 0


@pytest.mark.parametrize(
    "told",
    [
        None,
        "20",
        {},
        {"epochs": 20},
        {"epochs": "20", "trials": 8},
        {"epochs": 20, "trials": 0},
        {"epochs": True, "trials": 8},
        {"epochs": float("inf"), "trials": 8},
        {"epochs": -1, "trials": 8},
    ],
)
def test_a_record_that_tells_no_forecast_or_nonsense_is_one_without(told: object) -> None:
    assert predicted_per_trial({"predicted": told}) is None
    assert predicted_per_trial({}) is None


def _begun() -> Progress:
    """Eight trials of 2.5 epochs by the forecast on record, two of which run."""
    progress = Progress(8, 4, began=0.0)
    details = {"predicted": {"epochs": 20, "trials": 8}}
    progress.apply(0.0, SearchStarted("s", "id", 4, 90.0, "digits", details=details))
    config = space_of().trial_config({"dropout": 0.1}, 0, precision="fp32", compile="off").to_dict()
    for number in range(2):
        progress.apply(0.0, Proposed(number, f"{number}", number, 0, {"dropout": 0.1}, config, 1, 1))
        progress.apply(0.0, Started(number, 1, 0.0))
    return progress


def _wait_after_their_first_epoch(progress: Progress) -> None:
    for number in range(2):
        progress.apply(10.0, Reported(number, metrics(1, 20.0), "node", "cpu"))
        progress.apply(10.0, Paused(number, 1, "others were better"))


def test_the_display_goes_by_the_forecast_on_record() -> None:
    """Two wait after their first epoch: they would tell one epoch a trial."""
    progress = _begun()
    _wait_after_their_first_epoch(progress)
    assert progress.seconds_left(10.0) == pytest.approx((0.25 * 6 + 0.75 * 18) * 5)


@pytest.mark.parametrize(
    ("changed", "epochs"), [({}, 0.25 * 6 + 0.75 * 18), ({"search.scheduler": "none"}, 6)]
)
def test_a_search_that_was_changed_is_not_the_one_of_the_forecast(
    changed: dict[str, str], epochs: float
) -> None:
    progress = _begun()
    progress.apply(1.0, SearchResumed(changed=changed))
    _wait_after_their_first_epoch(progress)
    assert progress.seconds_left(10.0) == pytest.approx(epochs * 5)


def test_the_first_epoch_of_two_that_run_tells_no_pace_yet() -> None:
    progress, left = _begun(), []
    for number, epoch, moment in ((0, 1, 10.0), (1, 1, 12.0), (0, 2, 20.0)):
        progress.apply(moment, Reported(number, metrics(epoch, 20.0), "node", "cpu"))
        left.append(progress.seconds_left(moment))
    assert left == [None, None, pytest.approx(17 * 20 / 3)]
