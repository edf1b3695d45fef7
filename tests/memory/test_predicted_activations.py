"""The predicted peak against what torch's profiler tracks of real trainings, and against its own limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.memory_prediction import NETWORKS, compared, config_of, made_up_dataset
from wrn_search.images.policies.policies import POLICIES
from wrn_search.memory.predicted_activations import peak_memory
from wrn_search.memory.predicted_memory import CONTEXT_BYTES, NCCL_BYTES, SLACK, WORKSPACE_BYTES, trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.sections.crop_padding import ROUNDS

WRN_16_2 = Workload(Architecture.of(16, 2), train_images=45_000)


@pytest.fixture(scope="module", autouse=True)
def _data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared images of this module's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> DatasetSettings:
    """Two batches of 32 coloured images to train on, and one to evaluate."""
    return made_up_dataset(tmp_path_factory.mktemp("images") / "images", 32)


SMALL: dict[str, dict[str, Any]] = {
    "narrow": {"depth": 10, "widen_factor": 0.5},
    "an identity in the first group": {"depth": 16, "widen_factor": 1},
    "fractional width": {"depth": 16, "widen_factor": 1.3},
    "wide": {"depth": 10, "widen_factor": 4},
    "dropout": {"depth": 16, "widen_factor": 1, "dropout": 0.3},
    "no momentum": {"depth": 10, "widen_factor": 4, "momentum": 0.0},
    "one convolution a block": {"depth": 10, "widen_factor": 2, "block": "B(3)"},
    "three convolutions a block": {"depth": 16, "widen_factor": 1, "block": "B(3,1,3)", "dropout": 0.2},
    "stochastic depth": {"depth": 16, "widen_factor": 1, "stochastic_depth": 0.5},
    "thin bottlenecks": {"family": "preact_resnet", "depth": 20, "block": "bottleneck"},
    "for ImageNet": {"family": "imagenet_resnet", "depth": 18, "widen_factor": 0.5},
    "two means of adamw": {"depth": 10, "widen_factor": 4, "optimizer": "adamw"},
    "averaged weights": {"depth": 10, "widen_factor": 4, "ema": 0.9},
    "weights kept by SAM": {"depth": 10, "widen_factor": 4, "sam": 0.05},
    "micro-batches": {"depth": 16, "widen_factor": 2, "gradient_accumulation": 4},
    "all of these": {
        "depth": 10,
        "widen_factor": 4,
        "optimizer": "adamw",
        "ema": 0.9,
        "sam": 0.05,
        "gradient_accumulation": 2,
    },
    "all of these for ImageNet": {
        "family": "imagenet_resnet",
        "depth": 18,
        "widen_factor": 0.5,
        "optimizer": "adamw",
        "ema": 0.9,
        "sam": 0.05,
        "gradient_accumulation": 2,
    },
    "stochastic depth for ImageNet": {
        "family": "imagenet_resnet",
        "depth": 18,
        "widen_factor": 0.5,
        "stochastic_depth": 0.5,
    },
}


QUICK = ("narrow", "wide", "micro-batches", "all of these")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    "leaves",
    [
        pytest.param(leaves, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, leaves in SMALL.items()
    ],
)
def test_never_under_and_at_most_15_percent_over(
    images: DatasetSettings, leaves: dict[str, Any], precision: str
) -> None:
    found = compared(config_of(images, batch_size=32, precision=precision, **leaves), threads=1)

    assert 1 <= found["ratio"] <= 1.15, found


# Small batches of networks with many weights: what is copied of weights counts more than activations.
HEAVY: dict[str, dict[str, Any]] = {
    "WRN-18-1 for ImageNet": {"depth": 18, "widen_factor": 1},
    "bottlenecks for ImageNet": {"depth": 50, "widen_factor": 0.5},
}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("leaves", HEAVY.values(), ids=HEAVY)
def test_heavy_networks_are_predicted_as_well_in_16_bits(
    tmp_path: Path, leaves: dict[str, Any], precision: str
) -> None:
    """Autocast keeps no copy of the weights in evaluation, and in a backward step those of one convolution."""
    config = config_of(
        made_up_dataset(tmp_path / "images", 16),
        batch_size=16,
        precision=precision,
        family="imagenet_resnet",
        **leaves,
    )
    assert 1 <= compared(config, threads=1)["ratio"] <= 1.08


REPLICAS: dict[str, dict[str, Any]] = {
    "wide": {"depth": 10, "widen_factor": 4, "precision": "fp32"},
    "micro-batches": {"depth": 10, "widen_factor": 4, "precision": "bf16", "gradient_accumulation": 2},
    "for ImageNet": {"family": "imagenet_resnet", "depth": 18, "widen_factor": 0.5, "precision": "fp32"},
}


@pytest.mark.parametrize(
    "leaves",
    [
        pytest.param(leaves, id=name, marks=() if name == "wide" else pytest.mark.slow)
        for name, leaves in REPLICAS.items()
    ],
)
def test_one_of_two_replicas_is_predicted_with_its_buckets(
    images: DatasetSettings, leaves: dict[str, Any]
) -> None:
    """Real processes over gloo, of which the first is watched."""
    found = compared(config_of(images, batch_size=32, **leaves), threads=1, replicas=2)

    assert 1 <= found["ratio"] <= 1.15, found
    assert found["parts"]["buckets"] > 0


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("replicas", [2, 4, 8])
def test_replicas_have_parts_of_the_batch_and_whole_weights(replicas: int, device: str) -> None:
    alone = Workload(Architecture.of(16, 2), batch_size=128, train_images=45_000, device=device)
    together = replace(alone, batch_size=128 * replicas, replicas=replicas)
    weights = 4 * num_params(alone.architecture)
    one, several = peak_memory(alone), peak_memory(replace(together, validation_images=128))

    assert several.buckets == weights
    assert several.activations == one.activations
    images = 32 * 32 * 3 * 5 * 128 * (replicas - 1) + 32 * 32 * 3 * 4 * 128 + 8 * 128 * (replicas - 1)
    assert several.peak_bytes - one.peak_bytes == weights + images
    assert trial_memory(together).context_bytes == (CONTEXT_BYTES + NCCL_BYTES if device == "cuda" else 0)


def test_fp32_is_predicted_to_a_tenth_of_a_percent(images: DatasetSettings) -> None:
    """The slack is for an allocator's losses: the play itself leaves out next to nothing."""
    found = compared(config_of(images, batch_size=32, precision="fp32", depth=16, widen_factor=2), threads=1)

    assert found["without_slack"] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("policy", ["trivial", "randaugment", "color_jitter", "shift_randaugment"])
