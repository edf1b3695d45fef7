import pytest

from tests.decisions.playing import space_of
from wrn_search.decisions.trials_at_once import Allotment, allot, concurrent_on
from wrn_search.errors import InputError
from wrn_search.hardware.detected_cores_and_gpus import local_node
from wrn_search.hardware.machine import Node, capacity, node_of
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.section_keys import ResourceSettings

GB = 10**9


def _allot(nodes, trials=64, rows=None, adaptive=False, **resources) -> Allotment:
    settings = ResourceSettings.model_validate(resources)
    return allot(settings, nodes, trials, trials if rows is None else rows, adaptive)


@pytest.mark.parametrize(
    ("cores", "trials", "adaptive", "expected"),
    [
        (2, 24, True, Allotment(2, 1, 0.0)),
        (16, 64, True, Allotment(16, 1, 0.0)),
        (16, 24, True, Allotment(6, 2, 0.0)),  # a quarter of the trials; spare cores become threads
        (16, 24, False, Allotment(16, 1, 0.0)),
        (8, 3, True, Allotment(1, 8, 0.0)),
        (8, 3, False, Allotment(3, 2, 0.0)),
    ],
)
def test_auto_on_cpu(cores, trials, adaptive, expected) -> None:
    assert _allot([Node(cores)], trials, adaptive=adaptive) == expected


def test_repeats_are_rows_that_can_run_at_once() -> None:
    assert _allot([Node(8)], trials=2, rows=8) == Allotment(8, 1, 0.0)


def test_a_gpu_is_taken_whole_unless_a_share_is_asked_for() -> None:
    assert _allot([Node(16, 2)], adaptive=True) == Allotment(2, 8, 1.0)
    assert _allot([Node(16, 2)], gpus_per_trial="1/4") == Allotment(8, 2, 0.25)
    assert _allot([Node(16, 2)], gpus_per_trial=0) == Allotment(16, 1, 0.0)


@pytest.mark.parametrize(
    ("nodes", "trials", "adaptive", "concurrent"),
    [
        ([Node(16, 1, 80 * GB)], 64, False, 8),
        ([Node(4, 1, 80 * GB)], 64, False, 4),  # a core each
        ([Node(16, 2, 80 * GB), Node(64)], 64, False, 16),  # a node without a GPU trains nothing
        ([Node(16, 2, 80 * GB)], 64, True, 16),
        ([Node(64, 4, 80 * GB)], 64, True, 16),  # a quarter of the trials
        ([Node(64, 8, 80 * GB)], 16, True, 8),  # but at least one a GPU
        ([Node(16, 1, 80 * GB)], 3, False, 3),
    ],
)
def test_auto_on_gpus_of_known_memory_goes_by_memory(nodes, trials, adaptive, concurrent) -> None:
    assert _allot(nodes, trials, adaptive=adaptive) == Allotment(
        concurrent, 1, 0.125, by_memory=True, cpus_follow_share=True
    )


def test_given_cores_and_places_bound_what_goes_by_memory() -> None:
    node = Node(16, 1, 80 * GB)
    assert _allot([node], cpus_per_trial=4) == Allotment(4, 4, 0.125, by_memory=True)
    assert _allot([node], concurrent=3).concurrent == 3
    with pytest.raises(
        InputError, match=r"concurrent must be at most 8, .* 1 CPU and 0.125 GPU or more\), but got 9"
    ):
        _allot([node], concurrent=9)
    with pytest.raises(InputError, match=r"must be able to hold a trial of 17 CPUs and 0.125 GPU"):
        _allot([node], cpus_per_trial=17)


def test_a_gpu_of_unknown_memory_among_known_ones_is_taken_whole() -> None:
    assert _allot([Node(8, 1, 80 * GB), Node(8, 1)]) == Allotment(2, 8, 1.0)


