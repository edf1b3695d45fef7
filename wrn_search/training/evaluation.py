"""Errors of a network on images that it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from wrn_search.training.batches_of_a_split import EvaluationSource
from wrn_search.training.compiled_network import plain_blocks
from wrn_search.training.inference_time import median_milliseconds
from wrn_search.training.loss import CountsByClass, on_host, summed_loss, wrong_answers
from wrn_search.training.mixed_precision import autocast, laid_out
from wrn_search.training.steps.averaged_weights import AveragedWeights


@dataclass(frozen=True)
class Evaluation:
    """Evaluates a network, in its own precision and layout of images."""

    network: nn.Module
    device: torch.device
    precision: str
    layout: torch.memory_format
    is_compiled: bool = False  # its blocks are, perhaps, for training: here they run as they are

    @torch.inference_mode()
    def sums(
        self,
        batches: EvaluationSource,
        averaged: AveragedWeights | None = None,
        by_class: CountsByClass | None = None,
    ) -> tuple[float, float]:
        """Mean loss and error in percent over the batches, of the network or of its averaged weights.

        `by_class` counts each class besides, in the same pass.
        """
        self.network.eval()
        loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        errors = torch.zeros((), dtype=torch.int64, device=self.device)
        for inputs, labels in batches:
            with self._as_it_is():
                images = laid_out(inputs, self.layout)
                if averaged is None:
                    scores = self.network(images)
                else:
                    scores = functional_call(self.network, averaged.values, (images,))
                loss_sum += summed_loss(scores, labels)
            errors += wrong_answers(scores, labels)
            if by_class is not None:
                by_class.add(scores, labels)
        all_losses, all_errors = on_host(loss_sum, errors)
        return all_losses / batches.num_images, 100 * all_errors / batches.num_images

    @torch.inference_mode()
    def rehearse(self, batch_size: int, image_shape: tuple[int, int, int]) -> None:
        """Evaluates a batch of zeros, images of (height, width, channels): takes the memory that `sums` takes."""
        height, width, channels = image_shape
        inputs: Tensor = torch.zeros(batch_size, height, width, channels, device=self.device)
        labels = torch.zeros(batch_size, dtype=torch.int64, device=self.device)
        self.network.eval()
        with self._as_it_is():
            summed_loss(self.network(laid_out(inputs.permute(0, 3, 1, 2), self.layout)), labels)

    @torch.inference_mode()
    def milliseconds(self, images: int, image_shape: tuple[int, int, int]) -> float:
        """Median of a forward pass of so many made-up images of (height, width, channels) that lie on the device."""
        height, width, channels = image_shape
        drawn = torch.rand(images, height, width, channels, generator=torch.Generator().manual_seed(0))
        inputs = laid_out(drawn.to(self.device).permute(0, 3, 1, 2), self.layout)
        self.network.eval()

        def once() -> None:
            with self._as_it_is():
                self.network(inputs)

        return median_milliseconds(once, self.device)

    @contextmanager
    def _as_it_is(self) -> Iterator[None]:
        with plain_blocks(self.is_compiled), autocast(self.device, self.precision):
            yield