@pytest.mark.parametrize("widen_factor", [0.125, 1.0])
def test_what_a_policy_draws_and_changes_is_in_it(
    images: DatasetSettings, policy: str, widen_factor: float
) -> None:
    """Also where the network is so small that the images in work are most of it."""
    changed = type(images).model_validate(
        images.model_dump() | {"augmentation": policy, "crop_padding": "auto"}
    )
    leaves = {"depth": 10, "widen_factor": widen_factor, "batch_size": 32, "precision": "fp32"}
    found, plain = (compared(config_of(each, **leaves), threads=1) for each in (changed, images))

    assert found["parts"]["inputs"] > plain["parts"]["inputs"]
    assert 1 <= found["ratio"] <= 1.3, found


def test_the_draws_of_a_policy_grow_with_the_images() -> None:
    """On the device for a whole epoch: 36 bytes of an image and round."""
    few, many = (
        peak_memory(replace(WRN_16_2, policy="color_jitter", train_images=images)).inputs
        for images in (45_000, 645_000)
    )
    plain = [peak_memory(replace(WRN_16_2, train_images=images)).inputs for images in (45_000, 645_000)]
    assert (many - few) - (plain[1] - plain[0]) == 600_000 * 3 * 36
    assert set(ROUNDS) == set(POLICIES)


LARGE = ("16-8", "40-4", "22-8", "28-10", "40-10")  # a minute of a core each and more at batch 128
EXHAUSTIVE = LARGE[1:]  # of the same blocks as the others


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    "network",
    [
        pytest.param(name, marks=pytest.mark.exhaustive if name in EXHAUSTIVE else ())
        for name in NETWORKS.split(",")
    ],
)
def test_the_eight_networks(tmp_path: Path, network: str, precision: str) -> None:
    """At batch 128, the large ones at 32; `benchmarks.memory_prediction` has all of them at 128."""
    depth, width = network.split("-")
    batch_size = 32 if network in LARGE else 128
    leaves = {"depth": int(depth), "widen_factor": float(width), "batch_size": batch_size}
    dataset = made_up_dataset(tmp_path / "images", batch_size)  # two steps are enough
    found = compared(config_of(dataset, precision=precision, **leaves), threads=1)

    assert 1 <= found["ratio"] <= 1.15, found


