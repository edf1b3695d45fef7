"""Trials on CPUs wait for the machine's memory, as those on GPUs for a share."""

from __future__ import annotations

import random

import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.decisions.gpu_packing import Asked, Places
from wrn_search.decisions.trials_at_once import Allotment, allot
from wrn_search.hardware.machine import Node
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.trial_on_cpu import DRIVER_BYTES, trial_bytes_on_cpu
from wrn_search.networks.architecture import Architecture
from wrn_search.space.sections.resource_keys import ResourceSettings

SMALL, LARGE = (Asked(Workload(Architecture.of(depth, k))) for depth, k in ((10, 1), (28, 10)))
SMALL_BYTES, LARGE_BYTES = trial_bytes_on_cpu(SMALL.workload), trial_bytes_on_cpu(LARGE.workload)
MEMORY = Allotment(64, 1, 0.0, cpu_memory=True)


def _node(room: int, cpus: int = 64) -> Node:
    """A machine with so many bytes for trials."""
    return Node(cpus, memory_bytes=room + DRIVER_BYTES)


def _allot(node: Node, least_bytes: int, **resources: object) -> Allotment:
    return allot(ResourceSettings.model_validate(resources), [node], 64, 64, False, 0, least_bytes)


def test_64_large_networks_on_64_cores_do_not_all_begin() -> None:
    node = _node(int(3.5 * LARGE_BYTES))
    allotment = _allot(node, LARGE_BYTES)
    assert (allotment.concurrent, allotment.cpus_per_trial) == (3, 21), "spare cores become threads"
    places = Places([node], MEMORY)
    begun = [number for number in range(64) if places.take(number, LARGE)]
    assert begun == [0, 1, 2]
    places.leave(1)
    assert places.take(9, LARGE)


def test_small_networks_train_beside_large_ones() -> None:
    places = Places([_node(LARGE_BYTES + 2 * SMALL_BYTES)], MEMORY)
    assert places.take(0, LARGE)
    assert places.take(1, LARGE) is None
    assert places.take(2, SMALL)
    assert places.has_room()
    assert places.take(3, SMALL)
    assert not places.has_room()


def test_a_trial_that_fits_nowhere_is_tried_alone() -> None:
    node = _node(LARGE_BYTES // 2)
    assert _allot(node, LARGE_BYTES).concurrent == 1
    places = Places([node], MEMORY)
    assert places.take(0, LARGE)
    assert places.take(1, SMALL) is None
    places.leave(0)
    assert places.take(1, SMALL)


@pytest.mark.parametrize(
    ("node", "resources"),
    [
        (Node(64), {}),  # no memory is known
        (_node(LARGE_BYTES), {"concurrent": 64}),  # as it was asked for, and warned of
    ],
)
def test_what_is_not_known_or_was_asked_for_is_not_limited(node: Node, resources: dict[str, int]) -> None:
    allotment = _allot(node, LARGE_BYTES, **resources)
    assert allotment.concurrent == 64
    places = Places([node], allotment)
    assert all(places.take(number, LARGE) for number in range(64))


def test_a_share_of_a_gpu_does_not_wait_for_the_machines_memory() -> None:
    with_gpus = Node(64, 8, 80 * 10**9, memory_bytes=2**30)
    assert not _allot(with_gpus, LARGE_BYTES).cpu_memory
    assert _allot(with_gpus, LARGE_BYTES).concurrent == 64


def test_the_memory_is_never_given_twice() -> None:
    generator, room = random.Random(0), int(2.5 * LARGE_BYTES)
    places = Places([_node(room)], MEMORY)
    training: dict[int, int] = {}
    refused = 0
    for number in range(400):
        asked = generator.choice([SMALL, LARGE])
        if places.take(number, asked):
            training[number] = trial_bytes_on_cpu(asked.workload)
        else:
            refused += 1
            gone = generator.choice(list(training))
            del training[gone]
            places.leave(gone)
        assert sum(training.values()) <= room
    assert refused > 20


def test_a_search_that_waits_for_memory_comes_to_its_end(tmp_path) -> None:
    """The conductor proposes ahead, starts what fits, and finishes all."""
    space = space_of(
        model={"depth": 10, "widen_factor": {"choice": [1, 8]}}, search={"trials": 2, "searcher": "random"}
    )
    with new_record(tmp_path / "events.jsonl", space) as record:
        places = Places([_node(1)], MEMORY)
        conductor = conductor_of(space, record, 64, places=places)
        most = 0

        def curve(assignment, epoch):
            nonlocal most
            most = max(most, len(conductor.live))
            return 50.0

        play(conductor, curve)
        assert {trial.status for trial in conductor.state.trials.values()} == {"completed"}
        assert most == 1, "one that fits nowhere beside another is alone"
