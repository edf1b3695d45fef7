"""How many images are evaluated at once: the fixed rule on a CPU, on CUDA what pays and what a step's memory holds.

No GPU was asked: devices are names here.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.training.trainings import DIGITS, config_of
from wrn_search.decisions.image_facts import workload_of
from wrn_search.images.batches import EvaluationBatches
from wrn_search.images.prepared_data import PreparedData, prepare
from wrn_search.memory.predicted_activations import PeakMemory, evaluation_batch_size, peak_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.work_on_gpu import forward_batches_that_pay
from wrn_search.memory.workload_of_training import workload_of_training
from wrn_search.networks.architecture import Architecture
from wrn_search.session.start_of_a_session import facts_of
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.batches_of_a_split import images_evaluated_at_once, split_batches
from wrn_search.training.several_gpus.replica import Replica
from wrn_search.training.training_loop import Training

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
WRN_16_1 = Workload(Architecture.of(16, 1), precision="bf16", train_images=45_000, validation_images=10_000)
NETWORKS = (
    *(Architecture.of(depth, k) for depth, k in ((10, 0.5), (16, 1), (40, 1), (40, 4), (28, 10))),
    Architecture.of(110, 1, None, "preact_resnet"),
)
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"dropout": 0.3},
    {"stochastic_depth": 0.5},
    {"optimizer": "adamw", "ema": 0.9},
    {"sam": 0.05, "gradient_accumulation": 2},
    {"momentum": 0.0, "policy": "randaugment"},
    {"replicas": 4},
    {"replicas": 2, "gradient_accumulation": 2, "is_streamed": True},
)


def workloads(network: Architecture, **fixed: Any) -> list[Workload]:
    """Of all settings, batches and precisions, as many images to evaluate as are asked for."""
    return [
        replace(WRN_16_1, architecture=network, batch_size=size, precision=precision, **setting, **fixed)
        for setting, size, precision in itertools.product(SETTINGS, (8, 64, 128, 2048), ("fp32", "bf16"))
    ]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda each: each.name)
def test_on_a_cpu_it_is_the_micro_batch_and_500_at_most(network: Architecture) -> None:
    for workload in workloads(network, device="cpu"):
        assert evaluation_batch_size(workload) == min(workload.micro_batch_size, 500)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda each: each.name)
def test_on_cuda_it_never_raises_the_peak(network: Architecture) -> None:
    """Against the prediction for a split with nothing to evaluate, which is that of the training step."""
    for workload in workloads(network):
        most = replace(workload, validation_images=10**6)
        assert peak_memory(most) == peak_memory(replace(workload, validation_images=0)), workload
        assert evaluation_batch_size(workload) % min(workload.images_at_once, 500) == 0


@pytest.mark.parametrize("network", [(18, 1.0), (34, 3.0), (50, 2.0)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_nor_does_it_of_photographs(network: tuple[int, float], precision: str) -> None:
    architecture = Architecture.of(*network, None, "imagenet_resnet")
    workload = replace(WRN_16_1, architecture=architecture, precision=precision, image_shape=(224, 224, 3))
    for size in (32, 256):
        step = peak_memory(replace(workload, batch_size=size, validation_images=0))
        assert peak_memory(replace(workload, batch_size=size, validation_images=50_000)) == step


@pytest.mark.parametrize("batch_size", [8, 16])
def test_where_not_even_one_image_fits_it_is_what_passes_in_training(batch_size: int) -> None:
    """Weights are nearly all: evaluating, all gradients are alive beside the bf16 copy of a convolution's weights."""
    network = Architecture.of(50, 2, None, "imagenet_resnet")
    workload = replace(WRN_16_1, architecture=network, batch_size=batch_size, replicas=batch_size // 8)
    assert peak_memory(replace(workload, validation_images=1)).moment == "evaluation"
    assert evaluation_batch_size(workload) == 8


def test_it_is_as_large_as_memory_holds_by_the_closed_form() -> None:
    """WRN-16-1 in bf16: the second block takes most, what holds its input, that, and four tensors of 16 channels."""
    numbers = 16 * 32 * 32
    image = 2 * (1 + 1 + 4) * numbers + (1 + 2 + 4) * 3 * 32 * 32  # with the stored image, and its two copies
    step = peak_memory(replace(WRN_16_1, train_images=0, validation_images=0))
    room = step.peak_bytes - step.weights - step.gradients - step.momentum
    found = evaluation_batch_size(WRN_16_1)
    assert found == 256
    assert forward_batches_that_pay(WRN_16_1, 128) > 3, "more would pay"
    assert found * image < room < (found + 128) * image


def test_it_is_no_larger_than_pays() -> None:
    """A network that fills the GPU is evaluated as it is trained; one that waits for launches until it does not."""
    wide = replace(WRN_16_1, architecture=Architecture.of(28, 10))
    assert forward_batches_that_pay(wide, 128) == 1
    assert evaluation_batch_size(wide) == 128
    assert evaluation_batch_size(replace(wide, batch_size=4096)) == 500
    deep = replace(WRN_16_1, architecture=Architecture.of(40, 4))
    assert forward_batches_that_pay(deep, 128) == 2
    assert evaluation_batch_size(deep) == 256
    room = peak_memory(replace(deep, validation_images=0)).peak_bytes
    assert peak_memory(replace(deep, batch_size=256, validation_images=0)).peak_bytes > room
    assert [forward_batches_that_pay(WRN_16_1, images) for images in (128, 1280, 12_800)] == [10, 1, 1]


def test_no_split_and_no_draw_changes_it() -> None:
    changed: tuple[dict[str, Any], ...] = (
        {"train_images": 0, "data_bytes": 10**9},
        {"validation_images": 0},
        {"policy": "trivial"},
        {"is_streamed": True},
    )
    for change in changed:
        assert evaluation_batch_size(replace(WRN_16_1, **change)) == evaluation_batch_size(WRN_16_1)
    assert peak_memory(replace(WRN_16_1, validation_images=64)) == peak_memory(WRN_16_1)


def test_beside_a_captured_step_it_stays_the_fixed_one() -> None:
    """A graph keeps what its step takes: nothing of it is there for an evaluation."""
    assert evaluation_batch_size(replace(WRN_16_1, is_captured=True)) == 128 < evaluation_batch_size(WRN_16_1)
    config = config_of(cuda_graph="on", batch_size=64, depth=40)
    assert images_evaluated_at_once(config, prepare(DIGITS), CUDA) == 64
    assert workload_of(config, facts_of(prepare(DIGITS))).is_captured


@pytest.mark.parametrize("gpus", [0.125, 1, 2, 4])
@pytest.mark.parametrize(
    "changes",
    [{}, {"depth": 40}, {"ema": 0.9, "sam": 0.05}, {"gradient_accumulation": 4, "precision": "bf16"}],
    ids=str,
)
def test_the_prediction_and_the_training_go_by_one_rule(gpus: float, changes: dict[str, Any]) -> None:
    config, data = config_of(batch_size=64, **changes), prepare(DIGITS)
    workload = workload_of(config, facts_of(data), gpus)
    replica = Replica(0, max(1, int(gpus)))
    assert images_evaluated_at_once(config, data, CUDA, replica) == evaluation_batch_size(workload)
    fixed = min(config.micro_batch_size, 500)
    assert images_evaluated_at_once(config, data, CPU, replica) == fixed


def test_a_training_on_a_cpu_evaluates_as_ever() -> None:
    config, data = config_of(depth=40, batch_size=32), prepare(DIGITS)
    assert images_evaluated_at_once(config, data, CUDA) > 32, "this network would gain on a GPU"
    _, validation = split_batches(config, data, CPU, 1)
    assert validation is not None
    assert [len(labels) for _, labels in validation] == [32, 32, 32, 4]
    training = Training(config, data)
    assert training.evaluated_at_once == 32
    training.close()


def test_errors_do_not_depend_on_it_and_losses_but_for_the_order_of_sums() -> None:
    config = config_of(epochs=1)
    found = {size: _evaluated(config, prepare(DIGITS), size) for size in (1, 7, 32, 100)}
    losses, errors = zip(*found.values(), strict=True)
    assert len(set(errors)) == 1
    assert losses == pytest.approx([losses[0]] * len(losses), rel=1e-6)


def _evaluated(config: TrialConfig, data: PreparedData, size: int) -> tuple[float, float]:
    training = Training(config, data)
    training.run_epoch()
    found = training.evaluate(EvaluationBatches(data, batch_size=size), 1, "validation loss")
    training.close()
    return found


def test_a_captured_step_keeps_its_memory_beside_an_evaluation_on_cuda_alone() -> None:
    config = space_from_mapping(
        {
            "dataset": {"name": "cifar10"},
            "model": {"depth": 16, "widen_factor": 4},
            "training": {"learning_rate": 0.1, "cuda_graph": "on"},
        }
    ).trial_config({}, 0, precision="bf16", compile="off")
    plain = replace(config, cuda_graph="off")

    def peak(config: TrialConfig, device: str) -> PeakMemory:
        return peak_memory(workload_of_training(config, 10, (32, 32, 3), device=device))

    captured, eager = peak(config, "cuda"), peak(plain, "cuda")
    assert (captured.moment, eager.moment) == ("evaluation", "backward")
    assert 1.2 * eager.peak_bytes < captured.peak_bytes < 1.5 * eager.peak_bytes
    assert peak(config, "cpu") == peak(plain, "cpu"), "there it is run as it is"
