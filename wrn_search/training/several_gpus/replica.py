"""A training's place among those that train one network together, each on its part of every batch."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

_PATIENCE = timedelta(hours=2)  # for the others, who wait while one of them validates


@dataclass(frozen=True)
class Replica:
    """One of `size` processes; the one of rank 0 validates, reports and writes checkpoints.

    Their networks begin equal, and all take the mean of their gradients (`DistributedDataParallel`). Batch norms see
    their own part of a batch, and those of rank 0 keep the running means, as in the authors' `DataParallelTable`.
    """

    rank: int = 0
    size: int = 1

    def join(self, meeting: Path, device: torch.device) -> None:
        """Meets the others at a file that does not exist yet; returns when all are there."""
        if device.type == "cpu":
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # all are on this machine
        dist.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            init_method=f"file://{meeting}",
            rank=self.rank,
            world_size=self.size,
            timeout=_PATIENCE,
        )

    def leave(self) -> None:
        """Ends what `join` began."""
        if dist.is_initialized():
            dist.destroy_process_group()

    def forward(self, network: nn.Module, device: torch.device, leaves_out_blocks: bool) -> nn.Module:
        """The network whose backward pass takes the mean of all gradients; itself where it trains alone."""
        if self.size == 1:
            return network
        devices = [device] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(
            network, device_ids=devices, find_unused_parameters=leaves_out_blocks
        )

    def apart(self, forward: nn.Module) -> AbstractContextManager[None]:
        """Inside, backward passes leave each replica its own gradients."""
        if isinstance(forward, nn.parallel.DistributedDataParallel):
            return forward.no_sync()
        return nullcontext()

    def mean_of_gradients(self, network: nn.Module) -> None:
        """Gives all the mean of gradients that they have added up apart; the same parameters have one in each."""
        if self.size == 1:
            return
        gradients = [each.grad for each in network.parameters() if each.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        means = flat.split([each.numel() for each in gradients])  # type: ignore[no-untyped-call]
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))

    def total(self, value: Tensor) -> Tensor:
        """The sum of all replicas' values."""
        if self.size == 1:
            return value
        summed = value.clone()
        dist.all_reduce(summed)
        return summed


ALONE = Replica()
