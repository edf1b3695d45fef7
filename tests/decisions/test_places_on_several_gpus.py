"""Trials on several GPUs: whole ones of one machine, and what does not fit is told."""

from __future__ import annotations

import pytest

from wrn_search.decisions.gpu_packing import Asked, Places
from wrn_search.decisions.trials_at_once import Allotment, allot
from wrn_search.errors import InputError
from wrn_search.hardware.machine import Node
from wrn_search.memory.gpu_shares import allocator_fraction, room_bytes
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.networks.architecture import Architecture
from wrn_search.space.sections.resource_keys import ResourceSettings

ASKED = Asked(Workload(Architecture.of(10, 1.0, "B(3,3)", "wrn")))
GPU_BYTES = 16 * 10**9


def allotted(nodes: list[Node], **resources: object) -> Allotment:
    return allot(ResourceSettings.model_validate(resources), nodes, trials=20, rows=20, learns=False)


def test_as_many_trials_as_whole_gpus_of_one_machine_allow() -> None:
    nodes = [Node(16, 4, GPU_BYTES), Node(8, 3, GPU_BYTES)]
    allotment = allotted(nodes, gpus_per_trial=2)
    assert (allotment.concurrent, allotment.gpus_per_trial) == (3, 2.0)
    places = Places(nodes, allotment)
    grants = [places.take(number, ASKED) for number in range(4)]
    assert [grant.gpu_fraction for grant in grants if grant] == [2.0, 2.0, 2.0]
    assert grants[3] is None  # the GPU that is left is one
    assert not places.has_room()
    places.leave(1)
    assert places.take(4, ASKED) is not None
    assert not places.could_be_larger(Asked(ASKED.workload, above_share=2.0, above_bytes=GPU_BYTES))


def test_more_gpus_than_a_machine_has_are_refused() -> None:
    with pytest.raises(
        InputError,
        match=r"resources\.gpus_per_trial: must be at most 2, the GPUs of one machine, as a trial trains on one "
        r"machine, but got 4 \(8 CPUs and 2 GPUs, 8 CPUs and 2 GPUs\)",
    ):
        allotted([Node(8, 2), Node(8, 2)], gpus_per_trial=4)


def test_each_process_has_one_gpu_at_most() -> None:
    assert room_bytes(4.0, GPU_BYTES, 10**9) == room_bytes(1.0, GPU_BYTES, 10**9) == GPU_BYTES - 10**9
    assert allocator_fraction(2.0, GPU_BYTES, 10**9) < 1
