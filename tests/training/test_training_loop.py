"""One training: it learns, measures what it says, follows the recipe, and ends in words when it diverges."""

from __future__ import annotations

import gc
import math
import pickle
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch._dynamo.utils import counters

from tests.training.trainings import DIGITS, config_of, new_training, run_to_the_end
from wrn_search.images.batches import EvaluationBatches, TrainBatches
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.training.checkpoints.checkpoint_file import CheckpointError
from wrn_search.training.divergence import Diverged
from wrn_search.training.learning_rate import learning_rate_at
from wrn_search.training.training_loop import Training


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_learns_the_digits(precision: str) -> None:
    config = config_of(
        widen_factor=1,
        batch_size=64,
        dropout=0.0,
        precision=precision,
        dataset=DatasetSettings(name="digits"),
    )
    epochs = run_to_the_end(new_training(config))

    assert [metrics.epoch for metrics in epochs] == [1, 2, 3, 4]
    assert epochs[-1].train_loss < 0.5 * epochs[0].train_loss
    assert epochs[-1].val_error < 10  # guessing: 90


def test_bf16_is_for_the_forward_pass_alone() -> None:
    exact, rounded = (
        new_training(config_of(dropout=0.0, precision=precision)) for precision in ("fp32", "bf16")
    )
    losses = [training.run_epoch().train_loss for training in (exact, rounded)]

    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)
    assert all(parameter.dtype == torch.float32 for parameter in rounded.network.parameters())


def test_validation_metrics_are_those_of_the_network_at_the_end_of_the_epoch() -> None:
    training = new_training(config_of())
    metrics = training.run_epoch()
    training.network.eval()
    batches = list(EvaluationBatches(prepare(DIGITS), batch_size=7, device="cpu"))
    scores = torch.cat([training.network(inputs) for inputs, _ in batches]).double()
    labels = torch.cat([labels for _, labels in batches])

    assert len(labels) == 100
    right = scores.log_softmax(1)[torch.arange(100), labels]
    assert metrics.val_loss == pytest.approx(-right.mean().item(), rel=1e-5)
    assert metrics.val_error == pytest.approx((scores.argmax(1) != labels).double().mean().item() * 100)


def test_training_metrics_are_means_over_the_epochs_batches() -> None:
    # So small a learning rate changes nothing, so the same batches can be looked at once more.
    training = new_training(config_of(dropout=0.0, learning_rate=1e-30))
    generator = torch.Generator()
    generator.set_state(training.randomness.batches.get_state())
    metrics = training.run_epoch()
    training.network.train()
    losses, wrong = [], 0
    for inputs, labels in training.train_batches.epoch(generator):
        scores = training.network(inputs).double()
        losses.append(F.cross_entropy(scores, labels).item())
        wrong += int((scores.argmax(1) != labels).sum())

    assert len(losses) == 6  # 200 images, 32 at a time: the last 8 are dropped
    assert metrics.train_loss == pytest.approx(sum(losses) / 6, rel=1e-5)
    assert metrics.train_error == pytest.approx(wrong / 192 * 100)


def test_the_updates_follow_the_recipe() -> None:
    """Against a loop in plain tensors: Nesterov, decay of everything, a drop that keeps momentum."""
    config = config_of(dropout=0.0, learning_rate=0.02)
    training, twin = new_training(config), new_training(config)
    parameters = list(twin.network.parameters())
    velocities = [torch.zeros_like(parameter) for parameter in parameters]
    twin.network.train()
    for epoch in (1, 2):
        training.run_epoch()
        for inputs, labels in twin.train_batches.epoch(twin.randomness.batches):
            loss = -twin.network(inputs).log_softmax(1)[torch.arange(len(labels)), labels].mean()
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
                    decayed = gradient + config.weight_decay * parameter
                    velocity.mul_(config.momentum).add_(decayed)
                    parameter -= learning_rate_at(epoch, config) * (decayed + config.momentum * velocity)

    assert learning_rate_at(2, config) == pytest.approx(0.2 * learning_rate_at(1, config))
    for ours, expected in zip(training.network.parameters(), parameters, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4)


class Slow:
    """Batches, with a wait before each pass."""

    def __init__(self, batches: Any, seconds: float):
        self.batches, self.seconds, self.num_images = batches, seconds, batches.num_images

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        time.sleep(self.seconds)
        yield from self.batches.epoch(generator)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        time.sleep(self.seconds)
        yield from self.batches


def batches_of(config: Any) -> tuple[TrainBatches, EvaluationBatches]:
    data = prepare(config.dataset)
    train = TrainBatches(
        data, batch_size=config.batch_size, augmentation=config.dataset.augmentation, device="cpu"
    )
    return train, EvaluationBatches(data, batch_size=50, device="cpu")


def test_seconds_hold_the_data_path_but_not_the_validation() -> None:
    config = config_of()
    train, validation = batches_of(config)
    training = new_training(config, batches=(Slow(train, 0.2), Slow(validation, 0.4)))
    started = time.perf_counter()
    metrics = training.run_epoch()
    wall = time.perf_counter() - started

    assert 0.2 <= metrics.seconds <= wall - 0.4
    assert metrics.images_per_second == pytest.approx(192 / metrics.seconds)


