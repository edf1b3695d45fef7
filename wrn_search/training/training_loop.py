"""One training: epochs of a network on prepared data, each ending in one `EpochMetrics`."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.images.prepared_data import PreparedData
from wrn_search.memory.keeping_freed_memory import release_freed_memory, waste_little
from wrn_search.memory.measured_peak import forget_warm_up, high_water_mark_bytes, reset_high_water_mark
from wrn_search.pretrained.starting_weights import begin_with, starting_weights
from wrn_search.space.rules.starting_file import RANDOM
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.batches_of_a_split import (
    EvaluationSource,
    TrainSource,
    images_evaluated_at_once,
    split_batches,
)
from wrn_search.training.checkpoints.checkpoint_file import CheckpointError, load_checkpoint, save_checkpoint
from wrn_search.training.checkpoints.checkpoint_identity import differences_from, identity
from wrn_search.training.class_weights import weights_of_classes
from wrn_search.training.compiled_network import compiled_network
from wrn_search.training.devices import resolved_device
from wrn_search.training.divergence import check_finite
from wrn_search.training.evaluation import Evaluation
from wrn_search.training.frozen_groups import freeze
from wrn_search.training.learning_rate import learning_rate_at, restarts_momentum
from wrn_search.training.loss import CountsByClass, Targets, on_host, wrong_answers
from wrn_search.training.mixed_precision import (
    laid_out,
    loss_scaler,
    make_momentum,
    memory_format,
    use_arithmetic,
)
from wrn_search.training.network_of_a_trial import network_of
from wrn_search.training.optimiser import build_optimiser
from wrn_search.training.random_streams import Randomness
from wrn_search.training.several_gpus.replica import ALONE, Replica
from wrn_search.training.steps.averaged_weights import AveragedWeights
from wrn_search.training.steps.batch_mixing import BatchMixing
from wrn_search.training.steps.step import Step
from wrn_search.training.steps.steps_of_an_epoch import steps_of

# Looking at the loss waits for the device: seldom enough to cost nothing, often enough to leave early.
_STEPS_BETWEEN_CHECKS = 50
# On CUDA: until then cuDNN tries its algorithms, in memory that no later step takes, and the momentum is made.
WARM_UP_STEPS = 2
_BATCHES = ("train_batches", "val_batches")


class Training:
    """Trains one network on cross-entropy and evaluates it after every epoch, if images are held out.

    Follows the authors' recipe as `TrialConfig` tells it, but for one thing: the error watched is that of held-out
    training images. On a CPU with a fixed number of threads the same config gives the same bits, also when it is saved,
    restored in another process and continued. Trainings in one process do not influence each other.

    `batches`: (training, evaluation) batches to use instead of those of `data`'s train and validation split.
    `replica`: its place among processes that train one network together; they must all do the same at once.
    `on_step`: hears after each step the loss of its batch, on the device; what it raises ends the epoch.
    """

    def __init__(
        self,
        config: TrialConfig,
        data: PreparedData,
        *,
        device: str = "cpu",
        threads: int = 1,
        batches: tuple[TrainSource, EvaluationSource | None] | None = None,
        replica: Replica = ALONE,
        on_step: Callable[[Tensor], object] | None = None,
    ):
        self.config, self._on_step = config, on_step
        self.history: list[EpochMetrics] = []  # of the completed epochs
        self.device = resolved_device(device)
        self._split_hash, self._has_split = data.split_hash, data.has_split
        torch.set_num_threads(threads)
        use_arithmetic(self.device, config.precision)
        waste_little(self.device)
        reset_high_water_mark(self.device)
        self.train_batches: TrainSource
        self.val_batches: EvaluationSource | None
        self.train_batches, self.val_batches = batches or split_batches(
            config, data, self.device, threads, replica
        )
        self.evaluated_at_once = images_evaluated_at_once(config, data, self.device, replica)
        self._mixing = BatchMixing(config, data.image_shape, self.device, replica)
        self.randomness = Randomness(config.seed, self.device)
        self._shape, self.image_shape = (data.num_classes, data.image_shape[2]), data.image_shape
        with self.randomness.in_use():
            network = network_of(config, *self._shape)
        self._frozen = freeze(network, config.freeze)
        self._layout = memory_format(self.device, config.precision)
        self.network = network.to(self.device, memory_format=self._layout)  # type: ignore[call-overload]
        compiles = config.compile == "on"
        self.evaluation = Evaluation(self.network, self.device, config.precision, self._layout, compiles)
        self.optimiser = build_optimiser(self.network, config)
        self._scaler = loss_scaler(self.device, config.precision)
        # Of the epoch that is trained.
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        self._errors = torch.zeros((), dtype=torch.int64, device=self.device)
        self._steps = steps_of(config, self.train_batches, self._learn)
        self._is_cold = self.device.type == "cuda"
        trained = compiled_network(self.network, self.device) if compiles else self.network
        self._replica = replica
        # The first replica alone validates.
        averages = config.ema > 0 and replica.rank == 0
        self._averaged = AveragedWeights(self.network, config.ema) if averages else None
        self._step = Step(
            replica.forward(trained, self.device, config.stochastic_depth > 0),
            self.network,
            self.optimiser,
            config,
            device=self.device,
            replica=replica,
            scaler=self._scaler,
            averaged=self._averaged,
            class_weights=weights_of_classes(
                config.class_weights, data, self.device, config.dataset.sampling
            ),
        )

    @property
    def epoch(self) -> int:
        """Completed epochs."""
        return len(self.history)

    def run_epoch(self) -> EpochMetrics:
        """Trains one epoch and evaluates on the validation split, if there is one.

        Raises:
            Diverged: the training or the validation loss is not finite; the training cannot go on.
            InputError: the file that the weights begin with is not there, or is another.
        """
        epoch = self.epoch + 1
        if epoch == 1 and self.config.init_from != RANDOM:  # a later epoch goes on from a checkpoint
            begin_with(self.network, starting_weights(self.config.init_from), *self._shape)
        learning_rate = self._set_learning_rate(epoch)
        if restarts_momentum(epoch, self.config):
            self.optimiser.state.clear()
            self._steps.forget()
        if self._scaler.is_enabled():
            make_momentum(self.optimiser)
        started = time.perf_counter()
        with self.randomness.in_use():
            train_loss, train_error = self._train(epoch)
        seconds = time.perf_counter() - started
        memory = high_water_mark_bytes(self.device)
        val_loss = val_error = ema_val_error = None
        if self.val_batches is not None:
            val_loss, val_error = self.evaluate(self.val_batches, epoch, "validation loss")
            if self._averaged is not None:
                ema_val_error = self.evaluation.sums(self.val_batches, self._averaged)[1]
        if self._is_cold:
            forget_warm_up(self.device)
            self._is_cold = False
        else:
            memory = high_water_mark_bytes(self.device)
        metrics = EpochMetrics(
            epoch=epoch,
            learning_rate=learning_rate,
            train_loss=train_loss,
            train_error=train_error,
            val_loss=val_loss,
            val_error=val_error,
            seconds=seconds,
            images_per_second=self._replica.size * self.train_batches.num_images / seconds,
            memory_bytes=memory,
            ema_val_error=ema_val_error,
        )
        self.history.append(metrics)
        return metrics

    def _set_learning_rate(self, epoch: int, step: int = 0) -> float:
        """Of a step of the epoch, from 0."""
        rate = learning_rate_at(epoch, self.config, step, len(self.train_batches))
        self._steps.set_learning_rate(self.optimiser, rate)
        return rate

    def _train(self, epoch: int) -> tuple[float, float]:
        """One pass over the training batches: mean loss and error in percent, both as the weights change."""
        self.network.train()
        for group in self._frozen:
            group.eval()
        total = self._replica.total  # all replicas check the same sums: one alone could not leave
        loss_sum, errors, size = self._loss_sum.zero_(), self._errors.zero_(), 0
        batches = self._mixing.epoch(self.train_batches, self.randomness, epoch)
        for step, whole in enumerate(self._steps.epoch(batches, self.randomness.batches), start=1):
            size = whole
            if self.config.lr_by == "step" and step < len(self.train_batches):
                self._set_learning_rate(epoch, step)
            if self._is_cold and step == WARM_UP_STEPS:
                forget_warm_up(self.device)
            if step % _STEPS_BETWEEN_CHECKS == 0:
                check_finite(total(loss_sum).item(), epoch, f"training loss within {step} steps")
        images = self._replica.size * self.train_batches.num_images
        all_losses, all_errors = on_host(total(loss_sum), total(errors))
        mean_loss = all_losses / (images / size)
        check_finite(mean_loss, epoch, "training loss")
        return mean_loss, 100 * all_errors / images

    def _learn(self, inputs: Tensor, targets: Targets, share: float) -> None:
        """One step on a batch, which is this share of a whole one: it waits for nothing that the device computes."""
        loss, scores = self._step.take(laid_out(inputs, self._layout), targets)
        # The last batch may be smaller and then weighs less.
        self._loss_sum += loss if share == 1 else loss * share
        self._errors += wrong_answers(scores, targets.larger)
        if self._on_step is not None:
            self._on_step(loss)

    def evaluate(
        self, batches: EvaluationSource, epoch: int, what: str, by_class: CountsByClass | None = None
    ) -> tuple[float, float]:
        """Mean loss and error in percent over the batches; `epoch` and `what` are for the error.

        `by_class` counts each class besides, in the same pass.

        Raises:
            Diverged: the loss is not finite.
        """
        mean_loss, error = self.evaluation.sums(batches, by_class=by_class)
        check_finite(mean_loss, epoch, what)
        return mean_loss, error

    def rehearse(self, batch_size: int, image_shape: tuple[int, int, int]) -> None:
        """Evaluates a batch of zeros, images of (height, width, channels): takes the memory that `evaluate` takes."""
        self.evaluation.rehearse(batch_size, image_shape)

    def save(self, path: Path) -> None:
        """Writes a checkpoint of the last completed epoch; call it between epochs."""
        save_checkpoint(path, self.state())

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds, between two epochs; its tensors are the training's own, which the next step changes.

        The metrics of all epochs are there too: a kill can come before they are on record anywhere else.
        """
        return {
            "config": self.config.to_dict(),
            "split_hash": self._split_hash,
            "history": [vars(metrics) for metrics in self.history],
            "network": self.network.state_dict(),
            "optimiser": self._steps.without_places(self.optimiser.state_dict()),
            "randomness": self.randomness.state_dict(),
            **({"scaler": self._scaler.state_dict()} if self._scaler.is_enabled() else {}),
            **({"averaged": self._averaged.state_dict()} if self._averaged is not None else {}),
        }

    def restore(self, path: Path) -> None:
        """Goes on from a checkpoint of this very training: same config, same split.

        Raises:
            CheckpointError: unreadable, or of another training.
        """
        state = load_checkpoint(path)
        split = state["split_hash"]
        theirs = identity(state["config"], self._split_hash if self._has_split(split) else split)
        ours = identity(self.config.to_dict(), self._split_hash)
        different = differences_from(ours, theirs)
        if different:
            raise CheckpointError(f"{path}: checkpoint of another training: {'; '.join(different)}")
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self._steps.forget()
        self.randomness.load_state_dict(state["randomness"])
        if self._scaler.is_enabled():
            self._scaler.load_state_dict(state["scaler"])
        if self._averaged is not None:
            self._averaged.load_state_dict(state["averaged"])
        self.history = [EpochMetrics(**metrics) for metrics in state["history"]]

    def close(self) -> None:
        """Frees the network and all else that takes memory, on the device too. A second call does nothing."""
        if "_steps" in self.__dict__:
            self._steps.forget()  # a graph, and the memory of its step
        for name in ("network", "evaluation", "optimiser", "_step", "_steps", "_averaged", *_BATCHES):
            self.__dict__.pop(name, None)
        if self.config.compile == "on":
            # torch keeps compiled code by function, not by network, and gives up compiling after the eighth.
            torch.compiler.reset()
            gc.collect()  # a compiled block and its code hold each other
        release_freed_memory(self.device)
        reset_high_water_mark(self.device)
