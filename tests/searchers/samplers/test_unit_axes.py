"""Axes as numbers from 0 to 1: every value has its part, and comes back from it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.searchers.test_optunas_samplers import DOMAIN
from wrn_search.searchers.samplers.unit_axes import unit_axis, without_order
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Uniform, finite_values, member


@given(DOMAIN, st.floats(0, 1))
def test_any_number_stands_for_a_value_of_the_domain_and_a_value_for_itself(
    domain: Domain, share: float
) -> None:
    axis = unit_axis(domain)
    value = axis.value(share)

    assert member(domain, value) == value
    assert 0 <= axis.share(value) <= 1
    again = axis.value(axis.share(value))
    assert again == (pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value)


@pytest.mark.parametrize("domain", [Choice((10, 16, 22)), IntRange(32, 128, 32), Choice(("a", "b", "c"))])
def test_each_of_finitely_many_has_an_equal_part(domain: Domain) -> None:
    axis, values = unit_axis(domain), finite_values(domain) or ()
    found = [axis.value((number + 0.5) / 1200) for number in range(1200)]

    assert [found.count(value) for value in values] == [1200 // len(values)] * len(values)


def test_numbers_of_a_choice_stand_in_their_order_whatever_the_file_says() -> None:
    axis = unit_axis(Choice((40, 10, 16)))

    assert [axis.value(share) for share in (0.0, 0.5, 1.0)] == [10, 16, 40]


@pytest.mark.parametrize("domain", [LogUniform(1e-5, 1e-1), IntRange(1, 9999, log=True)])
def test_the_middle_of_a_logarithmic_axis_is_the_geometric_mean(domain: LogUniform | IntRange) -> None:
    assert unit_axis(domain).value(0.5) == pytest.approx(math.sqrt(domain.low * domain.high), rel=0.5)


def test_labels_have_no_order_but_a_single_one_needs_none() -> None:
    domains = {
        "block": Choice(("B(3,3)", "B(3)")),
        "depth": Choice((10, 16)),
        "init": Choice(("fan_in",)),
        "dropout": Uniform(0.0, 0.5),
    }

    assert without_order(domains) == ["block"]
