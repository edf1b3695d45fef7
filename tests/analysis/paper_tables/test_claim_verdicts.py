"""Verdicts on differences with known intervals: what supports a claim, what contradicts it, what leaves it open."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from wrn_search.analysis.paper_tables.claim_verdicts import Evidence, holds, standing, verdict_on
from wrn_search.analysis.paper_tables.measured_differences import (
    NO_SPREAD,
    ONE_SEED,
    MeasuredDifferences,
)
from wrn_search.paper.claims import CLAIMS, Claim

NARROW = (-0.05, 0.05)


@pytest.mark.parametrize(
    ("kind", "alone", "together", "expected"),
    [
        ("lower", (-0.3, -0.1), (-0.4, 0.0), True),
        ("lower", (0.1, 0.3), (0.05, 0.4), False),
        ("lower", (0.1, 0.3), (-0.05, 0.4), None),  # one of many tries: not enough to contradict
        ("lower", NARROW, NARROW, False),  # no difference is no gain
        ("lower", (-1.0, 1.0), (-1.2, 1.2), None),
        ("not lower", (0.1, 0.3), (0.0, 0.4), True),
        ("not lower", NARROW, NARROW, True),
        ("not lower", (-0.15, -0.1), (-0.18, -0.05), False),  # lower, be it within the margin
        ("not lower", (-0.5, 0.5), (-0.6, 0.6), None),
        ("close", NARROW, NARROW, True),
        ("close", (0.3, 0.5), (0.25, 0.6), False),
        ("close", (-0.5, -0.3), (-0.6, -0.25), False),
        ("close", (0.1, 0.3), (0.0, 0.4), None),
        ("no worse", (-3.0, -1.0), (-3.5, -0.5), True),
        ("no worse", (0.3, 0.5), (0.25, 0.6), False),
        ("no worse", (0.1, 0.3), (0.0, 0.4), None),
        ("lower", None, None, None),
    ],
)
def test_what_an_interval_says_of_a_claim(
    kind: Any, alone: Any, together: Any, expected: bool | None
) -> None:
    assert holds(kind, alone, together, margin=0.2) is expected


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((-0.3, -0.1), "lower"),
        ((0.1, 0.3), "higher"),
        ((-0.1, 0.1), "no difference"),
        ((-0.3, 0.1), "undecided"),
        (None, "undecided"),
    ],
)
def test_where_the_first_one_stands(interval: Any, expected: str) -> None:
    assert standing(interval, 0.2) == expected


def claim(key: str) -> Claim:
    return next(each for each in CLAIMS if each.key == key)


def evidence(errors: dict[Any, list[float]], seconds: dict[str, list[float]] | None = None) -> Evidence:
    values = {entry if isinstance(entry, tuple) else (entry, 0.0): each for entry, each in errors.items()}
    times = {
        (name, 0.0): [math.log(each) for each in all_of_it] for name, all_of_it in (seconds or {}).items()
    }

    def key(entry: tuple[str, float | None]) -> tuple[str, float] | None:
        wanted = (entry[0], entry[1] or 0.0)
        return wanted if wanted in values else None

    return Evidence(
        errors=MeasuredDifferences(values),
        log_seconds=MeasuredDifferences(times),
        key=key,
        trained=tuple(values),
        paper_errors={("WRN-40-8", 0.0): 4.66, ("WRN-40-1", 0.0): 6.85},
        paper_times={"WRN-40-4": 68.0, "ResNet-1001": 512.0},
        margin=None,
    )


@pytest.mark.parametrize(
    ("chance_error", "verdict"), [(None, "supported"), (90.0, "undecided"), (98.0, "supported")]
)
def test_networks_that_hardly_learned_say_nothing(chance_error: float | None, verdict: str) -> None:
    errors = {"WRN-40-8": around(86), "WRN-22-8": around(85)}
    found = verdict_on(
        claim("depth_28_to_40_does_not_help"), replace(evidence(errors), chance_error=chance_error)
    )
    assert found is not None
    assert found.verdict == verdict
    assert (found.comparisons[0].standing == "undecided") is (verdict == "undecided")


def test_one_that_learned_is_told_from_one_that_hardly_did() -> None:
    found = verdict_on(
        claim("widening_helps_at_every_depth"),
        replace(evidence({"WRN-40-1": around(88), "WRN-40-8": around(40)}), chance_error=90.0),
    )
    assert found is not None
    assert found.comparisons[0].holds is True


def around(middle: float) -> list[float]:
    return [middle - 0.05, middle, middle + 0.05]


def test_widening_that_helps_wherever_it_was_tried() -> None:
    found = verdict_on(
        claim("widening_helps_at_every_depth"),
        evidence(
            {"WRN-40-1": around(7), "WRN-40-8": around(4.5), "WRN-16-8": around(5), "WRN-16-10": around(4)}
        ),
    )
    assert found is not None
    assert found.verdict == "supported"
    assert [(each.one, each.other) for each in found.comparisons] == [
        ("WRN-16-10", "WRN-16-8"),
        ("WRN-40-8", "WRN-40-1"),
    ]
    deep = found.comparisons[1]
    assert deep.value == pytest.approx(-2.5)
    assert deep.paper == pytest.approx(-2.19)
    assert (deep.n, deep.other_n, deep.standing) == (3, 3, "lower")
    assert found.not_compared == ("WRN-22-10 against WRN-22-8",)


def test_one_depth_at_which_it_hurts_contradicts() -> None:
    errors = {"WRN-40-1": around(7), "WRN-40-8": around(4.5), "WRN-16-8": around(4), "WRN-16-10": around(5)}
    found = verdict_on(claim("widening_helps_at_every_depth"), evidence(errors))
    assert found is not None
    assert found.verdict == "contradicted"


def test_seeds_that_differ_more_than_networks_decide_nothing() -> None:
    errors = {"WRN-40-1": [3.0, 6.0, 9.0], "WRN-40-8": [2.0, 5.0, 8.0]}
    found = verdict_on(claim("widening_helps_at_every_depth"), evidence(errors))
    assert found is not None
    assert found.verdict == "undecided"


@pytest.mark.parametrize(("values", "why"), [([[7.0], [4.5]], ONE_SEED), ([[7.0] * 2, [4.5] * 2], NO_SPREAD)])
def test_without_a_spread_of_seeds_nothing_is_decided(values: list[list[float]], why: str) -> None:
    errors = dict(zip(("WRN-40-1", "WRN-40-8"), values, strict=True))
    found = verdict_on(claim("widening_helps_at_every_depth"), evidence(errors))
    assert found is not None
    assert found.verdict == "undecided"
    assert found.comparisons[0].why_no_interval == why


def test_pairs_without_an_end_are_named() -> None:
    made = evidence({"WRN-40-1": around(7), "WRN-40-8": []})
    found = verdict_on(claim("widening_helps_at_every_depth"), made)
    assert found is not None
    assert (found.verdict, found.comparisons) == ("undecided", ())
    assert found.without_ends == ("WRN-40-8 against WRN-40-1",)


def test_no_pair_no_verdict() -> None:
    assert verdict_on(claim("l_2_is_best"), evidence({"WRN-40-2": around(5), "WRN-16-8": around(5)})) is None


def test_l_2_must_beat_every_other_one() -> None:
    names = ("WRN-40-2-B(3)", "WRN-40-2-B(3,3,3)", "WRN-40-2-B(3,3,3,3)")
    errors = {"WRN-40-2": around(5.4), **dict.fromkeys(names, around(6.2))}
    found = verdict_on(claim("l_2_is_best"), evidence(errors))
    assert found is not None
    assert (found.verdict, len(found.comparisons), found.not_compared) == ("supported", 3, ())
    found = verdict_on(claim("l_2_is_best"), evidence(errors | {names[2]: around(5.0)}))
    assert found is not None
    assert found.verdict == "contradicted"


def test_deeper_at_k_8_is_held_against_28_layers_where_they_are_there() -> None:
    errors = {"WRN-40-8": around(5), "WRN-22-8": around(4)}
    found = verdict_on(claim("depth_28_to_40_does_not_help"), evidence(errors))
    assert found is not None
    assert (found.verdict, found.comparisons[0].other) == ("supported", "WRN-22-8")
    found = verdict_on(claim("depth_28_to_40_does_not_help"), evidence(errors | {"WRN-28-8": around(6)}))
    assert found is not None
    assert (found.verdict, found.comparisons[0].other) == ("contradicted", "WRN-28-8")


def test_dropout_is_told_by_its_probability() -> None:
    errors: dict[Any, list[float]] = {("WRN-16-4", 0.0): around(1.9), ("WRN-16-4", 0.4): around(1.6)}
    found = verdict_on(claim("dropout_helps_on_svhn"), evidence(errors))
    assert found is not None
    assert found.verdict == "supported"
    (pair,) = found.comparisons
    assert (pair.one, pair.other) == ("WRN-16-4 with dropout 0.4", "WRN-16-4 without dropout")


@pytest.mark.parametrize(
    ("wide", "seconds", "verdict"),
    [
        (4.5, [10.0, 10.1, 10.2], "supported"),  # 8 times and more as fast, and better
        (4.5, [16.0, 16.1, 16.2], "contradicted"),  # 5 times
        (5.5, [10.0, 10.1, 10.2], "contradicted"),  # not at its error
        (4.5, [5.0, 10.6, 18.0], "undecided"),
    ],
)
def test_as_fast_and_as_good(wide: float, seconds: list[float], verdict: str) -> None:
    errors = {"WRN-40-4": around(wide), "ResNet-1001": around(4.6)}
    made = evidence(errors, {"WRN-40-4": seconds, "ResNet-1001": [82.0, 82.5, 83.0]})
    found = verdict_on(claim("wrn_40_4_trains_8_times_as_fast"), made)
    assert found is not None
    assert found.verdict == verdict
    speed = found.comparisons[1]
    assert speed.quantity == "speed"
    assert speed.value == pytest.approx(82.5 / sorted(seconds)[1])
    assert speed.paper == pytest.approx(512 / 68)


def test_without_times_it_is_not_supported() -> None:
    made = evidence({"WRN-40-4": around(4.0), "ResNet-1001": around(4.6)})
    found = verdict_on(claim("wrn_40_4_trains_8_times_as_fast"), made)
    assert found is not None
    assert found.verdict == "undecided"
