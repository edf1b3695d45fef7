"""One network trained by two processes over gloo: the mean of their gradients; saved, restored, nothing left behind."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.images.streamed.test_streamed_batches import children
from tests.training.steps.test_batch_mixing import ALL_ON
from tests.training.test_training_on_streamed_images import dataset as dataset  # a fixture
from tests.training.test_training_on_streamed_images import seen
from tests.training.trainings import config_of, new_training
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.loss import training_loss
from wrn_search.training.optimiser import build_optimiser
from wrn_search.training.several_gpus.replicated_training import ReplicaError, ReplicatedTraining
from wrn_search.training.steps.averaged_weights import AveragedWeights


def config(**changes: Any) -> TrialConfig:
    return config_of(**{"epochs": 3, "dropout": 0.0, "last_batch": "keep", **changes})


def replicated(trial: TrialConfig) -> ReplicatedTraining:
    return ReplicatedTraining(trial, prepare(trial.dataset), gpus=2, device="cpu", threads=2)


def test_two_processes_train_as_one_that_takes_the_mean_of_both_gradients(tmp_path: Path) -> None:
    """By hand: each half of a batch through its own batch norms, those of the first half kept."""
    trial = config()
    before = children()
    training = replicated(trial)
    assert len(children() - before) == 1
    training.run_epoch()
    alone = new_training(trial)
    network, optimiser = alone.network, build_optimiser(alone.network, trial)
    losses = []
    for inputs, labels in alone.train_batches.epoch(alone.randomness.batches):
        network.train()
        optimiser.zero_grad()
        end = 2 * (len(labels) // 2)
        kept: dict[str, torch.Tensor] = {}
        for rank in (0, 1):
            loss = training_loss(network(inputs[rank:end:2]), labels[rank:end:2])
            (loss / 2).backward()  # type: ignore[no-untyped-call]
            losses.append(loss.item())
            kept = kept or copy.deepcopy(dict(network.named_buffers()))
        for name, buffer in network.named_buffers():
            buffer.copy_(kept[name])
        optimiser.step()
    theirs = training.network.state_dict()
    for name, ours in network.state_dict().items():
        torch.testing.assert_close(theirs[name], ours, rtol=1e-4, atol=1e-5, msg=name)
    sizes = [len(labels) // 2 for _, labels in new_training(trial).train_batches.epoch(torch.Generator())]
    mean = sum(loss * sizes[at // 2] for at, loss in enumerate(losses)) / (2 * sum(sizes))
    (metrics,) = training.history
    assert metrics.train_loss == pytest.approx(mean, rel=1e-4)
    assert metrics.val_loss == pytest.approx(_loss_of(network, alone), rel=1e-3)

    training.save(tmp_path / "x.pt")
    training.run_epoch()
    training.close()
    assert children() <= before
    restored = replicated(trial)
    restored.restore(tmp_path / "x.pt")
    restored.run_epoch()
    assert seen(restored.history) == seen(training.history)
    restored.close()


@pytest.mark.slow
def test_cut_mixed_and_weighted_images_are_trained_on_in_parts_and_go_on_bit_by_bit(tmp_path: Path) -> None:
    trial, before = config(**ALL_ON), children()
    training = replicated(trial)
    training.run_epoch()
    training.save(tmp_path / "x.pt")
    training.run_epoch()
    training.close()
    restored = replicated(trial)
    restored.restore(tmp_path / "x.pt")
    restored.run_epoch()
    restored.close()
    assert seen(restored.history) == seen(training.history)
    assert 0 < training.history[-1].train_error <= 100
    assert children() <= before


def _loss_of(network: nn.Module, alone: Any) -> float:
    alone.network = network
    return float(alone.evaluate(alone.val_batches, 1, "validation loss")[0])


def test_a_process_that_fails_says_why_and_all_end(monkeypatch: pytest.MonkeyPatch) -> None:
    trial, before = config(), children()
    training = replicated(trial)
    training._tell("restore /nowhere/x.pt")
    with pytest.raises(
        ReplicaError, match=r"process 1 of the training on 2 GPUs failed: CheckpointError: /nowhere/x\.pt"
    ):
        training.run_epoch()
    training.close()
    assert children() <= before


@pytest.mark.slow
def test_streamed_images_are_decoded_in_parts(dataset: DatasetSettings) -> None:
    """By the workers of each process."""
    trial, before = config(dataset=dataset, batch_size=12, epochs=2), children()
    training = replicated(trial)
    losses = [training.run_epoch().train_loss for _ in range(2)]
    assert 0 < losses[1] != losses[0]
    assert training.train_batches.num_images == 32  # of 64, in batches of 12, of which the last one is 4
    training.close()
    assert children() <= before


@pytest.mark.slow
def test_todays_recipes_take_the_mean_of_all_micro_batches(tmp_path: Path) -> None:
    """By hand: four parts of a batch, two of each process; the mean gradient is climbed, clipped and averaged over."""
    trial = config(gradient_accumulation=2, sam=0.05, clip_norm=0.5, ema=0.5, last_batch="drop")
    training = replicated(trial)
    training.run_epoch()
    alone = new_training(trial)
    network, optimiser = alone.network, build_optimiser(alone.network, trial)
    averaged = AveragedWeights(network, 0.5)
    network.train()
    for inputs, labels in alone.train_batches.epoch(alone.randomness.batches):
        parts = [
            part
            for rank in (0, 1)
            for part in zip(inputs[rank::2].split(8), labels[rank::2].split(8), strict=True)
        ]
        _mean_gradients(network, parts, keep=2)
        before = [parameter.detach().clone() for parameter in network.parameters()]
        statistics = copy.deepcopy(dict(network.named_buffers()))
        norm = torch.stack(
            [each.grad.norm() for each in network.parameters() if each.grad is not None]
        ).norm()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += 0.05 * parameter.grad / norm
        _mean_gradients(network, parts, keep=0)
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), before, strict=True):
                parameter.copy_(value)
            for name, buffer in network.named_buffers():
                buffer.copy_(statistics[name])
        nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimiser.step()
        averaged.update()
    theirs = training.network.state_dict()
    for name, ours in network.state_dict().items():
        torch.testing.assert_close(theirs[name], ours, rtol=1e-3, atol=1e-4, msg=name)
    assert training._averaged is not None
    for name, ours in averaged.values.items():
        torch.testing.assert_close(training._averaged.values[name], ours, rtol=1e-3, atol=1e-4, msg=name)

    training.save(tmp_path / "x.pt")
    training.run_epoch()
    training.close()
    restored = replicated(trial)
    restored.restore(tmp_path / "x.pt")
    restored.run_epoch()
    assert seen(restored.history) == seen(training.history)
    assert restored.history[-1].ema_val_error == training.history[-1].ema_val_error
    restored.close()


def _mean_gradients(network: nn.Module, parts: list[Any], keep: int) -> None:
    """Of the parts' losses; batch norms keep the running statistics of the first `keep` parts."""
    network.zero_grad()
    kept: dict[str, torch.Tensor] = {}
    for number, (inputs, labels) in enumerate(parts, start=1):
        (training_loss(network(inputs), labels) / len(parts)).backward()  # type: ignore[no-untyped-call]
        if number == keep:
            kept = copy.deepcopy(dict(network.named_buffers()))
    for name, buffer in network.named_buffers():
        buffer.copy_(kept.get(name, buffer))
