"""The arithmetic of a training: fp32 to the letter, TF32 products, or 16 bits with weights and updates in fp32."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Inside, convolutions and matrix products run in 16 bits for `bf16` and `fp16`; else nothing happens."""
    return torch.autocast(
        device.type, dtype=_TYPES.get(precision, torch.bfloat16), enabled=precision in _TYPES
    )


def input_type(precision: str) -> torch.dtype:
    """What autocast makes of a batch, which it rounds before the first convolution."""
    return _TYPES.get(precision, torch.float32)


def use_arithmetic(device: torch.device, precision: str) -> None:
    """Sets what torch keeps for the whole process: whether fp32 may be TF32, and how cuDNN chooses its algorithms.

    fp32 means fp32: no TF32 in convolutions (torch's default) or matrix products. On CUDA cuDNN tries its algorithms
    on each new shape and keeps the fastest.
    """
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = device.type == "cuda"


def memory_format(device: torch.device, precision: str) -> torch.memory_format:
    """How images and activations lie: channels_last, but NCHW for exact fp32 on CUDA.

    cuDNN's kernels for channels_last are made for tensor cores, which exact fp32 does not use. Never measured here.
    """
    exact_on_gpu = device.type == "cuda" and precision == "fp32"
    return torch.contiguous_format if exact_on_gpu else torch.channels_last


def laid_out(inputs: Tensor, layout: torch.memory_format) -> Tensor:
    """Batches, which come in channels_last, as a network takes them."""
    return inputs if layout is torch.channels_last else inputs.contiguous()


def loss_scaler(device: torch.device, precision: str) -> torch.amp.GradScaler:
    """Keeps gradients within the range of fp16 (Micikevicius et al., arXiv 1710.03740); otherwise it does nothing.

    The scale begins at 65,536, halves where a gradient overflows, whose step is left out, and doubles after 2,000 steps
    without one.
    """
    return torch.amp.GradScaler(device.type, enabled=precision == "fp16")


def make_momentum(optimiser: torch.optim.Optimizer) -> None:
    """Begins the momentum of SGD at 0 where there is none yet; its first step makes it the gradient, as ever.

    torch 2.14.1's fused step makes room for it and leaves what lies there when a scaled gradient overflows in the first
    step: the next one then adds whatever that was.
    """
    for group in optimiser.param_groups:
        for parameter in group["params"] if group.get("momentum") else ():
            optimiser.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter))


class ExactLinear(nn.Linear):
    """A linear layer that computes in fp32 under autocast, too."""

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, features) in any precision -> (B, classes) fp32."""
        with torch.autocast(inputs.device.type, enabled=False):
            return F.linear(inputs.float(), self.weight, self.bias)


def keep_linear_in_fp32(network: nn.Module) -> None:
    """Makes a network's linear layer, the last of its layers, compute in fp32; parameters and their names stay.

    Raises:
        ValueError: it has none, or more than one.
    """
    found = [(name, module) for name, module in network.named_modules() if type(module) is nn.Linear]
    if len(found) != 1:
        raise ValueError(f"a network must have one linear layer, but got {len(found)}")
    ((name, linear),) = found
    exact = ExactLinear(linear.in_features, linear.out_features, device="meta")
    exact.weight, exact.bias = linear.weight, linear.bias
    network.set_submodule(name, exact)
