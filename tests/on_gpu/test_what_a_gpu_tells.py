"""What a real GPU says of itself: memory, arithmetic, energy; and what the probe before a search makes of it."""

from __future__ import annotations

import pytest
import torch

from benchmarks.gpu.made_up_data import config_of
from tests.training.trainings import config_of as small_config_of
from tests.training.trainings import new_training
from wrn_search.hardware.arithmetic_on_offer import arithmetic_here
from wrn_search.hardware.detected_cores_and_gpus import gpu_bytes_here, gpu_names, has_nvidia_driver
from wrn_search.hardware.gpu_energy import GpuEnergy, energy_missing_here
from wrn_search.memory.probe.short_training import measured_if_it_fits
from wrn_search.training.inference_time import median_milliseconds


def test_it_is_found_with_its_memory_and_its_arithmetic() -> None:
    assert has_nvidia_driver()
    assert gpu_names()
    assert gpu_bytes_here() == min(
        torch.cuda.get_device_properties(number).total_memory for number in range(torch.cuda.device_count())
    )
    assert arithmetic_here().cuda_capabilities == tuple(
        torch.cuda.get_device_capability(number) for number in range(torch.cuda.device_count())
    )


def test_its_energy_counter_rises_while_it_trains() -> None:
    missing = energy_missing_here()
    if missing:
        pytest.skip(missing)
    energy = GpuEnergy()
    before = energy.kwh()
    new_training(small_config_of(), device="cuda").run_epoch()
    torch.cuda.synchronize()
    while (used := energy.kwh() - before) == 0:  # the counter moves a few times a second
        torch.ones(4096, 4096, device="cuda").sum()
    assert 0 < used < 1


def test_the_probe_tells_memory_and_context() -> None:
    measured = measured_if_it_fits(config_of("16-2", 128, "bf16"), 10, (32, 32, 3))
    assert measured is not None
    assert 2**20 < measured.reserved_bytes < 2**32
    assert measured.beside_bytes > 2**27


def test_an_answer_is_timed_until_the_gpu_has_given_it() -> None:
    matrix = torch.ones(8192, 8192, device="cuda")
    assert median_milliseconds(lambda: matrix @ matrix, matrix.device) > 1  # 1.1e12 operations