def test_a_training_loss_that_explodes_ends_the_training() -> None:
    training = new_training(config_of(learning_rate=1e30))

    with pytest.raises(Diverged, match=r"epoch 1: training loss must be finite, but got (nan|inf)") as caught:
        training.run_epoch()
    assert caught.value.epoch == 1
    assert training.epoch == 0


def test_a_diverged_epoch_is_left_before_its_end() -> None:
    config = config_of(learning_rate=1e30, batch_size=2)
    train, validation = batches_of(config)
    drawn = 0

    class Counting(Slow):
        def epoch(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
            nonlocal drawn
            for batch in train.epoch(generator):
                drawn += 1
                yield batch

    training = new_training(config, batches=(Counting(train, 0), validation))

    with pytest.raises(Diverged, match="epoch 1: training loss within 50 steps must be finite"):
        training.run_epoch()
    assert drawn == 50
    assert len(train) == 100


def test_a_validation_loss_that_is_not_finite_ends_the_training() -> None:
    class Broken(Slow):
        def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
            for inputs, labels in self.batches:
                yield inputs * math.inf, labels

    config = config_of()
    train, validation = batches_of(config)
    training = new_training(config, batches=(train, Broken(validation, 0)))

    with pytest.raises(Diverged, match="epoch 1: validation loss must be finite, but got nan"):
        training.run_epoch()


def test_divergence_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(Diverged(3, "training loss must be finite, but got nan")))

    assert (error.epoch, str(error)) == (3, "epoch 3: training loss must be finite, but got nan")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"weight_decay": 1e-4},
            "checkpoint of another training: weight_decay must be 0.0001, but is 0.0005",
        ),
        ({"depth": 16, "seed": 3}, "depth must be 16, but is 10; seed must be 3, but is 0"),
        (
            {
                "dataset": DatasetSettings(
                    name="digits", train_images=200, validation=100, augmentation="shift"
                )
            },
            "dataset.augmentation must be shift, but is flip_crop",
        ),
    ],
)
def test_a_checkpoint_of_another_config_is_refused(
    changes: dict[str, Any], text: str, tmp_path: Path
) -> None:
    new_training(config_of()).save(tmp_path / "trial.pt")
    training = new_training(config_of(**changes))

    with pytest.raises(CheckpointError, match=text):
        training.restore(tmp_path / "trial.pt")


def test_a_checkpoint_of_another_split_is_refused_but_not_of_another_folder(tmp_path: Path) -> None:
    config, data = config_of(), prepare(DIGITS)
    Training(config, data).save(tmp_path / "trial.pt")

    with pytest.raises(CheckpointError, match=f"split_hash must be other, but is {data.split_hash}"):
        Training(config, replace(data, split_hash="other")).restore(tmp_path / "trial.pt")
    # Of a version that did not hash the pixels of images that a user may change.
    Training(config, replace(data, split_hash=f"{data.split_hash}-pixels")).restore(tmp_path / "trial.pt")
    elsewhere = config_of(dataset=DIGITS.model_copy(update={"root": str(tmp_path)}))
    Training(elsewhere, data).restore(tmp_path / "trial.pt")


def test_threads_are_those_asked_for() -> None:
    before = torch.get_num_threads()
    try:
        new_training(config_of(), threads=2)
        assert torch.get_num_threads() == 2
        new_training(config_of())
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_fp32_is_not_tf32() -> None:
    torch.backends.cudnn.allow_tf32 = True
    new_training(config_of())

    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_closing_frees_the_network_at_once() -> None:
    training = new_training(config_of())
    training.run_epoch()
    network = weakref.ref(training.network)
    momentum = weakref.ref(training.optimiser.state[training.network.stem.weight]["momentum_buffer"])
    gc.disable()
    try:
        training.close()
        assert network() is None
        assert momentum() is None
    finally:
        gc.enable()
    training.close()


@pytest.mark.slow
def test_every_network_of_a_process_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real graph capture, quickest back end; torch gives up after the eighth unless `close` resets it."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    graphs = counters["stats"]["unique_graphs"]
    for number in range(9):
        config = config_of(compile="on", widen_factor=0.5 + number / 8, batch_size=200)
        training = new_training(config)
        training.run_epoch()
        training.close()

        assert counters["stats"]["unique_graphs"] == graphs + number + 1


@pytest.mark.slow
def test_compiled_code_trains_as_plain_code_does() -> None:
    plain, compiled = (new_training(config_of(dropout=0.0, compile=choice)) for choice in ("off", "on"))

    for _ in range(2):
        expected, metrics = plain.run_epoch(), compiled.run_epoch()
        assert metrics.train_loss == pytest.approx(expected.train_loss, rel=1e-3)
        assert metrics.val_loss == pytest.approx(expected.val_loss, rel=1e-2)
