"""The forecast of what a search reaches: closed forms where there are some, and what was found by playing elsewhere."""

from __future__ import annotations

import dataclasses

import pytest

from tests.decisions.playing import FACTS, space_of
from wrn_search.decisions.trials_at_once import Allotment, allot
from wrn_search.forecast.played_search import PLAYS, forecast
from wrn_search.hardware.machine import Node
from wrn_search.space.space_file import read_space

CIFAR = dataclasses.replace(FACTS, image_shape=(32, 32, 3))


def on_cpus(concurrent: int) -> Allotment:
    """A core for each trial."""
    return Allotment(concurrent, 1, 0.0)


def test_early_stopping_lets_as_many_through_as_elsewhere() -> None:
    """The figures of independent plays of ASHA with eta 3 and rungs at 30, 60 and 80 %: 4.8 of 64 trials, 44 %."""
    space = read_space("search_spaces/cifar_width_depth.yaml", ["search.anchors=0"])
    found = forecast(space, CIFAR, 64, on_cpus(1), None)
    assert found is not None
    assert 3.5 <= found.completed <= 6.5
    assert 0.40 <= found.epochs_share <= 0.48
    assert found.cells == 20
    assert 2.5 <= found.cells_reached <= found.completed
    assert (found.trials, found.plays, found.seconds) == (64, PLAYS, None)


def test_a_search_by_curves_is_played_too_as_long_as_that_is_quick() -> None:
    """It knows nothing of the hyperparameters: which ones will be good, nobody knows before."""
    space = space_of(search={"searcher": "curves", "scheduler": "curves", "trials": 30, "anchors": 0.0})
    found = forecast(space, FACTS, 30, on_cpus(2), None)
    assert found is not None
    assert 1 <= found.completed < 15
    assert found.epochs_share < 0.7
    assert found.plays == 2
    assert forecast(space, FACTS, 201, on_cpus(2), None) is None


@pytest.mark.parametrize(("concurrent", "seconds"), [(1, 90.0), (3, 30.0), (9, 10.0), (4, 30.0)])
def test_without_early_stopping_it_is_arithmetic(concurrent: int, seconds: float) -> None:
    """Nine trials of ten epochs of a second: as many rounds as it takes."""
    space = space_of(search={"trials": 9, "searcher": "random", "scheduler": "none"})
    found = forecast(space, FACTS, 9, on_cpus(concurrent), lambda config, macs, share: 1.0)
    assert found is not None
    assert (found.completed, found.epochs_share) == (9, 1.0)
    assert found.seconds == pytest.approx(seconds)


