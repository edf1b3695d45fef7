"""Whether places at rungs last: the evidence against scipy, and what ASHA makes of it."""

from __future__ import annotations

import random

import pytest
from scipy import stats

from wrn_search.schedulers.asha import PromotingAsha, asha_of
from wrn_search.schedulers.places_that_last import BELIEVED, EXPECTED, SPREAD, PlacesThatLast, evidence_of
from wrn_search.schedulers.scheduler import Course, Scheduler

LEVELS = (1, 3, 9)


def _concordance(first: list[float], second: list[float]) -> tuple[int, int]:
    pairs = [
        (first[one] - first[other]) * (second[one] - second[other])
        for one in range(len(first))
        for other in range(one)
    ]
    return sum(pair > 0 for pair in pairs), sum(pair < 0 for pair in pairs)


@pytest.mark.parametrize("count", [4, 9, 30])
def test_the_evidence_is_the_ratio_of_two_normals(count: int) -> None:
    generator = random.Random(count)
    first = [generator.random() for _ in range(count)]
    second = [value + generator.random() for value in first]
    tau = stats.kendalltau(first, second).statistic
    by_lot = 2 * (2 * count + 5) / (9 * count * (count - 1))
    lasting = stats.norm.logpdf(tau, EXPECTED, (by_lot + SPREAD**2) ** 0.5)
    expected = lasting - stats.norm.logpdf(tau, 0, by_lot**0.5)
    assert evidence_of(*_concordance(first, second)) == pytest.approx(expected)


def test_few_pairs_and_equal_errors_say_nothing() -> None:
    assert evidence_of(0, 0) == evidence_of(3, 0) == 0.0  # three configurations
    told = PlacesThatLast(LEVELS)
    for configuration in range(50):
        for level in LEVELS:
            told.observe(configuration, level, 20.0)
    assert told.probability == pytest.approx(BELIEVED)
    assert told.one_in(3) == 3


def _observed(errors: dict[int, list[float]]) -> PlacesThatLast:
    told = PlacesThatLast(LEVELS)
    for configuration in range(len(errors[1])):
        for level in LEVELS:
            told.observe(configuration, level, errors[level][configuration])
    return told


@pytest.mark.parametrize(
    ("later", "least", "most"),
    [
        (lambda first, lot: first, 3.0, 3.0),
        (lambda first, lot: lot, 1.0, 1.3),
        (lambda first, lot: -first, 1.0, 1.1),  # that mislead are worth no more
        (lambda first, lot: first + 0.5 * lot, 3.0, 3.0),
    ],
    ids=["the same order", "by lot", "reversed", "the same but for noise"],
)
def test_how_many_go_on(later, least: float, most: float) -> None:
    generator = random.Random(1)
    errors = {1: [generator.random() for _ in range(40)]}
    for before, level in ((1, 3), (3, 9)):
        errors[level] = [later(each, generator.random()) for each in errors[before]]
    assert least <= _observed(errors).one_in(3) <= most


def test_the_first_report_of_a_level_counts_and_one_without_an_earlier_level_is_no_pair() -> None:
    told = PlacesThatLast(LEVELS)
    for configuration in range(10):
        told.observe(configuration, 3, float(configuration))  # passed over the first level
        told.observe(configuration, 2, 0.0)  # none
    assert told.probability == pytest.approx(BELIEVED)
    for configuration in range(10):
        told.observe(configuration, 3, -float(configuration))
        told.observe(configuration, 9, float(configuration))
    assert told.probability > 0.95


def test_the_evidence_of_all_rungs_is_one() -> None:
    """A first rung that says little is outweighed by a second one that says all."""
    generator = random.Random(3)
    told = PlacesThatLast(LEVELS)
    for configuration in range(12):  # the first rung says nothing of the second
        for level in (1, 3):
            told.observe(configuration, level, generator.random())
    assert told.one_in(3) < 3
    for configuration in range(30, 60):  # that passed over it; of those the second rung says all
        for level in (3, 9):
            told.observe(configuration, level, float(configuration))
    assert told.one_in(3) == 3


def _course(**options: object) -> Course:
    told = {"rungs": (1, 3), "rungs_follow_schedule": False, "reduction_factor": 3, "chance_error": 90.0}
    return Course(**{**told, "validation_images": 300, "promote": True, "epochs": 9, **options})  # type: ignore[arg-type]


def _waiting_after(scheduler: Scheduler, *, lasting: bool) -> int:
    """How many of 60 wait when all that may go on has gone on."""
    generator = random.Random(2)
    waiting: dict[int, int] = {}
    own = [generator.random() for _ in range(60)]

    def trains(configuration: int, after: int) -> None:
        for level in (each for each in LEVELS if each > after):
            error = own[configuration] if lasting else generator.random()
            scheduler.observe(configuration, level, 20 + 60 * error)
            if scheduler.decide(configuration, level) is not None:
                waiting[configuration] = level
                return

    for configuration in range(60):
        trains(configuration, 0)
        while (chosen := scheduler.next_to_take_up(waiting, 0)) is not None:
            rung = waiting.pop(chosen)
            scheduler.goes_on(chosen, rung)
            trains(chosen, rung)
    return len(waiting)


def test_asha_lets_all_go_on_where_nothing_lasts_and_one_in_eta_where_places_do() -> None:
    assert _waiting_after(asha_of(_course()), lasting=True) >= 40
    assert _waiting_after(asha_of(_course()), lasting=False) <= 12


def test_only_asha_with_one_objective_asks() -> None:
    for scheduler in (asha_of(_course(objectives=("val_error", "macs"))), asha_of(_course(), rungs=(3,))):
        assert isinstance(scheduler, PromotingAsha)
        assert scheduler.places_that_last is None
