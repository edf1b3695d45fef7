"""What a trial on a CPU is predicted to take of the machine's memory."""

from __future__ import annotations

import pytest

from benchmarks.memory_of_a_trial import measured
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.trial_on_cpu import DRIVER_BYTES, PROCESS_BYTES, room_for_trials, trial_bytes_on_cpu
from wrn_search.networks.architecture import Architecture

MEASURED = {  # MiB beside an idle process, of two steps of 32x32 images
    (16, 4, 128, "fp32", 0.0): 880,
    (16, 4, 128, "bf16", 0.0): 538,
    (16, 4, 128, "fp32", 0.3): 1281,
    (10, 0.5, 128, "fp32", 0.0): 275,
    (28, 4, 128, "fp32", 0.0): 1509,
    (16, 8, 128, "fp32", 0.0): 1848,
}
IDLE_ANONYMOUS = 389 * 2**20  # of that process before; the rest of it are pages of libraries, which all share


def _workload(depth: int, width: float, batch_size: int, precision: str, dropout: float) -> Workload:
    network = Architecture.of(depth, width)
    return Workload(network, batch_size=batch_size, precision=precision, dropout=dropout)


@pytest.mark.parametrize("training", MEASURED, ids=str)
def test_it_is_at_least_what_was_measured_and_no_waste(training: tuple[int, float, int, str, float]) -> None:
    took = MEASURED[training] * 2**20 + IDLE_ANONYMOUS
    assert took <= trial_bytes_on_cpu(_workload(*training)) <= 1.4 * took


def test_images_count_for_a_gpu_alone() -> None:
    """They are mapped from one file: a million of them, or none, take the same."""
    small, large = (
        Workload(Architecture.of(16, 4), data_bytes=size, device="cuda") for size in (0, 5 * 10**9)
    )
    assert trial_bytes_on_cpu(small) == trial_bytes_on_cpu(large)
    assert trial_memory(large).total_bytes > trial_memory(small).total_bytes


def test_the_driver_has_its_part_and_a_small_machine_still_trains() -> None:
    assert room_for_trials(64 * 2**30) == 64 * 2**30 - DRIVER_BYTES
    assert room_for_trials(2 * 2**30) == 2**30


@pytest.mark.slow
def test_a_real_training_takes_no_more() -> None:
    """In a process of its own, so that nothing that ran before counts."""
    leaves = {"depth": 10, "widen_factor": 1, "dropout": 0.0, "precision": "fp32"}
    took, predicted = measured(leaves, batch_size=64, threads=1)
    assert PROCESS_BYTES / 3 < took <= predicted
