"""Which device a training runs on."""

from __future__ import annotations

import torch


def resolved_device(device: str) -> torch.device:
    """A device with its index: plain `cuda` is the current one."""
    if device == "cuda":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device(device)
