"""What a training keeps busy of a GPU, and the share that follows: a model, against what it must say in the limits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrn_search.memory.gpu_shares import SHARES, share_by_work, share_of, smallest_share
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.work_on_gpu import (
    KERNELS,
    KERNELS_BESIDE,
    LAUNCH_SECONDS,
    PART_OF_PEAK,
    Rates,
    gain,
    step_of,
)
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs

GB = 10**9


def _of(depth: int, widen_factor: float, **changes: Any) -> Workload:
    return replace(Workload(Architecture.of(depth, widen_factor), precision="bf16"), **changes)


def test_a_step_that_computes_takes_its_operations_over_the_rate() -> None:
    """Where moving costs nothing: forward and twice that backward, two operations a multiply-add."""
    workload = _of(28, 10)
    step = step_of(workload, Rates(1e12, 1e30))
    assert step.work == pytest.approx(6 * macs(workload.architecture, 10) * 128 / (PART_OF_PEAK * 1e12))
    assert step.kernels == KERNELS * (24 + 3) + KERNELS_BESIDE  # the stem is one of the kernels beside
    assert step.filled == 1.0


def test_a_small_network_waits_for_launches() -> None:
    step = step_of(_of(16, 1))
    assert step.alone() == pytest.approx(step.kernels * LAUNCH_SECONDS)
    assert step.filled == pytest.approx(step.work / step.alone())
    assert step.filled < 0.15


@given(st.floats(0.01, 1.0))
def test_gain_is_what_is_free_and_never_falls_with_more_trials(filled: float) -> None:
    gains = [gain(filled, each) for each in range(1, 9)]
    assert all(later >= each * (1 - 1e-12) for each, later in pairwise(gains))
    assert gains[0] == 1.0
    assert gains[-1] == pytest.approx(min(8.0, 1 / filled))


@pytest.mark.parametrize(
    ("depth", "widen_factor", "share"),
    [(16, 1, 1 / 8), (40, 1, 1 / 8), (16, 2, 1 / 8), (40, 2, 1 / 4), (16, 4, 1 / 4), (40, 4, 1 / 2)]
    + [(depth, width, 1.0) for depth in (16, 22, 28, 40) for width in (8, 10, 12)],
)
def test_shares_by_work_of_the_papers_networks(depth: int, widen_factor: float, share: float) -> None:
    """What fills a GPU alone has it alone, as `benchmarks/packing_plan.py` finds for k of 8 and more."""
    assert share_by_work(_of(depth, widen_factor))[0] == share


@given(st.sampled_from((10, 16, 22, 28, 40)), st.sampled_from((0.5, 1, 2, 3, 4, 6, 8)), st.integers(4, 9))
def test_the_share_holds_memory_and_work_and_no_smaller_one_does(
    depth: int, widen_factor: float, power: int
) -> None:
    workload = _of(depth, widen_factor, batch_size=2**power)
    needed = trial_memory(workload).allocated_bytes
    by_memory, (by_work, filled) = smallest_share(needed, 16 * GB), share_by_work(workload)
    share = share_of(workload, needed, 16 * GB)
    assert share == (None if by_memory is None else max(by_memory, by_work))
    best = max(gain(filled, 1 / each) for each in SHARES)
    assert gain(filled, 1 / by_work) >= 0.9 * best
    assert all(gain(filled, 1 / each) < 0.9 * best for each in SHARES if each > by_work)


def test_more_images_a_step_are_more_work() -> None:
    shares = [share_by_work(_of(16, 2, batch_size=size))[0] for size in (32, 128, 512, 2048)]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]
    accumulated = _of(16, 2, batch_size=2048, gradient_accumulation=16)
    assert share_by_work(accumulated) == share_by_work(_of(16, 2))
