"""Domains: their values, and the form in which a space file writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Uniform, finite_values, is_domain
from wrn_search.space.rules.domain_rules import parse_domain
from wrn_search.space.rules.number_and_text_rules import real_number, whole_number


@pytest.mark.parametrize(
    ("domain", "document"),
    [
        (Choice((16, 22)), {"choice": [16, 22]}),
        (Uniform(0.0, 0.5), {"uniform": [0.0, 0.5]}),
        (LogUniform(1e-5, 1e-2), {"loguniform": [1e-5, 1e-2]}),
        (IntRange(10, 40, 6), {"int": [10, 40, 6]}),
    ],
)
def test_a_domain_is_written_as_the_space_file_has_it(
    domain: Domain, document: dict[str, list[float]]
) -> None:
    assert domain.to_document() == document


@pytest.mark.parametrize(
    ("value", "values"),
    [
        (Choice(("a", "b")), ("a", "b")),
        (IntRange(10, 40, 6), (10, 16, 22, 28, 34, 40)),
        (IntRange(1, 3), (1, 2, 3)),
        (Uniform(0.0, 1.0), None),
        (LogUniform(0.1, 1.0), None),
        (16, (16,)),
    ],
)
def test_finite_values_lists_all_or_says_that_there_is_no_end(
    value: Domain | int, values: tuple[int]
) -> None:
    assert finite_values(value) == values
    assert is_domain(value) == (value != 16)


@given(st.integers(1, 1000), st.integers(1, 1000), st.integers(1, 50))
def test_an_int_range_ends_at_its_last_value(low: int, extent: int, step: int) -> None:
    high = low + step + extent
    domain = parse_domain({"int": [low, high, step]}, whole_number(1, 10_000).check)

    assert isinstance(domain, IntRange)
    assert list(domain.values) == [value for value in range(low, high + 1) if (value - low) % step == 0]
    assert domain.high == domain.values[-1]


def test_a_tuple_from_python_is_as_good_as_a_list() -> None:
    assert parse_domain({"choice": (0.1, 0.2)}, real_number(0, 1).check) == Choice((0.1, 0.2))
