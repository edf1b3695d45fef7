"""The verdict in words: what is decided, how, and what would decide the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report import made
from wrn_search.analysis.curve_model.model_values import DivergenceRate, Margin, Verdict, Winner
from wrn_search.analysis.curve_model.verdict_lines import (
    decided,
    divergence_lines,
    expectation,
    margin_words,
    network_lines,
    question_lines,
)

WIDTH = Verdict("width", "a doubling of the widening factor", 0.72, 0.66, 0.79, "predicted", "helps", 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "helps"),
        ({"verdict": "hurts"}, "hurts"),
        ({"verdict": "no difference"}, "no difference beyond 10 %"),
        (
            {"verdict": "undecided", "trainings_to_decide": 7},
            "undecided; about 7 more trainings would decide",
        ),
        ({"verdict": "undecided", "trainings_to_decide": 1}, "undecided; about 1 more training would decide"),
        (
            {"verdict": "undecided", "trainings_to_decide": None},
            "undecided; more than 60 further trainings would be needed",
        ),
        ({"question": "depth_vs_width"}, "depth is worth more"),
        ({"question": "depth_vs_width", "verdict": "hurts"}, "width is worth more"),
    ],
)
def test_a_verdict_in_words(changes, words):
    assert decided(replace(WIDTH, **changes)) == words


def lines_of(*verdicts):
    return [line.sentence for line in question_lines(replace(made.findings().model, verdicts=verdicts))]


def test_a_line_has_the_effect_its_interval_and_the_verdict():
    assert lines_of(WIDTH) == [
        "Width: doubling the width multiplies the odds of an error by 0.72 (0.66 to 0.79): helps."
    ]


def test_an_interval_that_leaves_1_by_little_shows_that_it_does():
    (line,) = lines_of(replace(WIDTH, high=0.9971))
    assert "(0.66 to 0.997): helps" in line


def test_the_winner_is_measured_and_expected():
    lucky = Winner(0, 0, "WRN-10-2", 303_418, 0.0, 1, 1.6, 0.9, 2.6)
    assert expectation(lucky) == "measured 0.00 %; expected when retrained 1.6 % (0.90 to 2.6)"
    assert "the median of 5 seeds" in expectation(replace(lucky, n=5))


def test_a_winner_that_is_smaller_and_expected_lower_than_every_network_is_named():
    """Else the line would call a larger network the smallest that is as good as the best."""
    model = made.findings().model
    lowest = min(cell.estimate for cell in model.cells)
    small = replace(model.winner, network="WRN-10-1", num_params=1000, expected=lowest - 0.5)
    (line,) = network_lines(replace(model, winner=small))
    assert line.text.startswith(
        "the winner's own WRN-10-1, whose settings are expected to reach less than any network"
    )
    assert "of 20 networks of the space" in line.text
    (line,) = network_lines(replace(model, winner=replace(small, expected=lowest + 0.5)))
    assert not line.text.startswith("the winner's")


@pytest.mark.parametrize(
    ("margin", "error", "words"),
    [
        (Margin(), 2.0, "0.5 points"),
        (Margin(), 8.0, "0.80 points (10 % of the error)"),
        (Margin(0.3, 0.0), 8.0, "0.3 points"),
    ],
)
def test_the_margin_says_which_of_the_two_it_is(margin, error, words):
    assert margin_words(margin, error) == words


def test_every_network_is_as_good_worse_or_undecided():
    model = made.findings().model
    (line,) = network_lines(model)
    counts = [
        sum(cell.standing == each for cell in model.cells) for each in ("as good", "worse", "undecided")
    ]
    assert f"of 20 networks of the space {counts[0]} " in line.text
    assert f"{counts[1]} worse, {counts[2]} undecided" in line.text
    assert sum(counts) == 20


def test_divergence_is_told_where_it_was_worst():
    """8 of 12 trainings at k = 8 diverged, and no sentence said so."""
    rates = (DivergenceRate(16, 1.0, 3.0, 0.5, 9.0, 0, 12), DivergenceRate(16, 8.0, 64.0, 38.0, 84.0, 8, 12))
    (line,) = divergence_lines(replace(made.findings().model, diverging=rates))
    assert line.sentence == (
        "Divergence: 8 of 24 trainings diverged; the most at depth 16, widening factor 8: 8 of 12, "
        "a rate of 64 % (38 to 84)."
    )
    assert divergence_lines(replace(made.findings().model, diverging=())) == []