def test_a_node_as_ray_describes_it() -> None:
    resources = {"CPU": 16.0, "GPU": 2.0, "memory": 1e9, "accelerator_type:H100": 1.0, "node:10.0.0.1": 1.0}
    assert node_of(resources, 80 * GB) == Node(16, 2, 80 * GB, "H100")
    assert node_of({"CPU": 4.0}) == Node(4)


def test_given_numbers_are_kept_and_threads_fill_up_the_rest() -> None:
    assert _allot([Node(8)], concurrent=2) == Allotment(2, 4, 0.0)
    assert _allot([Node(8)], cpus_per_trial=3) == Allotment(2, 3, 0.0)
    assert _allot([Node(8)], cpus_per_trial=2, concurrent=1) == Allotment(1, 2, 0.0)
    assert _allot([Node(8)], trials=1, concurrent=4) == Allotment(1, 8, 0.0)


def test_nodes_add_up_but_a_trial_stays_on_one() -> None:
    assert capacity([Node(5), Node(3)], 2, 0) == 3
    assert capacity([Node(4, 1), Node(4, 2)], 1, 0.5) == 2 + 4
    assert _allot([Node(5), Node(3)], concurrent=3) == Allotment(3, 2, 0.0)


@pytest.mark.parametrize(
    ("nodes", "resources", "message"),
    [
        (
            [Node(2)],
            {"cpus_per_trial": 3},
            "resources.cpus_per_trial: one machine must be able to hold a trial of 3 CPUs, "
            "but got 2 CPUs and 0 GPUs",
        ),
        (
            [Node(2)],
            {"gpus_per_trial": 0.5},
            "resources.gpus_per_trial: a GPU must be there, but got 2 CPUs and 0 GPUs",
        ),
        (
            [Node(2, 1)],
            {"gpus_per_trial": 0.25, "concurrent": 5},
            "resources.concurrent: concurrent must be at most 2, the trials that fit at once "
            "(2 CPUs and 1 GPUs; a trial takes 1 CPU and 0.25 GPU), but got 5",
        ),
        (
            [Node(4)],
            {"cpus_per_trial": 2, "concurrent": 3},
            "resources.concurrent: concurrent must be at most 2, the trials that fit at once "
            "(4 CPUs and 0 GPUs; a trial takes 2 CPUs), but got 3",
        ),
    ],
)
def test_what_cannot_be_met_is_an_error_before_the_start(nodes, resources, message) -> None:
    with pytest.raises(InputError) as caught:
        _allot(nodes, **resources)
    assert str(caught.value) == message


def test_this_machine_offers_something() -> None:
    assert local_node().cpus >= 1


@pytest.mark.parametrize(
    "searcher", [name for name, kind in SEARCHERS.items() if not kind.needs_finite_space]
)
@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.parametrize("trials", [3, 16, 64])
@pytest.mark.parametrize(
    "nodes",
    [
        [Node(8)],
        [Node(64), Node(64)],
        [Node(8, 2)],
        [Node(64, 8, 80 * GB)],
        [Node(128, 8, 80 * GB), Node(128, 8, 80 * GB)],
        [Node(16, 2, 24 * GB, "A"), Node(16, 1, 80 * GB, "B"), Node(32)],
    ],
    ids=str,
)
def test_nodes_that_stay_change_nothing(nodes, trials, repeats, searcher) -> None:
    """What is counted at every look at a cluster is what was counted at the start: 16 of 64 became 128."""
    space = space_of(search={"trials": trials, "repeats": repeats, "searcher": searcher})
    learns = SEARCHERS[searcher].learns
    allotment = allot(space.resources, nodes, trials, trials * repeats, learns)
    assert concurrent_on(nodes, space, allotment) == allotment.concurrent


def test_a_searcher_that_learns_keeps_its_cap_when_nodes_join() -> None:
    space = space_of(search={"trials": 64, "searcher": "tpe"})
    first = [Node(64, 4, 80 * GB)]
    allotment = allot(space.resources, first, 64, 64, learns=True)
    assert allotment.concurrent == concurrent_on(first * 4, space, allotment) == 16
    assert concurrent_on(first * 8, space, allotment) == 32  # at least one a GPU
