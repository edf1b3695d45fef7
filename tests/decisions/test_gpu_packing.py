"""Cores and shares of GPUs on made-up machines: what trials get, and when there is no room."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from wrn_search.decisions.gpu_packing import Asked, Grant, Places, places_for
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.hardware.machine import Node
from wrn_search.memory.gpu_shares import SHARES, Correction, room_bytes
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.networks.architecture import Architecture

GB = 10**9
BY_MEMORY = Allotment(64, 1, 1 / 8, by_memory=True, cpus_follow_share=True)
H100 = Node(16, 1, 80 * GB, "H100")
SMALL_GPU = Node(8, 1, 10 * GB, "T4")


def _asked(depth: int = 16, widen_factor: float = 1, **changes: object) -> Asked:
    return Asked(Workload(Architecture.of(depth, widen_factor)), **changes)  # type: ignore[arg-type]


LARGE = _asked(40, 10)  # 5 GB
SMALL = _asked(16, 1)  # under 1 GB


def test_eight_small_trials_share_a_gpu_and_its_cores() -> None:
    places = Places([H100], BY_MEMORY)
    grants = [places.take(number, SMALL) for number in range(9)]
    assert grants[:8] == [Grant(1 / 8, 2, "", 80 * GB)] * 8
    assert grants[8] is None
    places.leave(3)
    assert places.take(8, SMALL) is not None
    assert places.take(9, SMALL) is None


def test_what_fills_a_gpu_has_it_alone_however_little_memory_it_takes() -> None:
    """Two of them never train on one GPU; small ones go on sharing, and half-filling ones come in pairs."""
    two = Node(16, 2, 80 * GB, "H100")
    places = Places([two], BY_MEMORY)
    wide = Asked(Workload(Architecture.of(16, 8), precision="bf16"))
    assert trial_memory(wide.workload).allocated_bytes < 80 * GB / 8
    grants = [places.take(number, wide) for number in range(3)]
    assert grants == [Grant(1.0, 8, "", 80 * GB)] * 2 + [None]
    assert places.take(3, SMALL) is None
    places.leave(0)
    half = Asked(Workload(Architecture.of(40, 4), precision="bf16"))
    assert [places.take(number, half) is not None for number in (4, 5, 6)] == [True, True, False]
    by_memory = Places([two], BY_MEMORY, by_work=False)
    assert [by_memory.take(number, wide) is not None for number in range(17)] == [True] * 16 + [False]


def test_a_share_by_work_that_is_too_little_memory_after_all_still_grows() -> None:
    """Half a GPU for its work; where that ran out of memory it gets a whole one, and no more is to be had."""
    places = Places([Node(16, 1, 8 * GB)], BY_MEMORY)
    half = Asked(Workload(Architecture.of(40, 4), precision="bf16"))
    first = places.take(0, half)
    assert first is not None
    assert first.gpu_fraction == 1 / 2
    places.leave(0)
    again = Asked(half.workload, above_share=1 / 2, above_bytes=first.room_bytes, times=1)
    second = places.take(0, again)
    assert second is not None
    assert second.gpu_fraction == 1.0
    assert not places.could_be_larger(Asked(half.workload, 1.0, second.room_bytes, 2))


def test_sizes_mix_on_one_gpu() -> None:
    places = Places([Node(16, 1, 16 * GB)], BY_MEMORY, by_work=False)
    large, small = places.take(0, LARGE), places.take(1, SMALL)
    assert large is not None
    assert small is not None
    assert (large.gpu_fraction, small.gpu_fraction) == (1 / 2, 1 / 8)
    assert places.take(2, LARGE) is None
    assert [places.take(number, SMALL) is not None for number in (3, 4, 5, 6)] == [True, True, True, False]


def test_a_grant_holds_what_was_predicted() -> None:
    for gpu_bytes in (8 * GB, 16 * GB, 24 * GB, 80 * GB):
        for asked in (SMALL, LARGE):
            grant = Places([Node(8, 1, gpu_bytes)], BY_MEMORY).take(0, asked)
            assert grant is not None
            if grant.gpu_fraction < 1:
                assert trial_memory(asked.workload).allocated_bytes <= grant.room_bytes


def test_what_no_gpu_holds_by_prediction_gets_a_whole_one_of_the_largest() -> None:
    asked = Asked(Workload(Architecture.of(40, 10), batch_size=4096))
    grant = Places([SMALL_GPU, H100], BY_MEMORY).take(0, asked)
    assert grant == Grant(1.0, 16, "H100", 80 * GB)


def test_unlike_nodes_are_used_by_what_they_hold() -> None:
    """Small networks go to the small GPU first, and to the large one when that is full; large ones where they fit."""
    places = Places([H100, SMALL_GPU], BY_MEMORY)
    given = [places.take(number, SMALL) for number in range(9)]
    assert given == [Grant(1 / 8, 1, "T4", 10 * GB)] * 8 + [Grant(1 / 8, 2, "H100", 80 * GB)]
    large = Places([H100, SMALL_GPU], BY_MEMORY).take(0, LARGE)
    assert large is not None
    assert (large.accelerator, large.gpu_fraction) == ("T4", 1.0)  # it fits there, whole
    larger = Asked(Workload(Architecture.of(40, 10), batch_size=512))
    by_memory = Places([H100, SMALL_GPU], BY_MEMORY, by_work=False)
    assert by_memory.take(0, larger) == Grant(1 / 4, 4, "H100", 80 * GB)
    assert Places([H100, SMALL_GPU], BY_MEMORY).take(0, larger) == Grant(1.0, 16, "H100", 80 * GB)


def test_unlike_gpus_that_ray_cannot_tell_apart_count_as_the_smallest() -> None:
    places = Places([Node(8, 1, 80 * GB), Node(8, 1, 10 * GB)], BY_MEMORY)
    assert places.take(0, SMALL) == Grant(1 / 8, 1, "", 10 * GB)


def test_where_the_memory_is_not_known_auto_is_a_whole_gpu() -> None:
    allotment = Allotment(2, 4, 1.0)
    places = Places([Node(8, 2)], allotment)
    assert [places.take(number, SMALL) for number in range(3)] == [Grant(1.0, 4), Grant(1.0, 4), None]


def test_a_given_share_is_kept_until_it_was_too_small() -> None:
    places = Places([Node(8, 1, 16 * GB)], Allotment(8, 1, 1 / 8))
    first = places.take(0, LARGE)
    assert first is not None
    assert first.gpu_fraction == 1 / 8
    places.leave(0)
    again = places.take(0, _asked(40, 10, above_share=1 / 8, above_bytes=first.room_bytes))
    assert again is not None
    assert again.gpu_fraction == 1 / 4
    assert again.room_bytes > first.room_bytes


@pytest.mark.parametrize("gpu_bytes", [0, 16 * GB])
def test_after_a_whole_gpu_there_is_nothing_larger(gpu_bytes: int) -> None:
    places = Places([Node(8, 1, gpu_bytes)], Allotment(1, 1, 1 / 8))
    for share in SHARES:
        room = room_bytes(share, gpu_bytes) if gpu_bytes else 0
        larger = places.could_be_larger(_asked(40, 10, above_share=share, above_bytes=room))
        assert larger == (share < 1)


def test_a_larger_gpu_is_larger_than_a_whole_small_one() -> None:
    places = Places([H100, SMALL_GPU], BY_MEMORY)
    asked = _asked(40, 10, above_share=1.0, above_bytes=room_bytes(1.0, 10 * GB))
    assert places.could_be_larger(asked)
    grant = places.take(0, asked)
    assert grant is not None
    assert grant.accelerator == "H100"
    assert grant.room_bytes > asked.above_bytes


@pytest.mark.parametrize(("widen_factor", "share"), [(8, 1 / 2), (9, 1 / 2), (2, 1 / 8)])
def test_what_did_not_fit_teaches_of_others(widen_factor: float, share: float) -> None:
    """Where WRN-22-8 ran out of memory, the same and larger networks begin a class higher; a small one does not."""
    gpu = 16 * GB
    places = Places([Node(8, 1, gpu)], BY_MEMORY, by_work=False)
    before = places.take(0, _asked(22, 8))
    assert before is not None
    assert before.gpu_fraction == 1 / 4
    places.leave(0)
    places.learn(_asked(22, 8).workload, room_bytes(before.gpu_fraction, gpu))
    after = places.take(0, _asked(22, widen_factor))
    assert after is not None
    assert after.gpu_fraction == share
    assert places.correction.factor == 1.25


def test_a_probe_and_failures_add_up() -> None:
    places = Places([Node(8, 1, 16 * GB)], BY_MEMORY)
    places.learn(LARGE.workload, int(1.1 * trial_memory(LARGE.workload).allocated_bytes))
    assert 1.1 < places.correction.factor < 1.15
    places.probed = Correction(factor=1.2)
    assert places.correction.factor == 1.2


def test_nodes_may_change_while_trials_train() -> None:
    places = Places([H100], BY_MEMORY)
    for number in range(8):
        places.take(number, SMALL)
    assert places.take(8, SMALL) is None
    places.follow([H100, H100])
    assert places.take(8, SMALL) is not None
    places.follow([H100])
    places.leave(0)
    assert (
        places.take(9, SMALL) is None
    )  # nine train on eight places: first one must leave for each that comes
    places.leave(1)
    assert places.take(9, SMALL) is not None


def test_cores_are_rays_matter_where_there_is_no_gpu() -> None:
    places = places_for(Allotment(2, 3, 0.0))
    assert places.take(0, SMALL) == places.take(1, SMALL) == Grant(0.0, 3)


def test_no_gpu_and_no_core_is_given_twice() -> None:
    """Random arrivals and departures: shares that train never add up to more than there is."""
    generator = random.Random(0)
    nodes = [Node(16, 2, 24 * GB, "A"), Node(6, 1, 80 * GB, "B")]
    places = Places(nodes, BY_MEMORY)
    training: dict[int, Grant] = {}
    refused = 0
    for number in range(600):
        grant = places.take(number, generator.choice([SMALL, LARGE, _asked(22, 8), _asked(28, 10)]))
        if grant is None:
            refused += 1
            gone = generator.choice(list(training))
            del training[gone]
            places.leave(gone)
        else:
            training[number] = grant
        shares, cpus = Counter[str](), Counter[str]()
        for each in training.values():
            shares[each.accelerator] += each.gpu_fraction  # type: ignore[assignment]
            cpus[each.accelerator] += each.threads
        assert (shares["A"] <= 2, shares["B"] <= 1, cpus["A"] <= 16, cpus["B"] <= 6) == (True,) * 4
    assert refused > 100


def test_room_is_for_the_smallest_share() -> None:
    places = Places([H100], BY_MEMORY)
    for number in range(8):
        assert places.has_room()
        places.take(number, SMALL)
    assert not places.has_room()
    assert places_for(Allotment(1, 1, 0.0)).has_room()


def test_a_node_without_the_cores_for_a_trial_gets_none() -> None:
    four_cores = Allotment(8, 4, 1 / 8, by_memory=True)
    weak = Node(2, 1, 8 * GB, "T4")
    assert Places([weak, H100], four_cores).take(0, SMALL) == Grant(1 / 8, 4, "", 80 * GB)
    assert Places([weak], four_cores).take(0, SMALL) is None


def test_without_any_node_trials_wait() -> None:
    places = Places([H100], BY_MEMORY)
    places.follow([])
    assert places.take(0, SMALL) is None
    assert not places.could_be_larger(SMALL)
