"""Batch norm and ReLU, forward and backward: the plain pair against two attempts to make one of them.

- `in place`: one autograd function, whose backward masks the gradient in its own memory;
- `compiled`: one region for torch.compile with dynamic shapes, shared by all networks (needs a C++ compiler).

Milliseconds for a batch of 128, channels_last.

    python -m benchmarks.bn_relu [--rounds 7] [--json FILE]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.measuring import in_turns, options, ratio, report, row
from wrn_search.hardware.detected_cores_and_gpus import usable_cores
from wrn_search.memory.keeping_freed_memory import keep_freed_memory

SHAPES = ((16, 32), (32, 32), (64, 32), (64, 16), (128, 8))  # channels, side
EPSILON, MOMENTUM = 1e-5, 0.1


class InPlace(torch.autograd.Function):
    """Batch norm in training mode, then ReLU; the gradient that comes in is overwritten."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        out, batch_mean, inverse_std = torch.native_batch_norm(
            x, weight, bias, mean, var, True, MOMENTUM, EPSILON
        )
        out.relu_()
        ctx.save_for_backward(x, weight, mean, var, batch_mean, inverse_std, out)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        """Of x, weight and bias."""
        *before, out = ctx.saved_tensors
        aten = torch.ops.aten
        masked = aten.threshold_backward.grad_input(gradient, out, 0, grad_input=gradient)
        found = aten.native_batch_norm_backward(masked, *before, True, EPSILON, [True, True, True])
        return (*found, None, None)


def in_place(x: Tensor, bn: nn.BatchNorm2d) -> Tensor:
    """By the autograd function."""
    out: Tensor = InPlace.apply(x, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    return out


def plain(x: Tensor, bn: nn.BatchNorm2d) -> Tensor:
    """What the network does."""
    return F.relu(bn(x), inplace=True)


def _region(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    var, mean = torch.var_mean(x.float(), dim=(0, 2, 3), correction=0)
    scale = torch.rsqrt(var + EPSILON) * weight
    return torch.relu((x.float() - mean[:, None, None]) * scale[:, None, None] + bias[:, None, None]).to(
        x.dtype
    )


torch._dynamo.config.recompile_limit = 2 * len(SHAPES) + 2  # past it torch would quietly run it uncompiled
_compiled_region = torch.compile(_region, dynamic=True)


def compiled(x: Tensor, bn: nn.BatchNorm2d) -> Tensor:
    """By the region; without running statistics, so it is even favoured."""
    out: Tensor = _compiled_region(x, bn.weight, bn.bias)
    return out


WAYS = {"plain": plain, "in place": in_place, "compiled": compiled}


def step_of(
    way: Callable[[Tensor, nn.BatchNorm2d], Tensor], channels: int, side: int, dtype: torch.dtype
) -> Callable[[], float]:
    """Milliseconds of a step, the median of ten."""
    bn = nn.BatchNorm2d(channels)
    x = torch.randn(128, channels, side, side, dtype=dtype).to(memory_format=torch.channels_last)
    x.requires_grad_()
    given = torch.randn_like(x)

    def step() -> float:
        x.grad, gradient = None, given.clone()
        began = time.perf_counter()
        way(x, bn).backward(gradient)
        return 1000 * (time.perf_counter() - began)

    step()
    return lambda: statistics.median(step() for _ in range(10))


def main() -> None:
    """Prints a table for each shape and precision."""
    chosen = options(__doc__, rounds=7).parse_args()
    keep_freed_memory()
    torch.set_num_threads(usable_cores())
    lines: list[str] = []
    kept: dict[str, Any] = {}
    for channels, side in SHAPES:
        for dtype in (torch.float32, torch.bfloat16):
            steps = {name: step_of(way, channels, side, dtype) for name, way in WAYS.items()}
            values = in_turns(steps, chosen.rounds)
            name = f"{channels} channels, {side}x{side}, {str(dtype).removeprefix('torch.')}"
            kept[name] = values
            lines += [name, *(row(way, times, "ms") for way, times in values.items())]
            lines += [
                f"  plain over in place: {ratio(values, 'plain', 'in place'):.2f}, "
                f"plain over compiled: {ratio(values, 'plain', 'compiled'):.2f}"
            ]
    report("bn_relu", lines, {"milliseconds": kept}, chosen.json)


if __name__ == "__main__":
    main()