def test_memory_grows_with_the_batch_by_equal_steps() -> None:
    peaks = [peak_memory(replace(WRN_16_2, batch_size=size)).peak_bytes for size in (64, 128, 192)]

    assert peaks[2] - peaks[1] == peaks[1] - peaks[0] > 0


def test_parts_are_those_of_the_closed_form() -> None:
    """What depends on weights alone, and the four tensors of each block."""
    architecture = Architecture.of(40, 4)
    peak = peak_memory(Workload(architecture, batch_size=512))
    weights = 4 * num_params(architecture)
    assert peak.momentum == weights
    assert weights < peak.weights < 1.01 * weights
    blocks = architecture.blocks_per_group
    numbers = 16 * 1024 + sum(  # the stem, then each group at its image size
        4 * blocks * width * pixels
        for width, pixels in zip(architecture.widths, (1024, 256, 64), strict=True)
    )
    # First blocks keep their normalised input at the size of the group before.
    assert peak.activations == pytest.approx(4 * 512 * numbers, rel=0.02)


def test_what_stands_beside_the_weights_is_counted_for_a_gpu_too() -> None:
    """AdamW's second mean, a copy that is averaged, another that SAM comes back to; a quarter of the activations."""
    plain = replace(WRN_16_2, batch_size=1024)
    weights = 4 * num_params(plain.architecture)
    peaks = {name: peak_memory(replace(plain, **{name: value})) for name, value in BESIDE.items()}  # type: ignore[arg-type]
    more = {name: peak.peak_bytes - peak_memory(plain).peak_bytes for name, peak in peaks.items()}

    assert more["optimizer"] == more["sam"] == weights
    assert weights < more["ema"] < 1.02 * weights
    activations = peak_memory(plain).activations
    assert peaks["gradient_accumulation"].activations == pytest.approx(activations / 4, rel=0.01)
    assert more["gradient_accumulation"] < -0.7 * activations


BESIDE = {"optimizer": "adamw", "sam": 0.05, "ema": 0.9, "gradient_accumulation": 4}


def test_bf16_halves_activations_and_adds_copies_of_the_weights() -> None:
    full, half = (
        peak_memory(replace(WRN_16_2, precision=precision, batch_size=1024)) for precision in ("fp32", "bf16")
    )

    assert half.activations == pytest.approx(full.activations / 2, rel=0.01)
    assert full.weight_copies == 0
    assert half.weights == full.weights
    assert 0 < half.weight_copies <= half.weights / 2


def test_dropout_keeps_a_mask_of_bytes_on_a_gpu_and_of_numbers_on_a_cpu() -> None:
    kept = {
        device: peak_memory(replace(WRN_16_2, device=device, dropout=0.3)).activations
        - peak_memory(replace(WRN_16_2, device=device)).activations
        for device in ("cuda", "cpu")
    }

    assert kept["cuda"] / kept["cpu"] == pytest.approx((4 + 1) / (4 + 4), rel=0.01)


@pytest.mark.parametrize("batch_size", [2, 32, 128, 500, 4096])
@pytest.mark.parametrize(("depth", "widen_factor"), [(10, 0.5), (10, 1), (16, 1), (16, 10), (40, 4)])
def test_evaluating_never_takes_more_than_training(depth: int, widen_factor: float, batch_size: int) -> None:
    workload = Workload(Architecture.of(depth, widen_factor), batch_size=batch_size)

    assert peak_memory(workload).moment != "evaluation"


def test_a_gpu_adds_its_data_workspace_and_context() -> None:
    memory = trial_memory(replace(WRN_16_2, data_bytes=216_000_000))

    assert memory.slack_bytes == pytest.approx(SLACK * memory.peak.peak_bytes, abs=1)
    assert memory.allocated_bytes == pytest.approx(
        (1 + SLACK) * memory.peak.peak_bytes + 216_000_000 + WORKSPACE_BYTES, abs=1
    )
    assert memory.total_bytes == memory.allocated_bytes + CONTEXT_BYTES


def test_a_cpu_maps_its_data() -> None:
    memory = trial_memory(replace(WRN_16_2, device="cpu", data_bytes=216_000_000))

    assert memory.total_bytes == memory.peak.peak_bytes + memory.slack_bytes
