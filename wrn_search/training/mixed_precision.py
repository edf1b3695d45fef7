"""The arithmetic of a training: fp32 to the letter, or bf16 inside with weights and updates in fp32."""

from __future__ import annotations

import torch


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Inside, convolutions and matrix products run in bf16 for `bf16`; nothing happens for `fp32`."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def use_exact_fp32() -> None:
    """fp32 means fp32: no TF32 in convolutions (torch's default) or matrix products."""
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
