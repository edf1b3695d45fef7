"""Forward and backward of one batch, timed: all networks in turns, so that a busy minute hits each of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from wrn_search.memory.keeping_freed_memory import keep_freed_memory
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.built_network import built_network
from wrn_search.training.loss import training_loss
from wrn_search.training.mixed_precision import autocast, use_arithmetic

_WARM_UP = {"cpu": 1, "cuda": 5}  # steps that make room and choose kernels, and are not timed


@dataclass(frozen=True)
class Batch:
    """What a network is given."""

    size: int  # images
    image_shape: tuple[int, int, int]  # height, width, channels
    num_classes: int


@dataclass(frozen=True)
class Setting:
    """How it is timed."""

    device: str  # cpu | cuda
    precision: str  # fp32 | bf16
    threads: int  # of a CPU
    rounds: int  # timed steps of each network
    clock: str = (
        "wall"  # wall | cpu: what all threads of the process computed, which other work does not lengthen
    )


@dataclass(frozen=True)
class Timed:
    """One network's times."""

    network: Architecture
    batch: Batch
    milliseconds: tuple[float, ...]  # of each round

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.milliseconds)


def timed_networks(
    networks: Sequence[tuple[Architecture, Batch]],
    setting: Setting,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Timed]:
    """Times of each network, in the order given; round by round each is run once, beginning one further each time.

    Args:
        networks: each with its batch.
        setting: how.
        tell: is told what is being done.
    """
    keep_freed_memory()
    use_arithmetic(torch.device(setting.device), setting.precision)
    before = torch.get_num_threads()
    torch.set_num_threads(setting.threads)
    try:
        steps = [_step(network, batch, setting) for network, batch in networks]
        for (network, _), step in zip(networks, steps, strict=True):
            tell(f"warming up {network.name}")
            for _ in range(_WARM_UP[setting.device]):
                step()
        taken: list[list[float]] = [[] for _ in steps]
        for number in range(setting.rounds):
            tell(f"round {number + 1} of {setting.rounds}")
            for place in range(len(steps)):
                turn = (place + number) % len(steps)
                taken[turn].append(_milliseconds(steps[turn], setting))
    finally:
        torch.set_num_threads(before)
    return [
        Timed(network, batch, tuple(values)) for (network, batch), values in zip(networks, taken, strict=True)
    ]


def _step(network: Architecture, batch: Batch, setting: Setting) -> Callable[[], None]:
    """One forward and backward pass on made-up images, gradients made anew each time."""
    device = torch.device(setting.device)
    height, width, channels = batch.image_shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = built_network(network, batch.num_classes, channels)
        images = torch.rand(batch.size, channels, height, width)
    made = made.to(device).to(memory_format=torch.channels_last).train()
    images = images.to(device, memory_format=torch.channels_last)
    labels = (torch.arange(batch.size) % batch.num_classes).to(device)

    def once() -> None:
        made.zero_grad(set_to_none=True)
        with autocast(device, setting.precision):
            loss = training_loss(made(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]

    return once


def _milliseconds(step: Callable[[], None], setting: Setting) -> float:
    now = time.process_time if setting.clock == "cpu" else time.perf_counter
    _wait(setting)
    began = now()
    step()
    _wait(setting)
    return 1000 * (now() - began)


def _wait(setting: Setting) -> None:
    """Until what a GPU was told to do is done; a CPU does it at once."""
    if setting.device == "cuda":
        torch.cuda.synchronize()
