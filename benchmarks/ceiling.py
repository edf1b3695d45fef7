"""The convolution rate that this machine reaches: the ceiling of which the others state their share.

A 3x3 convolution of 32x32 images, forward and backward, channels_last, at several widths, in fp32 and in bf16. The
ceiling of a precision is the fastest width's median.

    python -m benchmarks.ceiling [--rounds 7] [--json FILE]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from benchmarks.measuring import Variant, options, report, row, variants_in_turns
from wrn_search.hardware.detected_cores_and_gpus import usable_cores
from wrn_search.memory.keeping_freed_memory import keep_freed_memory

WIDTHS = (16, 32, 64, 128, 160)
PRECISIONS = ("fp32", "bf16")
BATCH_SIZE = 128


def convolution(width: int, precision: str, threads: int, seconds: float = 0.5) -> Callable[[], float]:
    """Convolutions for about `seconds`, as a function that returns GFLOP/s (a multiply-add is two)."""
    keep_freed_memory()
    torch.set_num_threads(threads)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    layer = nn.Conv2d(width, width, 3, padding=1, bias=False, dtype=dtype)
    layer = layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    inputs = torch.randn(BATCH_SIZE, width, 32, 32, dtype=dtype).to(memory_format=torch.channels_last)
    inputs.requires_grad_()
    gradient = torch.randn_like(inputs)
    flops = 3 * 2 * 9 * width * width * 32 * 32 * BATCH_SIZE  # forward, and two products backward

    def burst() -> float:
        began, steps = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            layer.zero_grad()
            inputs.grad = None
            layer(inputs).backward(gradient)
            steps += 1
        return steps * flops / (time.perf_counter() - began) / 1e9

    return burst


def ceiling_variants(threads: int, widths: tuple[int, ...] = WIDTHS) -> dict[str, Variant]:
    """A process for each width and precision."""
    return {
        f"{precision} {width} channels": Variant(
            convolution, width=width, precision=precision, threads=threads
        )
        for precision in PRECISIONS
        for width in widths
    }


def ceiling(values: dict[str, list[float]], precision: str) -> float:
    """GFLOP/s of the fastest width."""
    return max(statistics.median(rates) for name, rates in values.items() if name.startswith(precision))


def main() -> None:
    """Prints the table."""
    chosen = options(__doc__, rounds=7).parse_args()
    threads = usable_cores()
    values = variants_in_turns(ceiling_variants(threads), chosen.rounds)
    lines = [f"3x3 convolution, forward and backward, batch {BATCH_SIZE} of 32x32, {threads} threads"]
    lines += [row(name, rates, "GFLOP/s") for name, rates in values.items()]
    best = {precision: ceiling(values, precision) for precision in PRECISIONS}
    lines += [f"  ceiling: fp32 {best['fp32']:,.0f}, bf16 {best['bf16']:,.0f} GFLOP/s"]
    report("ceiling", lines, {"threads": threads, "gflops": values, "ceiling": best}, chosen.json)


if __name__ == "__main__":
    main()
