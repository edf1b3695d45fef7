"""The probe's part in the prediction, with made-up answers: none of this has met a GPU."""

from __future__ import annotations

from functools import partial

import pytest

from tests.decisions.playing import FACTS, space_of
from wrn_search.decisions.image_facts import workload_of
from wrn_search.memory.choice_of_probes import probe_configs
from wrn_search.memory.gpu_shares import correction_of
from wrn_search.memory.predicted_memory import CONTEXT_BYTES, trial_memory
from wrn_search.memory.probe.probe_on_gpus import probed
from wrn_search.memory.probe.short_training import MeasuredMemory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.space.trial_config import TrialConfig

WORKLOAD = partial(workload_of, facts=FACTS)
SPACE = space_of(
    model={
        "depth": {"choice": [28, 10, 16]},
        "widen_factor": {"uniform": [0.5, 4]},
        "dropout": {"uniform": [0.0, 0.5]},
        "init": {"choice": ["fan_out", "fan_in"]},
    },
    training={"batch_size": {"choice": [256, 32]}, "epochs": 3},
)


def _allocated(workload: Workload) -> int:
    return trial_memory(workload).allocated_bytes


def test_the_smallest_and_the_largest_training_of_a_space() -> None:
    small, large = probe_configs(SPACE, WORKLOAD, "fp32")
    assert (small.depth, small.widen_factor, small.batch_size, small.dropout) == (10, 0.5, 32, 0.0)
    assert (large.depth, large.widen_factor, large.batch_size, large.dropout) == (28, 4.0, 256, 0.5)
    assert small.init == large.init == "fan_out"


def test_a_space_of_one_network_is_probed_once() -> None:
    assert len(probe_configs(space_of(model={"depth": 10}), WORKLOAD, "bf16")) == 1


def test_what_a_device_takes_more_is_learned() -> None:
    def device(config: TrialConfig) -> MeasuredMemory:
        """Takes a tenth more than predicted, and 50 MB."""
        return MeasuredMemory(int(1.1 * _allocated(WORKLOAD(config))) + 50_000_000, 400_000_000)

    configs = probe_configs(SPACE, WORKLOAD, "fp32")
    correction = correction_of(probed(configs, WORKLOAD, lambda asked: [device(config) for config in asked]))
    assert correction.context_bytes == 400_000_000
    for config in configs:
        predicted = correction.factor * _allocated(WORKLOAD(config)) + correction.extra_bytes
        assert predicted >= device(config).reserved_bytes - 1
        assert predicted == pytest.approx(device(config).reserved_bytes, rel=0.15)


def test_a_probe_that_did_not_fit_is_left_out() -> None:
    configs = probe_configs(SPACE, WORKLOAD, "fp32")
    results = probed(
        configs, WORKLOAD, lambda asked: [MeasuredMemory(10**9, 10**8), *([None] * (len(asked) - 1))]
    )
    assert [result.reserved_bytes for result in results] == [10**9]
    assert probed(configs, WORKLOAD, lambda asked: [None] * len(asked)) == []


@pytest.mark.parametrize("beside", [0, 30 * 2**30])
def test_a_context_that_cannot_be_told_is_assumed(beside: int) -> None:
    """Much beside the allocator belongs to somebody else on the GPU."""
    (result, *_) = probed(
        probe_configs(SPACE, WORKLOAD, "fp32"),
        WORKLOAD,
        lambda asked: [MeasuredMemory(10**9, beside)] * len(asked),
    )
    assert result.context_bytes == CONTEXT_BYTES
