"""One step of a training: gradients of a batch, in one pass or several, and what the optimiser makes of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.loss import Targets, loss_of_targets
from wrn_search.training.mixed_precision import autocast
from wrn_search.training.several_gpus.replica import Replica
from wrn_search.training.steps.averaged_weights import AveragedWeights
from wrn_search.training.steps.sharpness_aware import climb, come_back, running_statistics_kept


class Step:
    """Takes steps of an optimiser as a config tells; off by default is all but a forward and a backward pass.

    Args:
        forward: the network, perhaps compiled, or that of a replica.
        network: the plain one.
        optimiser: of the network's parameters.
        config: of the training.
        device: of the network.
        replica: the training's place among those that train the network together.
        scaler: of the loss, which is off but in fp16.
        averaged: the moving average of the weights, which moves after each step; None without one.
        class_weights: (classes,) of the loss; None where all count the same.
    """

    def __init__(
        self,
        forward: nn.Module,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        config: TrialConfig,
        *,
        device: torch.device,
        replica: Replica,
        scaler: torch.amp.GradScaler,
        averaged: AveragedWeights | None,
        class_weights: Tensor | None = None,
    ):
        self._forward, self._network, self._optimiser = forward, network, optimiser
        self._device, self._precision = device, config.precision
        self._replica, self._scaler, self._averaged = replica, scaler, averaged
        self._smoothing, self._class_weights = config.label_smoothing, class_weights
        self._rho, self._clip_norm = config.sam, config.clip_norm
        # Of this replica; 0 where a batch passes the network as a whole.
        self._micro_batch = config.micro_batch_size // replica.size if config.gradient_accumulation > 1 else 0

    def take(self, inputs: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        """Trains on a batch, (B, C, H, W): its mean loss () and scores (B, classes), before the step."""
        loss, scores = self._gradients(inputs, targets)
        if self._rho:
            self._gradients_uphill(inputs, targets)
        if self._clip_norm:
            # Pascanu et al., On the difficulty of training recurrent neural networks (arXiv 1211.5063), algorithm 1.
            self._scaler.unscale_(self._optimiser)
            nn.utils.clip_grad_norm_(self._network.parameters(), self._clip_norm)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        if self._averaged is not None:
            self._averaged.update()
        return loss, scores

    def _gradients_uphill(self, inputs: Tensor, targets: Targets) -> None:
        """Instead of the gradients at the weights those at the worst weights near them, which have not moved after it.

        Running statistics of batch norms are those of the first pass alone; dropout draws anew.
        """
        before = climb(self._network, self._rho)
        with running_statistics_kept(self._network):
            self._gradients(inputs, targets)
        come_back(before)

    def _gradients(self, inputs: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
        """Those of the batch's mean loss, whatever was there before; with the loss and the scores."""
        # Here, not after the step: no gradient lives in the forward pass.
        self._optimiser.zero_grad(set_to_none=True)
        if not self._micro_batch:
            return self._add_gradients(inputs, targets)
        loss = torch.zeros((), dtype=torch.float32, device=self._device)
        scores = []
        with self._replica.apart(self._forward):
            parts = zip(torch.split(inputs, self._micro_batch), targets.split(self._micro_batch), strict=True)
            for part, answers in parts:
                own_loss, own_scores = self._add_gradients(part, answers, len(answers) / len(targets))
                loss += own_loss * (len(answers) / len(targets))
                scores.append(own_scores)
        self._replica.mean_of_gradients(self._network)
        return loss, torch.cat(scores)

    def _add_gradients(
        self, inputs: Tensor, targets: Targets, share: float | None = None
    ) -> tuple[Tensor, Tensor]:
        """One forward and backward pass, whose loss counts by its share of the batch."""
        with autocast(self._device, self._precision):
            scores = self._forward(inputs)
            loss = loss_of_targets(scores, targets, self._smoothing, self._class_weights)
        scaled = self._scaler.scale(loss if share is None else loss * share)
        scaled.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), scores.detach()
