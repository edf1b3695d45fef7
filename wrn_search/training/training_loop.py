"""One training: epochs of a Wide Residual Network on prepared data, each ending in one `EpochMetrics`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.images.batches import EvaluationBatches, TrainBatches
from wrn_search.images.prepared_data import PreparedData
from wrn_search.memory.keeping_freed_memory import release_freed_memory
from wrn_search.memory.measured_peak import high_water_mark_bytes, reset_high_water_mark
from wrn_search.memory.tensor_sizes import evaluation_batch_size
from wrn_search.networks.wide_resnet import WideResNet
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.checkpoint_file import CheckpointError, load_checkpoint, save_checkpoint
from wrn_search.training.divergence import check_finite
from wrn_search.training.learning_rate import learning_rate_at
from wrn_search.training.loss import summed_loss, training_loss, wrong_answers
from wrn_search.training.mixed_precision import autocast, use_exact_fp32
from wrn_search.training.optimiser import build_optimiser
from wrn_search.training.random_streams import Randomness

# Looking at the loss waits for the device: seldom enough to cost nothing, often enough to leave early.
_STEPS_BETWEEN_CHECKS = 50


class TrainSource(Protocol):
    """Shuffled, augmented batches of equal size."""

    @property
    def num_images(self) -> int: ...  # images of one pass

    def __len__(self) -> int: ...

    def epoch(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]: ...


class EvaluationSource(Protocol):
    """Every image once, in order."""

    @property
    def num_images(self) -> int: ...

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]: ...


class Training:
    """Trains one network by SGD on cross-entropy and evaluates it after every epoch, if images are held out.

    Follows the authors' recipe as `TrialConfig` tells it, but for two things: momentum lives on when the
    learning rate drops, and the error watched is that of held-out training images. On a CPU with a fixed
    number of threads the same config gives the same bits, also when it is saved, restored in another
    process and continued. Trainings in one process do not influence each other.

    `batches`: (training, evaluation) batches to use instead of those of `data`'s train and validation split.
    """

    def __init__(
        self,
        config: TrialConfig,
        data: PreparedData,
        *,
        device: str = "cpu",
        threads: int = 1,
        batches: tuple[TrainSource, EvaluationSource] | None = None,
    ):
        self.config = config
        self.history: list[EpochMetrics] = []  # of the completed epochs
        self.device = _resolved(device)
        self._split_hash, self._has_split = data.split_hash, data.has_split
        torch.set_num_threads(threads)
        use_exact_fp32()
        reset_high_water_mark(self.device)
        self.train_batches: TrainSource
        self.val_batches: EvaluationSource | None
        self.train_batches, self.val_batches = batches or _split_batches(config, data, self.device)
        self.randomness = Randomness(config.seed, self.device)
        with self.randomness.in_use():
            network = WideResNet(
                config.architecture, data.num_classes, data.image_shape[2], config.dropout, config.init
            )
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = build_optimiser(self.network, config)
        # Evaluation stays with the plain network: its mode and batch sizes would be compiled anew.
        self._forward = torch.compile(self.network) if config.compile == "on" else self.network

    @property
    def epoch(self) -> int:
        """Completed epochs."""
        return len(self.history)

    def run_epoch(self) -> EpochMetrics:
        """Trains one epoch and evaluates on the validation split, if there is one.

        Raises:
            Diverged: the training or the validation loss is not finite; the training cannot go on.
        """
        epoch = self.epoch + 1
        learning_rate = learning_rate_at(epoch, self.config)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        started = time.perf_counter()
        with self.randomness.in_use():
            train_loss, train_error = self._train(epoch)
        seconds = time.perf_counter() - started
        val_loss = val_error = None
        if self.val_batches is not None:
            val_loss, val_error = self.evaluate(self.val_batches, epoch, "validation loss")
        metrics = EpochMetrics(
            epoch=epoch,
            learning_rate=learning_rate,
            train_loss=train_loss,
            train_error=train_error,
            val_loss=val_loss,
            val_error=val_error,
            seconds=seconds,
            images_per_second=self.train_batches.num_images / seconds,
            memory_bytes=high_water_mark_bytes(self.device),
        )
        self.history.append(metrics)
        return metrics

    def _train(self, epoch: int) -> tuple[float, float]:
        """One pass over the training batches: mean loss and error in percent, both as the weights change."""
        self.network.train()
        loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        errors = torch.zeros((), dtype=torch.int64, device=self.device)
        for step, (inputs, labels) in enumerate(self.train_batches.epoch(self.randomness.batches), start=1):
            self.optimiser.zero_grad(
                set_to_none=True
            )  # here, not below: no gradient lives in the forward pass
            with autocast(self.device, self.config.precision):
                scores = self._forward(inputs)
                loss = training_loss(scores, labels)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            loss_sum += loss.detach()
            errors += wrong_answers(scores.detach(), labels)
            if step % _STEPS_BETWEEN_CHECKS == 0:
                check_finite(loss_sum.item(), epoch, f"training loss within {step} steps")
        mean_loss = loss_sum.item() / len(self.train_batches)
        check_finite(mean_loss, epoch, "training loss")
        return mean_loss, 100 * errors.item() / self.train_batches.num_images

    @torch.inference_mode()
    def evaluate(self, batches: EvaluationSource, epoch: int, what: str) -> tuple[float, float]:
        """Mean loss and error in percent over the batches; `epoch` and `what` are for the error.

        Raises:
            Diverged: the loss is not finite.
        """
        self.network.eval()
        loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        errors = torch.zeros((), dtype=torch.int64, device=self.device)
        for inputs, labels in batches:
            with autocast(self.device, self.config.precision):
                scores = self.network(inputs)
                loss_sum += summed_loss(scores, labels)
            errors += wrong_answers(scores, labels)
        mean_loss = loss_sum.item() / batches.num_images
        check_finite(mean_loss, epoch, what)
        return mean_loss, 100 * errors.item() / batches.num_images

    @torch.inference_mode()
    def rehearse(self, batch_size: int, image_shape: tuple[int, int, int]) -> None:
        """Evaluates a batch of zeros, images of (height, width, channels): takes the memory that `evaluate` takes."""
        height, width, channels = image_shape
        inputs = torch.zeros(batch_size, height, width, channels, device=self.device).permute(0, 3, 1, 2)
        labels = torch.zeros(batch_size, dtype=torch.int64, device=self.device)
        self.network.eval()
        with autocast(self.device, self.config.precision):
            summed_loss(self.network(inputs), labels)

    def save(self, path: Path) -> None:
        """Writes a checkpoint of the last completed epoch; call it between epochs.

        It holds the metrics of all epochs too: a kill can come before they are on record anywhere else.
        """
        state = {
            "config": self.config.to_dict(),
            "split_hash": self._split_hash,
            "history": [vars(metrics) for metrics in self.history],
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "randomness": self.randomness.state_dict(),
        }
        save_checkpoint(path, state)

    def restore(self, path: Path) -> None:
        """Goes on from a checkpoint of this very training: same config, same split.

        Raises:
            CheckpointError: unreadable, or of another training.
        """
        state = load_checkpoint(path)
        split = state["split_hash"]
        theirs = _identity(state["config"], self._split_hash if self._has_split(split) else split)
        ours = _identity(self.config.to_dict(), self._split_hash)
        different = [
            f"{key} must be {ours[key]}, but is {theirs.get(key)}"
            for key in ours
            if theirs.get(key) != ours[key]
        ]
        if different:
            raise CheckpointError(f"{path}: checkpoint of another training: {'; '.join(different)}")
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.randomness.load_state_dict(state["randomness"])
        self.history = [EpochMetrics(**metrics) for metrics in state["history"]]

    def close(self) -> None:
        """Frees the network and all else that takes memory, on the device too. A second call does nothing."""
        for name in ("network", "optimiser", "_forward", "train_batches", "val_batches"):
            self.__dict__.pop(name, None)
        if self.config.compile == "on":
            # torch keeps compiled code by function, not by network, and gives up compiling after the eighth.
            torch.compiler.reset()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        release_freed_memory()
        reset_high_water_mark(self.device)


def _split_batches(
    config: TrialConfig, data: PreparedData, device: torch.device
) -> tuple[TrainBatches, EvaluationBatches | None]:
    """The batches of a search: the train split, and the validation split, if images are held out."""
    train = TrainBatches(
        data, batch_size=config.batch_size, augmentation=config.dataset.augmentation, device=device
    )
    if not data.validation_images:
        return train, None
    batch_size = evaluation_batch_size(config.batch_size)
    return train, EvaluationBatches(data, batch_size=batch_size, device=device)


def _resolved(device: str) -> torch.device:
    """A device with its index: plain `cuda` is the current one."""
    if device == "cuda":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device(device)


def _identity(config: dict[str, Any], split_hash: str) -> dict[str, Any]:
    """What must agree between a checkpoint and the training that goes on: all but where the files lie."""
    background = DatasetSettings.model_fields["background"].default  # checkpoints of earlier versions lack it
    settings = {"background": background} | config["dataset"]
    dataset = {f"dataset.{key}": value for key, value in settings.items() if key != "root"}
    leaves = {key: value for key, value in config.items() if key != "dataset"}
    return leaves | dataset | {"split_hash": split_hash}
