"""The median stopping rule, against the paper's words."""

from __future__ import annotations

import statistics

from hypothesis import given
from hypothesis import strategies as st

from wrn_search.schedulers.median_stopping import MedianStopping
from wrn_search.schedulers.scheduler import Stop


def _median(grace_period: int = 1, min_samples: int = 3, chance_error: float | None = None) -> MedianStopping:
    return MedianStopping((3, 6), grace_period, min_samples, chance_error, 300)


def _reports(scheduler: MedianStopping, configuration: int, errors: list[float], first: int = 1) -> None:
    for epoch, error in enumerate(errors, start=first):
        scheduler.observe(configuration, epoch, error)


def test_the_best_error_is_set_against_the_median_of_the_averages() -> None:
    median = _median()
    for number, level in enumerate((50.0, 40.0, 30.0)):  # averages 60, 50, 40
        _reports(median, number, [level + 20, level + 10, level])
    _reports(median, 3, [90.0, 52.0, 80.0])
    _reports(median, 4, [90.0, 49.0, 80.0])

    assert [median.decide(number, 3) for number in range(3)] == [None] * 3  # too few had been there
    what = "the median of the averages of the 3 trials before it at this rung"
    assert median.decide(3, 3) == Stop(3, f"lowest error 52.00 % is above 50.00 %, {what}")
    assert median.decide(4, 3) is None
    assert median.decide(3, 2) is None


def test_an_error_as_low_as_the_median_goes_on() -> None:
    median = _median()
    for number in range(8):
        _reports(median, number, [40.0, 40.0, 40.0])
        assert median.decide(number, 3) is None


def test_a_second_report_of_an_epoch_does_not_count() -> None:
    median = _median(min_samples=1)
    _reports(median, 0, [50.0, 50.0, 50.0])
    _reports(median, 1, [60.0, 60.0, 60.0])
    _reports(median, 1, [10.0, 10.0, 10.0])
    assert isinstance(median.decide(1, 3), Stop)


def test_epochs_before_the_grace_period_are_in_no_average_and_no_best() -> None:
    lenient, strict = _median(1, 1), _median(3, 1)
    for scheduler in (lenient, strict):
        _reports(scheduler, 0, [90.0, 60.0, 30.0])
        _reports(scheduler, 1, [31.0, 60.0, 40.0])
    assert lenient.decide(1, 3) is None
    assert strict.decide(1, 3) is not None


def test_one_at_chance_ends_however_few_there_are() -> None:
    median = _median(chance_error=90.0)
    _reports(median, 0, [90.0, 90.0, 89.5])
    assert median.decide(0, 3) == Stop(
        3, "validation error 89.50 % is still that of guessing", at_chance=True
    )


@given(
    st.lists(st.lists(st.integers(0, 20), min_size=6, max_size=6), max_size=9),
    st.integers(1, 3),
    st.integers(1, 4),
)
def test_decisions_are_those_of_the_rule_word_by_word(
    courses: list[list[int]], grace_period: int, min_samples: int
) -> None:
    """Also when all is known already, as in a replay."""
    median = _median(grace_period, min_samples)
    for number, errors in enumerate(courses):
        _reports(median, number, [float(error) for error in errors])
    for number, errors in enumerate(courses):
        for rung in (3, 6):
            averages = [statistics.fmean(each[grace_period - 1 : rung]) for each in courses[:number]]
            ends = len(averages) >= min_samples and min(errors[grace_period - 1 : rung]) > statistics.median(
                averages
            )
            assert isinstance(median.decide(number, rung), Stop) == ends
