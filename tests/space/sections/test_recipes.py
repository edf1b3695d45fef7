"""What recipe, protocol and data set fill in: the authors' values, which every key overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.space.spaces import complaints, space
from wrn_search.space.section_keys import ModelSettings
from wrn_search.space.sections.recipes import PROTOCOLS, RECIPES, filled
from wrn_search.space.sections.training_keys import TrainingSettings
from wrn_search.space.space_file import filled_in, space_from_mapping
from wrn_search.training.learning_rate import drop_epochs, learning_rate_at


def test_every_filled_key_is_one_of_the_space_file_with_a_value_of_its_rule() -> None:
    for name in RECIPES:
        found = space(f"recipe: {name}")
        for key, value in RECIPES[name].items():
            section, _, leaf = key.partition(".")
            given = getattr(getattr(found, section), leaf)
            assert (list(given) if isinstance(given, tuple) else given) == value, key


def test_paper_cifar_is_the_authors_lua() -> None:
    found = space("recipe: paper_cifar")
    model, training, dataset = found.model, found.training, found.dataset
    assert (model.init, model.bn_weight, model.linear_init) == ("fan_in", "uniform", "uniform")
    assert (training.epochs, training.batch_size, training.momentum, training.weight_decay) == (
        200,
        128,
        0.9,
        5e-4,
    )
    assert (training.momentum_at_drops, training.last_batch, training.weight_decay_on) == (
        "restart",
        "drop",
        "all",
    )
    assert (dataset.preprocessing, dataset.augmentation) == ("meanstd_cifar10", "flip_crop_batch")
    config = found.trial_config({}, 0, precision="fp32", compile="off")
    rates = [learning_rate_at(epoch, config) for epoch in (1, 59, 60, 119, 120, 159, 160, 200)]
    assert rates == pytest.approx([0.1, 0.1, 0.02, 0.02, 0.004, 0.004, 0.0008, 0.0008])


def test_paper_imagenet_drops_after_30_60_and_90_epochs() -> None:
    training = space("recipe: paper_imagenet\ndataset: {name: folder, root: x}").training
    assert drop_epochs(training.lr_drops, training.epochs) == (31, 61, 91)
    assert (training.batch_size, training.weight_decay, training.lr_drop_factor) == (256, 1e-4, 0.1)
    assert (training.momentum_at_drops, training.last_batch) == ("keep", "keep")


def test_paper_imagenet_takes_the_authors_images_of_imagenet() -> None:
    dataset = space("recipe: paper_imagenet").dataset
    assert (dataset.name, dataset.image_size, dataset.image_fit) == ("imagenet", 224, "centre")
    assert (dataset.preprocessing, dataset.augmentation) == ("meanstd_imagenet", "resized_crop_colour")
    assert (dataset.validation, dataset.facts.image_shape) == (50_000, (224, 224, 3))
    smaller = space("recipe: paper_imagenet\ndataset: {image_size: 64, augmentation: resized_crop}").dataset
    assert (smaller.facts.image_shape, smaller.augmentation) == ((64, 64, 3), "resized_crop")


@pytest.mark.parametrize("text", ["recipe: paper_svhn", "dataset: {name: svhn}"])
def test_svhn_alone_takes_its_schedule_and_images(text: str) -> None:
    found = space(text)
    training, dataset = found.training, found.dataset
    assert (training.epochs, training.learning_rate, training.lr_drop_factor) == (160, 0.01, 0.1)
    assert drop_epochs(training.lr_drops, 160) == (80, 120)
    assert (dataset.name, dataset.extra, dataset.augmentation, dataset.preprocessing) == (
        *("svhn", True, "none", "divide255"),
    )


def test_any_key_overrides_a_recipe_in_the_file_and_by_set() -> None:
    text = "recipe: paper_cifar\ntraining: {epochs: 10}\ndataset: {preprocessing: zca}"
    found = space(text, "training.momentum_at_drops=keep", "model.init=fan_out")
    assert (found.training.epochs, found.training.momentum_at_drops) == (10, "keep")
    assert (found.dataset.preprocessing, found.model.init) == ("zca", "fan_out")
    assert drop_epochs(found.training.lr_drops, 10) == (3, 6, 8)
    assert found.training.learning_rate == 0.1
    assert space("recipe: paper_svhn\ntraining: {learning_rate: 0.3}").training.learning_rate == 0.3


def test_a_recipe_by_set_fills_what_the_file_leaves_out() -> None:
    found = space("model: {bn_weight: one}", "recipe=paper_cifar")
    assert (found.model.bn_weight, found.model.linear_init) == ("one", "uniform")


def test_a_domain_overrides_too() -> None:
    found = space("recipe: paper_cifar\ntraining: {weight_decay: {choice: [0.0001, 0.0005]}}")
    assert list(found.hyperparameters) == ["weight_decay"]


def test_a_resolved_space_says_all_and_reads_as_itself() -> None:
    for text in ("recipe: paper_cifar", "dataset: {name: svhn}", "recipe: paper_svhn\nprotocol: test_each"):
        found = space(text)
        assert space_from_mapping(found.to_document()) == found
        assert filled(found.to_document())[1] == {}


def test_without_recipe_and_protocol_all_is_as_before() -> None:
    assert filled({"name": "s", "dataset": {"name": "cifar10"}}) == (
        {"name": "s", "dataset": {"name": "cifar10"}},
        {},
    )
    for section, names in (
        (ModelSettings, ("bn_weight", "linear_init")),
        (TrainingSettings, ("momentum_at_drops",)),
    ):
        values = {name: section.model_fields[name].default for name in names}
        assert set(values.values()) <= {"one", "kaiming", "keep"}
    assert TrainingSettings().last_batch == "drop"


def test_what_was_filled_is_told_in_its_order(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("recipe: paper_svhn\nprotocol: test_each\ntraining: {epochs: 3}\n")
    told = filled_in(file, ["training.lr_drop_factor=0.5"])
    assert list(told)[:2] == ["search.searcher", "search.scheduler"]
    assert told["dataset.name"] == "svhn"
    assert "training.epochs" not in told
    assert "training.lr_drop_factor" not in told


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "recipe: paper_cifar10",
            "s.yaml:1: recipe: must be one of paper_cifar, paper_svhn, paper_imagenet, but got 'paper_cifar10' "
            "(did you mean 'paper_cifar'?)",
        ),
        (
            "name: s\nrecipe: 3",
            "s.yaml:2: recipe: must be one of paper_cifar, paper_svhn, paper_imagenet, but got 3",
        ),
        (
            "protocol: tests_each",
            "s.yaml:1: protocol: must be one of search, test_each, but got 'tests_each'",
        ),
        ("preset: paper_cifar", "s.yaml:1: preset: unknown key: write recipe"),
        (
            "model: {recipe: paper_cifar}",
            "s.yaml:1: model.recipe: unknown key here; it belongs to the top level",
        ),
        ("model: {bn_weight: 1}", "s.yaml:1: model.bn_weight: must be one of one, uniform, but got 1"),
        (
            "recipe: paper_cifar\ndataset: {name: digits}",
            "s.yaml:2: dataset.name: preprocessing: meanstd_cifar10 is for images of 3 colours, but digits has images "
            "of 1",
        ),
    ],
)
def test_bad_input_is_located(text: str, line: str) -> None:
    (told,) = complaints(text)
    assert told.startswith(line)


def test_protocols_fill_only_what_is_searched_with() -> None:
    assert PROTOCOLS["search"] == {}
    assert space("protocol: test_each").search.scheduler == "none"
