"""Thinning, ticks, words and markup: what every figure is made with."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report import made
from wrn_search.analysis.depth_width_map import Cell
from wrn_search.report.depth_width_map import cell_lines, colour_bar
from wrn_search.report.html.axes import error_bars, linear_ticks, log_floor, log_ticks
from wrn_search.report.html.figure import thinned
from wrn_search.report.html.markup import element, escape, plot_text, script_json
from wrn_search.report.learning_curves import learning_curves
from wrn_search.wording import sentence, short_count, two_digits


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=60), st.integers(1, 40))
def test_thinning_keeps_what_must_be_kept_and_spreads_the_rest(keep: list[bool], most: int) -> None:
    places = thinned(range(len(keep)), keep, most)
    must = {place for place, kept in enumerate(keep) if kept}
    assert places == sorted(set(places))
    assert must <= set(places)
    assert len(places) == min(len(keep), max(most, len(must)))
    others = [place for place in range(len(keep)) if not keep[place]]
    drawn = [others.index(place) for place in places if not keep[place]]
    gaps = {second - first for first, second in pairwise(drawn)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@settings(deadline=None)
@given(st.floats(1e-7, 1e10), st.floats(1, 4) | st.floats(1, 1e6))  # within a decade and over several
def test_ticks_are_few_round_and_near_the_values(low: float, ratio: float) -> None:
    high = low * ratio
    ticks = log_ticks(low, high)
    assert ticks == sorted(ticks)
    assert 1 <= len(ticks) <= 9
    assert ticks[0] <= low * 1.001  # no value lies beyond the last tick
    assert ticks[-1] >= high / 1.001
    assert sum(tick < low / 1.001 for tick in ticks) <= 1
    assert sum(tick > high * 1.001 for tick in ticks) <= 1
    for tick in ticks:
        digits = tick / 10 ** math.floor(math.log10(tick) + 1e-9)
        assert digits * 100 == pytest.approx(round(digits * 100), abs=1e-6)  # three digits tell it


@settings(deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(1e-5, 1e5))
def test_ticks_of_a_linear_axis_are_few_and_round(low: float, width: float) -> None:
    ticks = linear_ticks(low, low + width)
    assert 3 <= len(ticks) <= 9
    gaps = [second - first for first, second in pairwise(ticks)]
    assert max(gaps) == pytest.approx(min(gaps), rel=1e-3)
    assert ticks[0] <= low + 1e-9
    assert ticks[-1] >= low + width - 1e-9


def test_a_logarithm_draws_0_at_half_of_the_lowest_above_it() -> None:
    assert log_floor([0.0, 0.4, 8.0]) == 0.2
    assert log_floor([0.0, 0.0]) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5e-4, "5e-4"),
        (1.24e-5, "1.2e-5"),
        (0.25, "0.25"),
        (0, "0"),
        (999, "999"),
        (36_479_194, "36.5 M"),
        (2.2e3, "2.2 k"),
    ],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short_count(value) == text


def test_a_statement_becomes_a_sentence() -> None:
    assert sentence("no trial has ended") == "No trial has ended."
    assert sentence("Is it so?") == "Is it so?"
    assert sentence("  ") == ""


def test_markup_escapes_children_and_attributes_once() -> None:
    inner = element("b", "<&>")
    assert inner == "<b>&lt;&amp;&gt;</b>"
    assert element("p", inner, title='"x"', class_=None) == f'<p title="&quot;x&quot;">{inner}</p>'
    assert escape("\x1b[31m\ud800") == "\\x1b[31m\\ud800"


@settings(deadline=None)
@given(st.text())
def test_text_never_leaves_its_place(text: str) -> None:
    assert not set("<>") & set(escape(text))
    assert not set("<>") & set(plot_text(text))
    packed = script_json({"text": text})
    assert not set("<>&\u2028\u2029") & set(packed)
    assert json.loads(packed) == {"text": text}


def test_numbers_in_scripts_are_finite_and_short() -> None:
    packed = script_json([float("nan"), float("inf"), 1 / 3, 12_345_678, True, None])
    assert packed == "[null,null,0.333333,12345678,true,null]"


def test_a_long_tally_takes_two_lines_and_nothing_is_lost() -> None:
    cell = Cell(16, 2.0, 4.2, 0, 55, 204, 1, 0, 0, None, None, None, 1)
    assert cell_lines(cell, 4.2, two_digits) == ["4.20", "n=55", "s=204 x=1"]
    assert cell_lines(cell, None, two_digits) == ["none", "n=55", "s=204 x=1"]
    few = Cell(16, 2.0, 4.2, 0, 3, 1, 0, 0, 0, 4.3, 4.2, 4.5, 3)
    assert cell_lines(few, 4.3, two_digits) == ["4.30", "4.20\u20134.50", "n=3 s=1"]


def test_equal_values_have_no_colour_bar() -> None:
    """One cell had a bar from half a percent below to half a percent above its value, through negative errors."""
    assert colour_bar([0.4], "%") == {"showscale": False, "zmin": -0.6, "zmax": 1.4}
    assert "colorbar" in colour_bar([0.4, 0.5], "%")


def test_bars_of_an_error_end_at_0_and_are_left_out_where_nothing_is_known() -> None:
    bars = error_bars([0.2, 5.0], [0.6, 0.6])["error_y"]
    assert (bars["array"], bars["arrayminus"]) == ([0.6, 0.6], [0.2, 0.6])
    assert error_bars([0.2], [None]) == {}


def test_an_error_of_0_leaves_the_curves_on_a_logarithm() -> None:
    """One 0.00 turned the axis linear and flattened all curves."""
    found = made.findings()
    first, *others = found.curves.curves
    zero = replace(first, val_error=(*first.val_error[:-1], 0.0))
    figure = learning_curves(replace(found, curves=replace(found.curves, curves=(zero, *others))))
    assert figure.layout["yaxis"]["type"] == "log"
    assert all(value is None or value > 0 for trace in figure.traces for value in trace["y"])
    assert "Errors of 0 are drawn at " in figure.reading
