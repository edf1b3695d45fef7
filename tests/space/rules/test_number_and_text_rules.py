"""Single values: what each kind takes and how it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrn_search.space.rules.broken_rule import LeafProblems, spelled
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.rules.number_and_text_rules import (
    one_of,
    plain_text,
    real_number,
    text,
    true_or_false,
    whole_number,
)

COUNT = whole_number(1, 100)
SHARE = real_number(0, 1, below=True)
RATE = real_number(0, 100, above=True)
SWITCH = one_of("auto", "off", not_yet=("on",))


@pytest.mark.parametrize(
    ("leaf", "value", "checked"),
    [
        (COUNT, 7, 7),
        (COUNT, 1e2, 100),
        (SHARE, 0, 0.0),
        (SHARE, 1e-3, 0.001),
        (RATE, 100, 100.0),
        (SWITCH, "auto", "auto"),
        (SWITCH, False, "off"),  # YAML 1.1 reads a bare `off` as false
        (true_or_false(), True, True),
    ],
)
def test_values_are_taken_in_the_type_of_the_leaf(leaf: Leaf, value: Any, checked: Any) -> None:
    assert leaf.validate(value) == checked
    assert type(leaf.validate(value)) is type(checked)


@pytest.mark.parametrize(
    ("leaf", "value", "message"),
    [
        (COUNT, True, "must be a whole number, but got true"),
        (COUNT, "7", "must be a whole number, but got '7'"),
        (COUNT, 7.5, "must be a whole number, but got 7.5"),
        (COUNT, None, "must be a whole number, but got null"),
        (COUNT, float("nan"), "must be a whole number, but got .nan"),
        (COUNT, float("inf"), "must be a whole number, but got .inf"),
        (COUNT, 0, "must be a whole number from 1 to 100, but got 0"),
        (COUNT, 101.0, "must be a whole number from 1 to 100, but got 101.0"),
        (COUNT, 10**5000, "must be a whole number from 1 to 100, but got a number of about 5000 digits"),
        (SHARE, False, "must be a number, but got false"),
        (SHARE, "0.5", "must be a number, but got '0.5'"),
        (SHARE, float("nan"), "must be a finite number, but got .nan"),
        (SHARE, float("-inf"), "must be a finite number, but got -.inf"),
        (SHARE, 1, "must be a number at least 0 and below 1, but got 1"),
        (SHARE, -0.1, "must be a number at least 0 and below 1, but got -0.1"),
        (RATE, 0, "must be a number above 0 and at most 100, but got 0"),
        (RATE, 10**400, "must be a number above 0 and at most 100, but got a number of about 400 digits"),
        (SWITCH, "on", "'on' is not supported yet; use one of auto, off"),
        (SWITCH, True, "'on' is not supported yet; use one of auto, off"),
        (SWITCH, "atuo", "must be one of auto, off, but got 'atuo' (did you mean 'auto'?)"),
        (SWITCH, 3, "must be one of auto, off, but got 3"),
        (true_or_false(), 1, "must be true or false, but got 1"),
        (text("must be short", lambda value: len(value) < 3), 7, "must be short, but got 7 (quote it)"),
        (text("must be short", lambda value: len(value) < 3), "long", "must be short, but got 'long'"),
        (COUNT, {"choice": [1]}, "must be a single value, not a domain, but got {choice: [1]}"),
        (COUNT, {"chioce": [1]}, "must be a whole number, but got {chioce: [1]}"),
    ],
    ids=lambda part: "" if isinstance(part, Leaf) else spelled(part)[:30],
)
def test_other_values_are_refused_in_words(leaf: Leaf, value: Any, message: str) -> None:
    with pytest.raises(LeafProblems) as caught:
        leaf._checked(value)

    assert caught.value.problems == [((), message)]


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text(), st.none(), st.lists(st.integers())))
def test_a_real_number_is_finite_and_inside_whatever_comes(value: Any) -> None:
    try:
        checked = SHARE.check(value)
    except LeafProblems:
        return
    assert 0 <= checked < 1
    assert type(checked) is float


def test_plain_text_holds_no_control_character_and_no_half_surrogate() -> None:
    assert plain_text("é 😀 \u200d")
    assert plain_text("two\nlines", also="\n")
    assert not any(plain_text(bad) for bad in ("a\nb", "\x1b[31m", "\x9b", "\x00", "\ud800"))
