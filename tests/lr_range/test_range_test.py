"""The run: the step of a training, at the rates that are given."""

from __future__ import annotations

import math

import pytest
import torch

from tests.training.trainings import config_of
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import prepare
from wrn_search.lr_range.range_test import run_range, steps_per_epoch
from wrn_search.lr_range.suggestion import rates_of
from wrn_search.training.loss import training_loss
from wrn_search.training.training_loop import Training


def test_the_losses_are_those_of_a_loop_by_hand_at_these_rates() -> None:
    config = config_of(weight_decay=1e-3)
    data = prepare(config.dataset)
    rates = rates_of(1e-3, 0.1, 20)
    found = run_range(config, data, rates, device="cpu", threads=1)

    training = Training(config, data, threads=1)
    losses: list[float] = []
    with training.randomness.in_use():
        training.network.train()
        while len(losses) < 20:
            for inputs, labels in training.train_batches.epoch(training.randomness.batches):
                for group in training.optimiser.param_groups:
                    group["lr"] = rates[len(losses)]
                training.optimiser.zero_grad()
                loss = training_loss(training.network(inputs), labels)
                loss.backward()  # type: ignore[no-untyped-call]
                training.optimiser.step()
                losses.append(loss.item())
                if len(losses) == 20:
                    break
    assert found.losses == tuple(losses)
    assert (found.rates, found.stopped, found.steps_per_epoch) == (tuple(rates), False, 6)


def test_it_ends_when_the_loss_diverges() -> None:
    config = config_of(weight_decay=0.0, dropout=0.0)
    found = run_range(config, prepare(config.dataset), rates_of(1e-2, 1e6, 60), device="cpu", threads=1)
    assert found.stopped
    assert len(found.rates) == len(found.losses) < 60
    assert found.losses[-1] > found.losses[0] or not math.isfinite(found.losses[-1])


def test_batches_larger_than_the_images_are_told() -> None:
    config = config_of(batch_size=512)
    with pytest.raises(InputError, match="must be at most the training images, 200, but got 512"):
        steps_per_epoch(config, prepare(config.dataset))
    assert steps_per_epoch(config_of(batch_size=512, last_batch="keep"), prepare(config.dataset)) == 1


def test_too_little_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Training, "run_epoch", no_memory)
    config = config_of()
    with pytest.raises(
        InputError, match=r"training\.batch_size: a step of 32 images must fit the memory of cpu"
    ):
        run_range(config, prepare(config.dataset), rates_of(1e-3, 1, 20), device="cpu", threads=1)
