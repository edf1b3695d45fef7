import pytest

from tests.decisions.playing import space_of
from wrn_search.decisions.gpu_packing import Asked, Grant, Places
from wrn_search.decisions.trials_at_once import Allotment, allot, on_nodes, threads_that_pay
from wrn_search.errors import InputError
from wrn_search.hardware.detected_cores_and_gpus import local_node
from wrn_search.hardware.machine import Node, capacity, node_of
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.sections.resource_keys import ResourceSettings

GB = 10**9


def _allot(nodes, trials=64, rows=None, adaptive=False, **resources) -> Allotment:
    settings = ResourceSettings.model_validate(resources)
    drawn = SEARCHERS["tpe"].drawn_at_random if adaptive else 0
    return allot(settings, nodes, trials, trials if rows is None else rows, adaptive, drawn)


def _sizes(allotment: Allotment) -> tuple[int, int, float]:
    return allotment.concurrent, allotment.cpus_per_trial, allotment.gpus_per_trial


@pytest.mark.parametrize(
    ("cores", "trials", "adaptive", "expected"),
    [
        (2, 24, True, (2, 1, 0.0)),
        (16, 64, True, (16, 1, 0.0)),
        (64, 24, True, (10, 6, 0.0)),  # so many are drawn at random; spare cores become threads
        (64, 80, True, (20, 3, 0.0)),  # a quarter of the trials
        (16, 24, False, (16, 1, 0.0)),
        (8, 4, True, (4, 2, 0.0)),
        (8, 3, False, (3, 2, 0.0)),
    ],
)
def test_auto_on_cpu(cores, trials, adaptive, expected) -> None:
    assert _sizes(_allot([Node(cores)], trials, adaptive=adaptive)) == expected


def test_a_searcher_that_learns_has_a_quarter_of_its_trials_in_the_air_once_it_learns() -> None:
    allotment = _allot([Node(64)], 24, adaptive=True)
    assert [allotment.at_once(proposed) for proposed in (0, 9, 10, 23)] == [10, 10, 6, 6]
    assert [_allot([Node(64)], 24).at_once(proposed) for proposed in (0, 23)] == [24, 24]
    assert _allot([Node(64)], 24, adaptive=True, concurrent=12).at_once(20) == 12, "as it was asked for"
    assert [_allot([Node(64, 8, 80 * GB)], 24, adaptive=True).at_once(proposed) for proposed in (0, 10)] == [
        10,
        8,
    ]


def test_small_networks_never_get_more_threads_than_pay() -> None:
    """A batch of 128 images of WRN-10-1 at 8x8 and 32x32, and of WRN-16-4 at 32x32; rounded down to powers of two."""
    batches = [
        128 * macs(Architecture.of(*network), 10, 3, size)
        for *network, size in ((10, 1, 8), (10, 1, 32), (16, 4, 32))
    ]
    assert [threads_that_pay(macs_of_a_batch) for macs_of_a_batch in batches] == [1, 4, 128]
    counts = [threads_that_pay(macs_of_a_batch) for macs_of_a_batch in range(0, 10**10, 10**8)]
    assert counts == sorted(counts)
    assert set(counts) == {1, 2, 4, 8, 16, 32}


def test_a_trial_gets_the_threads_that_its_network_can_use() -> None:
    small, large = (
        Asked(Workload(Architecture.of(16, k), 10, (size, size, 3))) for k, size in ((1, 8), (4, 32))
    )
    places = Places([Node(8)], _allot([Node(8)], trials=1))
    assert [places.take(0, asked) for asked in (small, large)] == [Grant(0.0, 1), Grant(0.0, 8)]
    given = Places([Node(8)], _allot([Node(8)], trials=1, cpus_per_trial=4))
    assert given.take(0, small) == Grant(0.0, 4)


def test_repeats_are_rows_that_can_run_at_once() -> None:
    assert _sizes(_allot([Node(8)], trials=2, rows=8)) == (8, 1, 0.0)


def test_a_gpu_is_taken_whole_unless_a_share_is_asked_for() -> None:
    assert _sizes(_allot([Node(16, 2)], adaptive=True)) == (2, 8, 1.0)
    assert _sizes(_allot([Node(16, 2)], gpus_per_trial="1/4")) == (8, 2, 0.25)
    assert _sizes(_allot([Node(16, 2)], gpus_per_trial=0)) == (16, 1, 0.0)


@pytest.mark.parametrize(
    ("nodes", "trials", "adaptive", "concurrent"),
    [
        ([Node(16, 1, 80 * GB)], 64, False, 8),
        ([Node(4, 1, 80 * GB)], 64, False, 4),  # a core each
        ([Node(16, 2, 80 * GB), Node(64)], 64, False, 16),  # a node without a GPU trains nothing
        ([Node(16, 2, 80 * GB)], 64, True, 16),
        ([Node(64, 4, 80 * GB)], 64, True, 16),  # a quarter of the trials
        ([Node(64, 16, 80 * GB)], 24, True, 16),  # but at least one a GPU
        ([Node(16, 1, 80 * GB)], 3, False, 3),
    ],
)
def test_auto_on_gpus_of_known_memory_goes_by_memory(nodes, trials, adaptive, concurrent) -> None:
    allotment = _allot(nodes, trials, adaptive=adaptive)
    assert _sizes(allotment) == (concurrent, 1, 0.125)
    assert (allotment.by_memory, allotment.cpus_follow_share) == (True, True)


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
    assert _sizes(_allot([Node(8, 1, 80 * GB), Node(8, 1)])) == (2, 8, 1.0)


def test_a_node_as_ray_describes_it() -> None:
    resources = {"CPU": 16.0, "GPU": 2.0, "memory": 1e9, "accelerator_type:H100": 1.0, "node:10.0.0.1": 1.0}
    assert node_of(resources, 80 * GB) == Node(16, 2, 80 * GB, "H100")
    assert node_of({"CPU": 4.0}) == Node(4)


def test_given_numbers_are_kept_and_threads_fill_up_the_rest() -> None:
    assert _sizes(_allot([Node(8)], concurrent=2)) == (2, 4, 0.0)
    assert _sizes(_allot([Node(8)], cpus_per_trial=3)) == (2, 3, 0.0)
    assert _sizes(_allot([Node(8)], cpus_per_trial=2, concurrent=1)) == (1, 2, 0.0)
    assert _sizes(_allot([Node(8)], trials=1, concurrent=4)) == (1, 8, 0.0)


def test_nodes_add_up_but_a_trial_stays_on_one() -> None:
    assert capacity([Node(5), Node(3)], 2, 0) == 3
    assert capacity([Node(4, 1), Node(4, 2)], 1, 0.5) == 2 + 4
    assert _sizes(_allot([Node(5), Node(3)], concurrent=3)) == (3, 2, 0.0)


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
    kind = SEARCHERS[searcher]
    allotment = allot(space.resources, nodes, trials, trials * repeats, kind.learns, kind.drawn_at_random)
    assert on_nodes(nodes, space, allotment) == allotment


def test_a_searcher_that_learns_keeps_its_cap_when_nodes_join() -> None:
    space = space_of(search={"trials": 64, "searcher": "tpe"})
    first = [Node(64, 4, 80 * GB)]
    allotment = allot(space.resources, first, 64, 64, learns=True)
    assert allotment.concurrent == on_nodes(first * 4, space, allotment).concurrent == 16
    assert on_nodes(first * 8, space, allotment).concurrent == 32  # at least one a GPU
