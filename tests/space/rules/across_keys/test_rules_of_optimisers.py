"""Which keys belong to which optimiser and schedule, and what must fit into the training."""

from __future__ import annotations

import pytest

from tests.space.spaces import complaints, space

SGD, ADAMW = "sgd has momentum and nesterov instead", "adamw has beta1 and beta2 instead"


@pytest.mark.parametrize(
    ("training", "line"),
    [
        (
            "optimizer: adamw, momentum: 0.8",
            f"training.momentum: momentum is of optimizer: sgd; {ADAMW}, but got 0.8 with adamw",
        ),
        (
            "optimizer: adamw, nesterov: false",
            f"training.nesterov: nesterov is of optimizer: sgd; {ADAMW}, but got false with adamw",
        ),
        ("beta2: 0.99", f"training.beta2: beta2 is of optimizer: adamw; {SGD}, but got 0.99 with sgd"),
        (
            "optimizer: adamw, momentum: {uniform: [0, 0.9]}",
            f"training.momentum: momentum is of optimizer: sgd; {ADAMW}, but got {{uniform: [0.0, 0.9]}} with adamw",
        ),
        (
            "optimizer: {choice: [sgd, adamw]}, beta1: {uniform: [0.8, 0.95]}",
            "training.beta1: beta1 is of optimizer: adamw alone, so its domain must say when: {optimizer: [adamw]}, "
            "but got {uniform: [0.8, 0.95]}",
        ),
        (
            "optimizer: {choice: [sgd, adamw]}, momentum: {uniform: [0, 0.9], when: {optimizer: [adamw]}}",
            "training.momentum: momentum is of optimizer: sgd alone, so its domain must say when: {optimizer: [sgd]}, "
            "but got {uniform: [0.0, 0.9], when: {optimizer: ['adamw']}}",
        ),
        (
            "optimizer: {choice: [sgd, adamw]}, nesterov: {choice: [true, false], when: {optimizer: [sgd, adamw]}}",
            "training.nesterov: nesterov is of optimizer: sgd alone, so its domain must say when: {optimizer: [sgd]}, "
            "but got {choice: [true, false], when: {optimizer: ['sgd', 'adamw']}}",
        ),
        (
            "optimizer: {choice: [sgd, adamw]}, beta2: {uniform: [0.9, 0.99], when: {optimizer: sgd}}",
            "training.beta2: beta2 is of optimizer: adamw alone, so its domain must say when: {optimizer: [adamw]}, "
            "but got {uniform: [0.9, 0.99], when: {optimizer: ['sgd']}}",
        ),
        ("lr_cooldown: 0.1", "training.lr_cooldown: is of lr_schedule: wsd, but got 0.1 with step"),
        (
            "epochs: 5, warmup_epochs: 5",
            "training.warmup_epochs: the warm-up must end before the last of the 5 epochs, but got 5",
        ),
        (
            "epochs: 5, warmup_epochs: {int: [0, 9]}",
            "training.warmup_epochs: the warm-up must end before the last of the 5 epochs, but got 9",
        ),
        (
            "epochs: 10, warmup_epochs: 6, lr_schedule: wsd, lr_cooldown: 0.5",
            "training.warmup_epochs: the warm-up must end before the cooldown begins, after 5 of 10 epochs, but got 6",
        ),
        (
            "lr_schedule: onecycle, warmup_epochs: 2",
            "training.warmup_epochs: must be 0 with lr_schedule: onecycle, which begins with a rise, but got 2",
        ),
        (
            "batch_size: {choice: [64, 100]}, gradient_accumulation: {choice: [1, 8]}",
            "training.gradient_accumulation: a batch must be so many equal micro-batches, of two images or more, but "
            "got 8 of a batch_size of 100",
        ),
        (
            "batch_size: 64, gradient_accumulation: 64",
            "training.gradient_accumulation: a batch must be so many equal micro-batches, of two images or more, but "
            "got 64 of a batch_size of 64",
        ),
        ("clip_norm: -1", "training.clip_norm: must be a number at least 0 and at most 1e+09, but got -1"),
        ("ema: 1", "training.ema: must be a number at least 0 and below 1, but got 1"),
        ("sam: -0.1", "training.sam: must be a number at least 0 and at most 100, but got -0.1"),
    ],
)
def test_what_cannot_be_is_located(training: str, line: str) -> None:
    assert complaints(f"name: s\ntraining: {{{training}}}\n") == [f"s.yaml:2: {line}"]


