"""Snapping proposals to recorded configurations."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wrn_search.replay.nearest_configuration import NearestConfiguration
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Uniform

SPACE: dict[str, Domain] = {"lr": LogUniform(1e-4, 1.0), "p": Uniform(0.0, 0.5)}


def test_the_nearest_on_the_scale_of_each_domain() -> None:
    """Between 1e-4 and 1e-1 the middle is 3e-3 by logarithm: 0.01 is nearer to 0.1, 0.001 to 1e-4."""
    recorded = [{"lr": 1e-4, "p": 0.1}, {"lr": 1e-1, "p": 0.1}]
    assert NearestConfiguration(SPACE, recorded).take({"lr": 0.01, "p": 0.1}) == 1
    assert NearestConfiguration(SPACE, recorded).take({"lr": 0.001, "p": 0.1}) == 0


def test_each_is_taken_once() -> None:
    recorded = [{"lr": 1e-4, "p": 0.1}, {"lr": 1e-1, "p": 0.1}]
    nearest = NearestConfiguration(SPACE, recorded)
    assert [nearest.take({"lr": 0.1, "p": 0.1}) for _ in range(3)] == [1, 0, None]
    assert nearest.left == 0


def test_a_choice_of_numbers_is_ordered_and_one_of_labels_is_not() -> None:
    space: dict[str, Domain] = {"k": Choice((1, 2, 10)), "block": Choice(("a", "b", "c"))}
    recorded = [{"k": 1, "block": "a"}, {"k": 10, "block": "c"}]
    assert NearestConfiguration(space, recorded).take({"k": 2, "block": "c"}) == 1
    assert NearestConfiguration(space, recorded).take({"k": 1, "block": "b"}) == 0
    far = [{"k": 1, "block": "c"}, {"k": 2, "block": "a"}]  # labels are one apart, whichever they are
    assert NearestConfiguration(space, far).take({"k": 2, "block": "b"}) == 1


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0, 0.5)), min_size=1, max_size=12, unique=True))
def test_a_recorded_proposal_is_itself(recorded: list[tuple[int, float]]) -> None:
    """So a search that was recorded is played as it was."""
    space: dict[str, Domain] = {"depth": IntRange(1, 5), "p": Uniform(0.0, 0.5)}
    rows = [{"depth": depth, "p": p} for depth, p in recorded]
    nearest = NearestConfiguration(space, rows)
    for row in reversed(rows):
        place = nearest.take(row)
        assert place is not None
        scaled = abs(rows[place]["p"] - row["p"])
        assert rows[place]["depth"] == row["depth"]
        assert scaled < 1e-7


def test_a_large_table_gives_the_same_as_one_that_is_looked_through() -> None:
    """The tree of many configurations against distances to all of them."""
    generator = np.random.default_rng(0)
    space: dict[str, Domain] = {"a": Uniform(0.0, 1.0), "b": Uniform(0.0, 2.0), "block": Choice(("x", "y"))}
    rows: list[Hparams] = [
        {"a": float(a), "b": float(2 * b), "block": "xy"[int(c)]}
        for a, b, c in zip(*generator.random((2, 4100)), generator.integers(0, 2, 4100), strict=True)
    ]
    nearest = NearestConfiguration(space, rows)
    points = np.array([[row["a"], float(row["b"]) / 2, row["block"] == "x"] for row in rows], dtype=float)
    left = np.ones(len(rows), dtype=bool)
    for _ in range(200):
        a, b = generator.random(2)
        distances = ((points - [a, b, 1.0]) ** 2).sum(axis=1)
        expected = int(np.argmin(np.where(left, distances, np.inf)))
        assert nearest.take({"a": float(a), "b": float(2 * b), "block": "x"}) == expected
        left[expected] = False
