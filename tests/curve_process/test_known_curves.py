"""What a search expects of its curves: from what was told alone, whenever it is asked."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from wrn_search.curve_process.known_curves import MOST_ROWS, KnownCurves
from wrn_search.curve_process.log_improvement import log_improvement
from wrn_search.curve_process.numbers_of_errors import Numbers

LEVELS, EPOCHS = (1, 2, 4, 8), 16


def curves_of() -> KnownCurves:
    """Of one hyperparameter, nothing known."""
    return KnownCurves(
        lambda hparams: np.array([float(hparams["x"])]), np.linspace(0, 1, 9)[:, None], LEVELS, EPOCHS, 1000
    )


def error_at(x: float, epoch: int) -> float:
    """Percent; best at 0.3, and the order at the first epoch is another."""
    left = 1 - np.log(epoch) / np.log(EPOCHS)
    return 5 + 60 * (x - 0.3) ** 2 + 40 * left * (1 + 0.3 * np.cos(9 * x))


def told(curves: KnownCurves, configuration: int, *epochs: int) -> None:
    """A configuration, whose x follows from its number, at some epochs."""
    x = configuration * 0.618 % 1
    curves.begins(configuration, {"x": x})
    for epoch in epochs:
        curves.reaches(configuration, epoch, error_at(x, epoch))
    curves.rests(configuration)


def test_ends_of_those_that_wait_are_foreseen() -> None:
    curves = curves_of()
    for number in range(24):
        told(curves, number, *(1, 2, 4, 8, 16)[: 5 if number < 6 else 3])
    xs = [number * 0.618 % 1 for number in range(24)]
    ends = [curves.end_of(number) for number in range(6, 24)]
    misses = [abs(end.error - error_at(x, EPOCHS)) for end, x in zip(ends, xs[6:], strict=True)]
    assert np.median(misses) < 2
    assert all(end.low <= end.error <= end.high for end in ends)
    best = curves.best_first()[0]
    assert abs(xs[best] - 0.3) < 0.1
    improvements = curves.improvement_by([{"x": 0.3}, {"x": 0.95}])
    assert improvements[0] > improvements[1]
    assert curves.chances_of([best])[0] == pytest.approx(0.5)


def test_answers_follow_from_what_was_told_and_not_from_what_was_asked() -> None:
    often, once = curves_of(), curves_of()
    for number in range(90):
        told(often, number, 1, 2)
        often.typical_improvement()
        told(once, number, 1, 2)
    assert often.best_first() == once.best_first()
    np.testing.assert_array_equal(often.improvement_of([3, 4, 80]), once.improvement_of([3, 4, 80]))


def test_one_that_trains_elsewhere_makes_its_neighbours_less_worth() -> None:
    alone, beside = curves_of(), curves_of()
    for curves in (alone, beside):
        for number in range(10):
            told(curves, number, 1, 2, 4, 8, 16)
    beside.begins(99, {"x": 0.33})
    assert beside.improvement_by([{"x": 0.33}])[0] < alone.improvement_by([{"x": 0.33}])[0]
    assert 99 not in beside.considered()


def test_a_value_counts_once_and_a_second_end_instead_of_the_first() -> None:
    curves = curves_of()
    told(curves, 0, 1, 16)
    moment = curves.moment
    curves.reaches(0, 16, error_at(0.0, 16))
    curves.reaches(0, 1, 77.0)
    curves.reaches(5, 1, 77.0)  # never begun
    assert curves.moment == moment
    before = curves.end_of(0).error
    curves.reaches(0, 16, 90.0)
    assert curves.end_of(0).error > before + 20


@pytest.mark.parametrize("error", [0.0, 50.0, 100.0, float("nan"), float("inf")])
def test_equal_and_impossible_errors_give_numbers(error: float) -> None:
    curves = curves_of()
    for number in range(12):
        curves.begins(number, {"x": number / 12})
        curves.reaches(number, 1, error)
        curves.rests(number)
    assert np.all(np.isfinite(curves.improvement_of(range(12))))
    assert np.isfinite(curves.typical_improvement())
    assert 0 <= curves.end_of(3).low <= curves.end_of(3).high <= 100


def test_a_decision_is_cheap_however_many_there_are() -> None:
    """The rows that count are bounded, and so is the time: far below 50 ms of one core for each decision."""
    curves = curves_of()
    for number in range(3000):
        told(curves, number, 1, 2)
    curves.best_first()
    began = time.process_time()
    for number in range(3000, 3020):
        told(curves, number, 1)
        curves.improvement_of(curves.considered())
        curves.improvement_by([{"x": place / 200} for place in range(200)])
    assert (time.process_time() - began) / 20 < 0.05
    assert len(curves.considered()) <= MOST_ROWS
    ends = {curves._points[each][0] for each in curves.considered()}
    assert min(abs(x - 0.3) for x in ends) < 0.01  # the best are always among them


@pytest.mark.parametrize("u", [-200.0, -30.0, -24.9, -3.0, 0.0, 2.0, 60.0])
def test_expected_improvement_in_logarithms(u: float) -> None:
    """E max(0, u - Z), also where it is too small for a double."""
    integral = quad(lambda z: (u - z) * norm.pdf(z), -20, min(u, 20), points=[0])[0] if u > -20 else 0.0
    expected = np.log(integral) if integral else norm.logpdf(u) - 2 * np.log(-u)
    assert log_improvement(np.array([u]))[0] == pytest.approx(expected, rel=2e-3)


def test_errors_become_numbers_and_come_back() -> None:
    errors = np.array([0.0, 0.1, 3.0, 10.0, 50.0, 99.0, 100.0])
    numbers = Numbers.of_first_errors(np.array([5.0, 10.0, 60.0]), 1000)
    there = numbers.of(errors)
    assert np.all(np.diff(there) > 0)
    np.testing.assert_allclose(numbers.errors(there), errors, atol=1e-6)
    assert there[3] == pytest.approx(0.0)
    assert there[-1] - there[-2] < there[1] - there[0]  # the worse half is drawn together