def test_all_at_once() -> None:
    text = "training:\n  optimizer: adamw\n  momentum: 0.5\n  warmup_epochs: 99\n  gradient_accumulation: 3\n"
    assert [line.partition(": ")[0] for line in complaints(text)] == ["s.yaml:3", "s.yaml:4", "s.yaml:5"]


def test_micro_batches_are_of_each_gpus_part() -> None:
    text = "training: {batch_size: 64, gradient_accumulation: 8}\nresources: {gpus_per_trial: 8}\n"
    (line,) = complaints(text)
    assert "so many equal micro-batches on each GPU" in line
    assert space(text.replace("8}", "4}")).training.gradient_accumulation == 4


@pytest.mark.parametrize(
    "training",
    [
        "optimizer: adamw, beta1: 0.8",
        "optimizer: {choice: [sgd, adamw]}, momentum: 0.8, beta2: 0.99",  # each is of some of the trials
        "optimizer: {choice: [sgd, adamw]}, momentum: {uniform: [0, 0.9], when: {optimizer: [sgd]}}",
        "epochs: 10, warmup_epochs: 5, lr_schedule: wsd, lr_cooldown: 0.5",
        "clip_norm: {loguniform: [0.1, 10]}, ema: {choice: [0, 0.99]}, sam: {choice: [0, 0.05]}",
        "nesterov: {choice: [true, false]}, lr_by: {choice: [epoch, step]}, warmup_epochs: 2",
    ],
)
def test_what_can_be(training: str) -> None:
    space(f"name: s\ntraining: {{{training}}}\n")


def test_points_are_looked_at_one_by_one() -> None:
    points = "[{optimizer: adamw, momentum: 0.8}, {optimizer: sgd, momentum: 0.8}]"
    (line,) = complaints(f"name: s\nsearch: {{points: {points}}}\n")
    assert line == (
        f"s.yaml:2: search.points: momentum is of optimizer: sgd; {ADAMW}, but got 0.8 with adamw"
    )
    fine = "[{gradient_accumulation: 4, batch_size: 64}, {gradient_accumulation: 5, batch_size: 100}]"
    space(f"name: s\nsearch: {{points: {fine}}}\n")


def test_an_optimisers_rates_are_filled_in_unless_the_file_has_its_own() -> None:
    """Over a recipe's, which are those of sgd."""
    text = "recipe: paper_cifar\ntraining: {optimizer: adamw}\n"
    assert (space(text).training.learning_rate, space(text).training.weight_decay) == (0.001, 0.01)
    own = space(text, "training.learning_rate=0.02").training
    assert (own.learning_rate, own.weight_decay, own.epochs) == (0.02, 0.01, 200)
    assert space("training: {optimizer: sgd}\n").training.learning_rate == 0.1


def test_clipping_is_off_at_0_as_everything_else_is() -> None:
    assert space("training: {clip_norm: 0}\n").training.clip_norm is None
    searched = space("training: {clip_norm: {choice: [0, 1.0]}}\n")
    assert searched.hyperparameters["clip_norm"].to_document() == {"choice": [0.0, 1.0]}


@pytest.mark.parametrize("word", ["null", "off", "none", "'false'", "Off"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((f"training.{name}", "0") for name in ("clip_norm", "ema", "mixup", "cutmix", "cutout", "sam")),
        *((f"training.{name}", "0") for name in ("label_smoothing", "warmup_epochs", "weight_decay")),
        ("training.class_weights", "none"),
        ("training.gradient_accumulation", "1"),
        ("model.dropout", "0"),
        ("model.stochastic_depth", "0"),
    ],
)
def test_who_writes_off_in_another_way_is_told_how_it_is_written_here(
    key: str, value: str, word: str
) -> None:
    section, _, name = key.partition(".")
    if (name, word) == ("class_weights", "none"):
        return  # it is the word
    (line,) = complaints(f"{section}:\n  {name}: {{choice: [{word}]}}\n")
    assert line.startswith(f"s.yaml:2: {key}: must be ")
    assert line.endswith(f"; write {value}, which is off")
    if (name, word) != ("clip_norm", "null"):  # whose default it is
        (line,) = complaints(f"{section}: {{{name}: {word}}}\n")
        assert line.endswith(f"; write {value}, which is off")
    (line,) = complaints(f"search: {{points: [{{{name}: {word}}}]}}\n")
    assert line.endswith(f"; write {value}, which is off")
