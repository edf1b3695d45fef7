"""The pace of GPUs of a known kind, by a model, beside what one of them measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.gpu.made_up_data import config_of
from wrn_search.forecast.modelled_pace import modelled_pace
from wrn_search.networks.parameters_and_macs import macs

ROOT = Path(__file__).resolve().parents[2]
RATES = ROOT / "benchmarks/results/nvidia-h200/gpu_rates.json"
SHAPE = (32, 32, 3)


def test_it_is_near_what_an_h200_measured() -> None:
    """Of captured steps at batch 128 in bf16, which `cuda_graph: auto` takes there."""
    ratios = {}
    for name, told in json.loads(RATES.read_text())["rates"].items():
        network, _, rest = name.partition(" ")
        if rest == "captured bf16 128":
            config = config_of(network, 128, "bf16")
            pace = modelled_pace([config], 10, SHAPE, {"NVIDIA H200"})
            assert pace is not None
            modelled = pace.seconds_per_epoch(macs(config.architecture, 10), 50_000, 0)
            ratios[network] = told["seconds_for_50000"] / modelled
    assert ratios.keys() == {"16-1", "16-2", "16-4", "16-8", "22-8", "28-10", "40-4"}
    assert 0.70 < min(ratios.values()) < max(ratios.values()) < 1.22


def test_both_ends_of_a_space_are_points_and_a_share_takes_longer() -> None:
    configs = [config_of(network, 128, "bf16") for network in ("16-1", "28-10")]
    pace = modelled_pace(configs, 10, SHAPE, {"H100"})
    assert pace is not None
    small, large = (macs(config.architecture, 10) for config in configs)
    assert [size for size, _ in pace.points] == [small, large]
    whole, half = (pace.seconds_per_epoch(small, 45_000, 5_000, share) for share in (1.0, 0.5))
    assert half == pytest.approx(2 * whole)
    assert "modelled, not measured" in pace.source


@pytest.mark.parametrize(
    ("precision", "kinds"),
    [("fp32", {"H100"}), ("bf16", {"H100", "T4"}), ("bf16", {"A100"}), ("bf16", {""}), ("bf16", set())],
)
def test_of_other_gpus_and_arithmetic_it_says_nothing(precision: str, kinds: set[str]) -> None:
    assert modelled_pace([config_of("16-1", 128, precision)], 10, SHAPE, kinds) is None