def test_a_grid_with_repeats_reaches_every_cell() -> None:
    grid = {"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}}
    space = space_of(model=grid, search={"searcher": "grid", "scheduler": "none", "repeats": 2})
    found = forecast(space, FACTS, 8, on_cpus(2), lambda config, macs, share: config.depth / 10)
    assert found is not None
    assert (found.completed, found.cells, found.cells_reached) == (8, 4, 4)
    assert found.seconds == pytest.approx(10 * 4 * (1.0 + 1.6) / 2, rel=0.2)


def test_domains_of_every_kind_are_drawn_from() -> None:
    model = {
        "depth": {"int": [10, 40, 6]},
        "dropout": {"uniform": [0, 0.5]},
        "widen_factor": {"choice": [1, 2]},
    }
    training = {
        "epochs": 10,
        "batch_size": {"loguniform": [16, 512]},
        "weight_decay": {"loguniform": [1e-5, 1e-3]},
    }
    for searcher in ("random", "tpe"):
        space = space_of(model=model, training=training, search={"searcher": searcher, "trials": 12})
        found = forecast(space, FACTS, 12, on_cpus(2), None)
        assert found is not None
        assert 0 < found.completed <= 12
        assert found.cells == 12


def test_what_is_too_large_is_not_played() -> None:
    assert forecast(space_of(search={"trials": 100_000}), FACTS, 100_000, on_cpus(4), None) is None


@pytest.mark.parametrize(("nodes", "rounds"), [(1, 8), (2, 4), (4, 2)])
def test_trials_on_gpus_find_the_places_that_there_are(nodes: int, rounds: int) -> None:
    """Half a GPU each, so two at once on each node: as many rounds of ten epochs of two seconds as it takes."""
    space = space_of(
        search={"trials": 16, "searcher": "random", "scheduler": "none"},
        resources={"gpus_per_trial": 0.5, "cpus_per_trial": 1},
    )
    machines = [Node(4, 1)] * nodes
    allotment = allot(space.resources, machines, 16, 16, learns=False)
    found = forecast(space, FACTS, 16, allotment, lambda config, macs, share: 1 / share, machines)
    assert found is not None
    assert found.completed == 16
    assert found.seconds == pytest.approx(rounds * 10 * 2.0)


def test_shares_that_follow_from_memory_let_small_networks_train_side_by_side() -> None:
    """Eight to a GPU where an eighth holds a network, one where it takes a whole GPU."""
    seconds = {}
    for width in (1, 10):
        space = space_of(
            dataset={"name": "cifar10"},
            model={"depth": 28, "widen_factor": width, "dropout": {"uniform": [0, 0.5]}},
            search={"trials": 16, "searcher": "random", "scheduler": "none"},
        )
        node = Node(16, 1, 4 * 10**9 if width == 10 else 16 * 10**9)
        allotment = allot(space.resources, [node], 16, 16, learns=False)
        assert allotment.by_memory
        found = forecast(space, CIFAR, 16, allotment, lambda config, macs, share: 1.0, [node])
        assert found is not None
        seconds[width] = found.seconds
    assert seconds == {1: pytest.approx(2 * 10.0), 10: pytest.approx(16 * 10.0)}


def test_a_searcher_that_learns_has_a_quarter_of_its_trials_in_the_air() -> None:
    space = space_of(search={"trials": 40, "searcher": "tpe", "scheduler": "none"})
    allotment = allot(space.resources, [Node(40)], 40, 40, learns=True, drawn_at_random=10)
    found = forecast(space, FACTS, 40, allotment, lambda config, macs, share: 1.0, [Node(40)])
    assert found is not None
    assert found.seconds == pytest.approx(4 * 10.0)


def test_a_budget_is_played_with_the_search() -> None:
    """What the rungs take adds up to the budget, and trials at a rung are those that began or went on."""
    search = {"searcher": "random", "rungs": [2, 5], "budget": {"epochs": 97}, "anchors": 0}
    found = forecast(space_of(search=search), FACTS, 48, on_cpus(2), lambda config, macs, share: 2.0)
    assert found is not None
    assert 96 <= found.epochs <= 97
    assert sum(epochs for _, _, epochs in found.by_rung) == pytest.approx(found.epochs)
    assert [epoch for epoch, _, _ in found.by_rung] == [2, 5, 10]
    reached = [trials for _, trials, _ in found.by_rung]
    assert found.trials == round(reached[0])
    assert reached == sorted(reached, reverse=True)
    assert found.completed == reached[-1] >= 1
    assert found.seconds == pytest.approx(97, abs=12), "two at once, two seconds an epoch"


def test_hours_are_played_by_the_pace() -> None:
    """Half an hour of minutes, two at once: sixty epochs at most, of trainings of ten."""
    search = {"searcher": "random", "scheduler": "none", "budget": {"hours": 0.5}}
    found = forecast(space_of(search=search), FACTS, 30, on_cpus(2), lambda config, macs, share: 60.0)
    assert found is not None
    assert (found.epochs, found.completed, found.seconds) == (60, 6, 1800)


def test_gpu_hours_count_shares() -> None:
    search = {"searcher": "random", "scheduler": "none", "trials": 4}
    half = Allotment(2, 1, 0.5)
    found = forecast(space_of(search=search), FACTS, 4, half, lambda config, macs, share: 360.0)
    assert found is not None
    assert (found.seconds, found.gpu_hours) == (7200.0, pytest.approx(2.0))


def test_more_trials_answer_more_surely_and_what_is_fixed_is_no_question() -> None:
    model = {
        "depth": {"choice": [10, 16, 22]},
        "widen_factor": {"choice": [1, 2, 4]},
        "dropout": {"uniform": [0, 0.5]},
    }
    widths = []
    for trials in (12, 48):
        space = space_of(model=model, search={"searcher": "random", "trials": trials})
        found = forecast(space, FACTS, trials, on_cpus(2), None)
        assert found is not None
        assert found.within.keys() == {"depth", "width", "depth_vs_width"}
        widths.append(found.within["depth_vs_width"])
    assert 1 < widths[1] < widths[0]
    one_depth = space_of(
        model=model | {"depth": 10}, search={"searcher": "random", "trials": 12, "scheduler": "none"}
    )
    found = forecast(one_depth, FACTS, 12, on_cpus(2), None)
    assert found is not None
    assert found.within.keys() == {"width"}


def test_what_an_unseen_design_leaves_open_is_the_prior() -> None:
    """Of one network all is known that there is to know."""
    found = forecast(space_of(search={"trials": 12}), FACTS, 12, on_cpus(2), None)
    assert found is not None
    assert found.within == {}
