"""The short training that measures memory, on a CPU."""

from __future__ import annotations

import pytest
import torch

from tests.training.trainings import config_of
from wrn_search.memory.probe import short_training
from wrn_search.memory.probe.short_training import MadeUpBatches, measured_if_it_fits, measured_memory


def test_it_trains_three_steps_and_evaluates_without_any_file() -> None:
    measured = measured_memory(config_of(batch_size=16, widen_factor=1), 10, (32, 32, 3), device="cpu")

    assert measured.reserved_bytes > 50_000_000  # the whole process on a CPU
    assert measured.beside_bytes == 0


def test_its_batches_have_the_shape_of_the_data() -> None:
    batches = MadeUpBatches(16, 7, (28, 20, 1), torch.device("cpu"))

    assert len(list(batches.epoch(torch.Generator()))) == len(list(batches)) == len(batches) == 4
    inputs, labels = next(iter(batches))
    assert inputs.shape == (16, 1, 28, 20)
    assert inputs.dtype == torch.float32
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    assert labels.tolist() == [number % 7 for number in range(16)]
    assert batches.num_images == 64


def test_without_a_gpu_nothing_is_measured() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert measured_if_it_fits(config_of(), 10, (8, 8, 1)) is None


def test_what_does_not_fit_has_no_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(short_training, "measured_memory", full)
    assert measured_if_it_fits(config_of(), 10, (8, 8, 1)) is None
