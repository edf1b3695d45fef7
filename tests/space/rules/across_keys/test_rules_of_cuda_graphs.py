"""What a step that is captured must have: images on one GPU, and no scaled loss."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("resources: {gpus_per_trial: 2}\n", "at most one GPU a trial, but got gpus_per_trial 2"),
        (
            "dataset: {name: imagenet, root: /x}\n",
            "images that lie on the GPU, but those of imagenet are decoded",
        ),
    ],
)
def test_on_is_refused_where_it_cannot_be(text: str, told: str) -> None:
    graph = "training: {cuda_graph: on}\n"
    (complaint,) = [each for each in complaints(graph + text) if "cuda_graph" in each]
    assert told in complaint
    assert space(graph.replace("on}", "auto}") + text).training.cuda_graph == "auto"


def test_on_and_a_scaled_loss_exclude_each_other() -> None:
    (complaint,) = complaints("training: {cuda_graph: on, precision: fp16}\n")
    assert complaint == (
        "s.yaml:1: training.cuda_graph: cuda_graph: on needs precision fp32, tf32 or bf16, but got fp16, whose scaled "
        "loss leaves out steps: write auto or off"
    )
    assert space("training: {cuda_graph: on, precision: bf16}\n").training.cuda_graph == "on"


@pytest.mark.parametrize(
    ("key", "value", "off"),
    [
        ("mixup", "0.2", "0"),
        ("cutmix", "{choice: [0.0, 1.0]}", "0"),
        ("cutout", "8", "0"),
        ("optimizer", "adamw", "sgd"),
        ("ema", "0.99", "0"),
        ("sam", "0.05", "0"),
        ("gradient_accumulation", "2", "1"),
    ],
)
def test_no_step_is_captured_that_draws_or_asks_the_host(key: str, value: str, off: str) -> None:
    (complaint,) = complaints(f"training: {{cuda_graph: on, {key}: {value}}}\n")
    assert complaint == (
        f"s.yaml:1: training.cuda_graph: cuda_graph: on captures no step with {key}, which must be {off}: "
        "write auto or off"
    )
    assert getattr(space(f"training: {{{key}: {value}}}\n").training, key) != off


@pytest.mark.parametrize("point", ["{mixup: 0.2}", "{sam: 0.05, ema: 0.9}"])
def test_a_point_of_a_list_is_as_good_as_a_domain(point: str) -> None:
    text = f"training: {{cuda_graph: on}}\nsearch: {{points: [{{depth: 16}}, {point}]}}\n"
    assert all("captures no step with" in complaint for complaint in complaints(text))


def test_no_step_is_captured_whose_images_a_policy_changes() -> None:
    text = "dataset: {augmentation: trivial}\n"
    (complaint,) = complaints(f"training: {{cuda_graph: on}}\n{text}")
    assert "captures no step with augmentation trivial" in complaint
    plain = "training: {cuda_graph: on, label_smoothing: 0.1, clip_norm: 1, warmup_epochs: 2}\n"
    assert space(plain).training.cuda_graph == "on"
