"""All that is random in one training, owned by it: initialisation, dropout, batch order, augmentation, mixing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor


class Randomness:
    """The random streams of one training, all derived from its seed.

    torch draws initialisation and dropout from default generators that a whole process shares. `in_use` lends
    them this training's states and hands the process its own back, so trainings in one process never touch
    each other.
    """

    def __init__(self, seed: int, device: torch.device):
        self.batches = torch.Generator().manual_seed(derived_seed(seed, "batches"))  # order and augmentation
        self._device, self._seed = device, seed
        network_seed = derived_seed(seed, "network")
        self._cpu: Tensor = torch.Generator().manual_seed(network_seed).get_state()
        self._cuda: Tensor | None = None
        if device.type == "cuda":
            self._cuda = torch.Generator(device).manual_seed(network_seed).get_state()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Inside, torch's default generators go on from this training's states; after, from their own."""
        with torch.random.fork_rng(devices=[] if self._cuda is None else [self._device]):
            torch.set_rng_state(self._cpu)
            if self._cuda is not None:
                torch.cuda.set_rng_state(self._cuda, self._device)
            yield
            self._cpu = torch.get_rng_state()
            if self._cuda is not None:
                self._cuda = torch.cuda.get_rng_state(self._device)

    def of_epoch(self, purpose: str, epoch: int) -> np.random.Generator:
        """A stream of its own for one purpose and epoch: the same after any resume, as nothing of it is kept."""
        return np.random.default_rng(derived_seed(self._seed, f"{purpose} of epoch {epoch}"))

    def state_dict(self) -> dict[str, Any]:
        """The states, as byte tensors."""
        return {"cpu": self._cpu, "cuda": self._cuda, "batches": self.batches.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from the states. Dropout on a device of another kind than theirs starts its stream anew."""
        self._cpu = state["cpu"]
        if self._cuda is not None and state["cuda"] is not None:
            self._cuda = state["cuda"]
        self.batches.set_state(state["batches"])


def derived_seed(seed: int, purpose: str) -> int:
    """A seed of 63 bits for one purpose; those of neighbouring seeds and of other purposes look unrelated."""
    digest = hashlib.sha256(f"{purpose} {seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
