"""Words and lists of weights, kept as one text each, and what is neither."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space
from wrn_search.space.domains import Choice
from wrn_search.space.rules.class_weights_rule import listed_weights

RULE = "must be none, balanced or a list with a weight for each class, such as [1, 2.5, 1]"
FILE = "dataset:\n  name: folder\ntraining:\n  class_weights: "


@pytest.mark.parametrize(
    ("written", "kept", "weights"),
    [
        ("none", "none", None),
        ("balanced", "balanced", None),
        ("auto", "balanced", None),
        ("[1, 2.5, 1.0]", "[1, 2.5, 1]", (1.0, 2.5, 1.0)),
        ("'[1, 2.5, 1]'", "[1, 2.5, 1]", (1.0, 2.5, 1.0)),  # as resolved.yaml has it
        ("[0.1, 1e+3]", "[0.1, 1000]", (0.1, 1000.0)),
    ],
)
def test_a_word_or_a_list_is_kept_as_text(written: str, kept: str, weights: tuple[float, ...] | None) -> None:
    assert space(FILE + written).training.class_weights == kept
    assert listed_weights(kept) == weights


def test_words_and_lists_can_be_searched() -> None:
    searched = space(FILE + "{choice: [none, balanced, [1, 2]]}")
    assert searched.hyperparameters == {"class_weights": Choice(("none", "balanced", "[1, 2]"))}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("inverse", f"{RULE}, but got 'inverse'"),
        ("balance", f"{RULE}, but got 'balance' (did you mean 'balanced'?)"),
        ("2", f"{RULE}, but got 2"),
        ("[1]", f"{RULE}, but got [1]"),
        ("'[1, '", f"{RULE}, but got '[1, '"),
        ("null", f"{RULE}, but got null; write none, which is off"),
    ],
)
def test_what_is_neither_is_refused(written: str, told: str) -> None:
    assert complaints(FILE + written) == [f"s.yaml:4: training.class_weights: {told}"]


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("0", "must be a number at least 1e-06 and at most 1e+06, but got 0"),
        ("-1", "must be a number at least 1e-06 and at most 1e+06, but got -1"),
        (".nan", "must be a finite number, but got .nan"),
        ("x", "must be a number, but got 'x'"),
    ],
)
def test_a_weight_must_be_a_number_above_0(item: str, told: str) -> None:
    (line,) = complaints(FILE + f"[1, {item}]")
    assert line == f"s.yaml:4: training.class_weights: {told}"
