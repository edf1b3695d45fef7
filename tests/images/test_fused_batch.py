"""Batches made by one kernel, on a CPU: to the bit those that are cut, flipped and normalised one after the other.

No GPU was asked: devices are names here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters
from torch._inductor import metrics

from tests.images.test_batches import seeded, stored
from tests.training.trainings import config_of, learned, run_to_the_end
from wrn_search.images import batches as batches_module
from wrn_search.images.augmentation import AUGMENTATIONS
from wrn_search.images.batches import TrainBatches
from wrn_search.images.fused_batch import Form, compiled, made_batch
from wrn_search.images.prepared_data import prepare
from wrn_search.images.static_batches import StaticBatches
from wrn_search.training.batches_of_a_split import fused_form, split_batches
from wrn_search.training.several_gpus.replica import Replica
from wrn_search.training.training_loop import Training

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
BF16, NCHW = torch.bfloat16, torch.contiguous_format
FORMS = (Form(), Form(BF16), Form(torch.float16), Form(layout=NCHW))
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Code that was compiled before, and what was counted of it, is forgotten."""
    torch.compiler.reset()
    counters.clear()
    metrics.reset()
    yield
    torch.compiler.reset()


@pytest.fixture
def source_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Batches of four out of `count` images, fused by a backend where a form is given."""
    pixels = np.random.default_rng(0).integers(0, 256, (14, 8, 6, 3), dtype=np.uint8)

    def made(augmentation: str, form: Form | None, backend: str = "aot_eager") -> TrainBatches:
        monkeypatch.setattr(batches_module, "compiled", lambda: compiled(backend, fullgraph=True))
        folder = tmp_path / augmentation
        folder.mkdir(exist_ok=True)
        data = stored(folder, pixels, augmentation)
        return TrainBatches(data, batch_size=4, augmentation=augmentation, keeps_last_batch=True, form=form)

    return made


def expected_of(source: TrainBatches, form: Form, generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """An epoch of plain batches, cast and laid out afterwards."""
    return [
        (inputs.to(form.dtype).contiguous(memory_format=form.layout), labels)
        for inputs, labels in source.epoch(generator)
    ]


def check_equal(found: list[tuple[Tensor, Tensor]], expected: list[tuple[Tensor, Tensor]]) -> None:
    assert [len(labels) for _, labels in found] == [len(labels) for _, labels in expected] == [4, 4, 4, 2]
    for (inputs, labels), (others, answers) in zip(found, expected, strict=True):
        assert inputs.dtype == others.dtype
        assert inputs.stride() == others.stride()
        assert torch.equal(inputs, others)
        assert torch.equal(labels, answers)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize(
    "augmentation", [name for name, each in sorted(AUGMENTATIONS.items()) if each.policy is None]
)
def test_an_epoch_is_the_same_to_the_bit_and_one_graph(source_of: Any, augmentation: str, form: Form) -> None:
    """A break of the graph is an error of `fullgraph`; a second graph would be compiled anew for each step."""
    plain, fused = source_of(augmentation, None), source_of(augmentation, form)
    generators = seeded(), seeded()
    for _ in range(2):
        expected = expected_of(plain, form, generators[0])
        check_equal(list(fused.epoch(generators[1])), expected)
    assert torch.equal(generators[0].get_state(), generators[1].get_state())
    assert counters["stats"]["unique_graphs"] == 1


@needs_compiler
@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize(
    "augmentation", ["flip_crop", pytest.param("flip_crop_batch", marks=pytest.mark.slow)]
)
def test_inductor_makes_it_one_kernel(source_of: Any, augmentation: str, form: Form) -> None:
    plain, fused = source_of(augmentation, None), source_of(augmentation, form, "inductor")
    expected = expected_of(plain, form, seeded(1))
    check_equal(list(fused.epoch(seeded(1))), expected)
    assert metrics.generated_kernel_count == 1
    assert counters["stats"]["unique_graphs"] == 1


def test_batches_at_places_that_stay_are_made_by_it_too(source_of: Any) -> None:
    """What a CUDA graph would capture of a compiled training."""
    expected = expected_of(source_of("flip_crop", None), Form(BF16), seeded())
    static = StaticBatches(source_of("flip_crop", Form(BF16)))
    found = [static.take() for _ in range(static.begin(seeded()))] + list(static.rest())
    check_equal(found, expected)
    assert counters["stats"]["unique_graphs"] == 1


def test_images_as_they_are_stored_need_no_scale() -> None:
    images = torch.rand(3, 4, 4, 2, generator=seeded())
    windows = images.unfold(1, 4, 1).unfold(2, 4, 1).permute(0, 1, 2, 4, 5, 3)
    chosen, offsets = torch.tensor([2, 0]), torch.zeros(2, 1, dtype=torch.int64)
    made = made_batch(windows, chosen, offsets, torch.tensor([True, False]), None, Form())
    assert torch.equal(made, torch.stack([images[2].flip(1), images[0]]).permute(0, 3, 1, 2))


def test_images_that_a_policy_changes_are_made_as_ever(source_of: Any) -> None:
    plain, fused = source_of("trivial", None), source_of("trivial", Form(BF16))
    check_equal(list(fused.epoch(seeded())), list(plain.epoch(seeded())))
    assert counters["stats"]["unique_graphs"] == 0


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_training_learns_the_same_bits_of_batches_in_its_own_type(precision: str) -> None:
    """Autocast rounds a batch before the first convolution: here it is rounded before."""
    config = config_of(precision=precision, compile="on")
    plain, _ = _batches(precision, None)
    fused, validation = _batches(precision, fused_form(config, CUDA))
    assert {inputs.dtype for inputs, _ in fused.epoch(seeded())} == {fused_form(config, CUDA).dtype}  # type: ignore[union-attr]
    histories = []
    for train in (plain, fused):
        training = Training(
            config_of(precision=precision), prepare(config.dataset), batches=(train, validation)
        )
        histories.append([learned(metrics) for metrics in run_to_the_end(training)])
        training.close()
    assert histories[0] == histories[1]


def _batches(precision: str, form: Form | None) -> tuple[TrainBatches, Any]:
    config = config_of(precision=precision)
    data = prepare(config.dataset)
    _, validation = split_batches(config, data, CPU, 1)
    train = TrainBatches(
        data, batch_size=config.batch_size, augmentation=config.dataset.augmentation, form=form
    )
    if form is not None:
        train._make_whole = compiled("aot_eager", fullgraph=True)
    return train, validation


@pytest.mark.parametrize(
    ("changes", "form"),
    [
        ({"precision": "fp32"}, Form(layout=NCHW)),
        ({"precision": "tf32"}, Form()),
        ({"precision": "bf16"}, Form(BF16)),
        ({"precision": "fp16"}, Form(torch.float16)),
        ({"precision": "bf16", "mixup": 0.2}, Form()),
        ({"precision": "bf16", "cutmix": 1.0}, Form()),
        ({"precision": "fp32", "cutout": 8}, Form()),
    ],
    ids=str,
)
def test_only_compiled_trainings_on_cuda_have_it(changes: dict[str, Any], form: Form) -> None:
    assert fused_form(config_of(compile="on", **changes), CUDA) == form
    assert fused_form(config_of(compile="off", **changes), CUDA) is None
    assert fused_form(config_of(compile="on", **changes), CPU) is None


def test_a_part_of_a_batch_is_laid_out_by_whoever_takes_it() -> None:
    assert fused_form(config_of(compile="on"), CUDA, Replica(0, 2)) == Form()


def test_a_compiled_training_on_a_cpu_makes_its_batches_as_ever() -> None:
    config = config_of(compile="on")
    train, _ = split_batches(config, prepare(config.dataset), CPU, 1)
    assert {inputs.dtype for inputs, _ in train.epoch(seeded())} == {torch.float32}
    assert counters["stats"]["unique_graphs"] == 0
