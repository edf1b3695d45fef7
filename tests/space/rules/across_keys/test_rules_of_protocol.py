"""`protocol: test_each` is for lists of networks: what may choose by a test error is refused, with the reason."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space
from wrn_search.searchers.searcher_table import SEARCHERS

GRID = "protocol: test_each\nmodel: {depth: {choice: [10, 16]}}"


@pytest.mark.parametrize(
    "searcher", [name for name, kind in SEARCHERS.items() if not kind.needs_finite_space]
)
def test_no_other_searcher_than_a_grid(searcher: str) -> None:
    (line,) = complaints(GRID, f"search.searcher={searcher}")
    assert line.startswith(
        "--set: search.searcher: must be grid with protocol: test_each, or search.points the whole"
    )
    assert line.endswith(f"but got searcher: {searcher}")
    assert ("no searcher may choose by a test error" in line) == SEARCHERS[searcher].learns


@pytest.mark.parametrize("searcher", [name for name, kind in SEARCHERS.items() if kind.learns])
def test_what_learns_is_refused_for_a_list_of_points_too(searcher: str) -> None:
    points = (
        "protocol: test_each\nsearch: {points: [{depth: 10, widen_factor: 1}, {depth: 16, widen_factor: 1}]}"
    )
    assert space(points).search.searcher == "grid"
    lines = complaints(points, f"search.searcher={searcher}")
    assert any("no searcher may choose by a test error" in line for line in lines), lines


def test_one_objective_since_nothing_is_chosen() -> None:
    (line,) = complaints(GRID, "objectives=[val_error, num_params]")
    assert line.startswith("--set: objectives: must be [val_error] with protocol: test_each")
    assert line.endswith("but got val_error, num_params")


def test_a_domain_without_values_is_no_list() -> None:
    (line,) = complaints("protocol: test_each\nmodel: {dropout: {uniform: [0, 0.5]}}")
    assert line.startswith("s.yaml:2: model.dropout: searcher: grid takes choice and int domains only")


def test_no_scheduler_and_no_decision() -> None:
    lines = complaints(GRID, "search.scheduler=asha", "search.stop_when=decided")
    assert [line.partition(": must")[0].partition(": is")[0] for line in lines] == [
        "--set: search.scheduler",
        "--set: search.stop_when",
    ]


@pytest.mark.parametrize(
    "text",
    [
        GRID,
        "protocol: test_each\nmodel: {depth: 10}",
        "protocol: test_each\nsearch: {points: [{depth: 10}, {depth: 16, dropout: 0.3}]}",
        "protocol: test_each\nsearch: {searcher: random, points: [{depth: 10}, {depth: 16}]}",
        "protocol: test_each\nmodel: {network: {choice: [WRN-10-1, WRN-16-2]}}",
        "protocol: test_each\ndataset: {name: digits, train_images: 40}\ntraining: {batch_size: 40}",
    ],
)
def test_lists_of_networks_are_fine_and_hold_no_image_out(text: str) -> None:
    found = space(text)
    assert (found.dataset.validation, found.search.scheduler) == (0, "none")
    assert (
        "joined"
        in found.trial_config(
            {
                name: domain.to_document().get("choice", [10])[0]
                for name, domain in found.hyperparameters.items()
            },
            0,
            precision="fp32",
            compile="off",
        ).to_dict()["dataset"]
    )


def test_sizes_are_checked_without_images_held_out() -> None:
    (line,) = complaints("protocol: test_each\ndataset: {name: digits, train_images: 1498}")
    assert "train_images must be 10 to the 1497 that there are" in line
