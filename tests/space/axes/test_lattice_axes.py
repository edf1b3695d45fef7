"""Axes of a lattice: every point is a network of it, every network has one point that counts, in time for a million."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from tests.space.spaces import space
from wrn_search.searchers.anchors import Anchors
from wrn_search.searchers.searcher import Full, Hparams
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.domains import finite_values

BUDGET = "constraints: {num_params: {target: 2.2e6, tolerance: 5%}}\n"
SPACES = {
    "iso": "model: {depth: {int: [10, 100, 6]}, widen_factor: {uniform: [0.5, 8]}}\n" + BUDGET,
    "blocks": "model:\n  depth: {int: [10, 40]}\n  widen_factor: {choice: [1, 2, 3.5]}\n"
    "  block: {choice: ['B(3,3)', 'B(3,1,3)', 'B(3,3,3)']}\nconstraints: {macs: {max: 3e8}}\n",
    "lengths": "model: {depth: {int: [10, 40]}, widen_factor: 2, deepening_factor: {int: [2, 4]}}\n"
    "constraints: {num_params: {max: 2e6}}\n",
    "widths": "model: {depth: 28, widen_factor: {loguniform: [1, 8]}}\nconstraints: {multiple_of: 8}\n",
    "one": "constraints: {num_params: {max: 2e6}}\n",
}
MILLION = (
    "model: {depth: {int: [10, 3706, 6]}, widen_factor: {uniform: [0.0625, 100]}, dropout: {uniform: [0, 0.5]}}\n"
    "constraints: {num_params: {max: 1e12}}\n"
)


@pytest.mark.parametrize("text", SPACES.values(), ids=SPACES)
def test_points_are_networks_and_networks_have_one_point(text: str) -> None:
    made = space(text)
    axes = made.axes
    points = [
        dict(zip(axes.domains, values, strict=True))
        for values in itertools.product(*(finite_values(domain) or () for domain in axes.domains.values()))
    ]

    found = [axes.hparams(point) for point in points]
    assert {str(sorted(each.items())) for each in found} == {
        str(sorted(made.shape_of(network).items())) for network in made.networks or ()
    }
    assert [axes.hparams(axes.canonical(point)) for point in points] == found
    own = [point for point in points if axes.canonical(point) == point]
    assert len(own) == made.size == len(made.networks or ())
    assert [axes.point(axes.hparams(point)) for point in own] == own


def tried(made: Any, name: str, count: int) -> list[Hparams]:
    searcher = SEARCHERS[name].make(made.searched)
    found: list[Hparams] = []
    while len(found) < count and (point := searcher.propose(len(found))) is not None:
        assert made.axes.canonical(point) == point
        searcher.proposed(len(found), point)
        searcher.told(len(found), Full(10.0 + len(found) % 7))
        found.append(made.hparams_at(point))
    return found


@pytest.mark.parametrize("name", SEARCHERS)
@pytest.mark.parametrize("text", SPACES.values(), ids=SPACES)
def test_a_lattice_is_tried_whole_and_nothing_twice_or_outside(text: str, name: str) -> None:
    made = space(text, f"search.searcher={name}")
    found = tried(made, name, 400)

    inside = [str(sorted(made.shape_of(network).items())) for network in made.networks or ()]
    assert sorted(str(sorted(each.items())) for each in found) == sorted(inside)


def test_what_lies_outside_the_lattice_has_no_point() -> None:
    made = space(SPACES["iso"])

    assert made.point_of({"depth": 40, "widen_factor": 2.0}) is not None
    assert made.point_of({"depth": 40, "widen_factor": 4.0}) is None
    assert made.point_of({"depth": 28, "widen_factor": 2.0}) is None


def test_anchors_take_each_depth_once_before_any_comes_again() -> None:
    made = space(SPACES["iso"] + "search: {trials: 32, anchors: 0.5}\n")
    anchors = Anchors(made.searched, 0.5)

    depths = [made.hparams_at({"width_place": 0, **anchors.cell(place)})["depth"] for place in range(16)]

    assert sorted(depths) == list(range(10, 101, 6))


def test_a_million_combinations_take_two_seconds_and_a_proposal_five_milliseconds() -> None:
    began = time.process_time()
    made = space(MILLION)
    assert made.axes.size is None
    assert len(made.networks or ()) == 617 * 1600
    assert time.process_time() - began < 2.0
    searcher = SEARCHERS["tpe"].make(made.searched)
    seen = set()
    for number in range(80):
        if number == 20:  # the first ones are drawn at random, and import what densities are made of
            began = time.process_time()
        point = searcher.propose(number)
        assert point is not None
        searcher.proposed(number, point)
        searcher.told(number, Full(10.0 + number % 7))
        seen.add(tuple(made.hparams_at(point).values()))
    assert (time.process_time() - began) / 60 < 0.005
    assert len(seen) == 80
