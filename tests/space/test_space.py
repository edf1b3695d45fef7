"""The whole space: defaults, sizes, the door into training, and the JSON Schema that editors use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from tests.space.spaces import SPACES, documents, space
from wrn_search.space.section_keys import ModelSettings
from wrn_search.space.sections.training_keys import TrainingSettings
from wrn_search.space.space import Space
from wrn_search.space.trial_config import LEAVES
from wrn_search.space.yaml_with_lines import yaml_text

SCHEMA = Space.model_json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_defaults_are_those_of_the_design() -> None:
    assert space("name: s").to_document() == {
        "name": "s",
        "description": "",
        "recipe": None,
        "protocol": "search",
        "dataset": {
            "name": "cifar10",
            "root": None,
            "extra": False,
            "image_column": None,
            "label_column": None,
            "background": "white",
            "image_size": None,
            "image_fit": "crop",
            "validation_files": True,
            "group_by": None,
            "sampling": "uniform",
            "validation": 5000,
            "preprocessing": "meanstd",
            "augmentation": "flip_crop",
            "crop_padding": 4,
            "train_images": None,
        },
        "model": {
            "family": "wrn",
            "network": None,
            "depth": 16,
            "widen_factor": 1.0,
            "block": None,
            "deepening_factor": None,
            "dropout": 0.0,
            "stochastic_depth": 0.0,
            "init": "fan_in",
            "bn_weight": "one",
            "linear_init": "kaiming",
            "init_from": "random",
            "freeze": "none",
        },
        "training": {
            "epochs": 60,
            "batch_size": 128,
            "learning_rate": 0.1,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "weight_decay_on": "all",
            "lr_schedule": "step",
            "lr_drops": [0.3, 0.6, 0.8],
            "lr_drop_factor": 0.2,
            "momentum_at_drops": "keep",
            "last_batch": "drop",
            "precision": "auto",
            "linear_precision": "auto",
            "compile": "auto",
            "cuda_graph": "auto",
            "optimizer": "sgd",
            "nesterov": True,
            "beta1": 0.9,
            "beta2": 0.999,
            "lr_by": "epoch",
            "lr_cooldown": 0.2,
            "warmup_epochs": 0,
            "clip_norm": None,
            "ema": 0.0,
            "sam": 0.0,
            "gradient_accumulation": 1,
            "label_smoothing": 0.0,
            "mixup": 0.0,
            "cutmix": 0.0,
            "cutout": 0,
            "class_weights": "none",
        },
        "constraints": {
            "num_params": None,
            "macs": None,
            "seconds_per_epoch": None,
            "peak_memory_bytes": None,
            "predicted": None,
            "multiple_of": None,
            "num_classes": None,
            "image_shape": None,
        },
        "objectives": ["val_error"],
        "search": {
            "searcher": "tpe",
            "scheduler": "asha",
            "goal": "best",
            "rungs": "schedule",
            "grace_period": 3,
            "reduction_factor": 3,
            "promote": True,
            "brackets": None,
            "min_samples": 3,
            "anchors": 0.1,
            "anchor_epochs": 0.1,
            "trials": None,
            "repeats": 1,
            "points": [],
            "prior": None,
            "warm_start": [],
            "max_hours": None,
            "budget": None,
            "stop_when": None,
            "retries": 2,
            "trial_timeout": None,
            "max_failed_share": 0.5,
            "keep_checkpoints": 3,
            "seed": 0,
        },
        "resources": {"gpus_per_trial": "auto", "cpus_per_trial": "auto", "concurrent": "auto"},
        "on_end": [],
        "trackers": [],
    }


def test_leaf_names_are_unique_and_are_those_of_the_trial_config() -> None:
    names = [*ModelSettings.model_fields, *TrainingSettings.model_fields]

    assert len(set(names)) == len(names)
    assert set(names) == {*LEAVES, "network"}  # which stands for depth, widen_factor and block


def test_a_space_never_changes() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        space("name: s").model.depth = 22  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "size", "trials"),
    [
        ("name: s", 1, 64),
        ("model: {depth: {choice: [16, 22]}, dropout: {choice: [0, 0.1, 0.2]}}", 6, 64),
        ("model: {depth: {int: [10, 40, 6]}}\nsearch: {searcher: grid}", 6, 6),
        ("model: {depth: {int: [10, 40, 6]}}\nsearch: {searcher: grid, trials: 4}", 6, 4),
        ("model: {dropout: {uniform: [0, 0.5]}, depth: {choice: [16, 22]}}", None, 64),
    ],
)
def test_the_size_of_the_space_and_the_trials_of_a_search(text: str, size: int | None, trials: int) -> None:
    assert space(text).size == size
    assert space(text).trials == trials


def test_hyperparameters_come_in_the_order_of_the_sections() -> None:
    text = "training: {weight_decay: {uniform: [0, 1]}, batch_size: {choice: [8]}}\nmodel: {init: {choice: [fan_in]}}"

    assert list(space(text).hyperparameters) == ["init", "batch_size", "weight_decay"]


@pytest.mark.parametrize(
    ("model", "block", "deepening_factor"),
    [
        ("depth: 16", "B(3,3)", 2),
        ("{depth: 22, deepening_factor: 3}", "B(3,3,3)", 3),
        ("{depth: 16, block: 'B(3,1,3)'}", "B(3,1,3)", 3),
    ],
)
def test_a_trial_config_has_block_and_deepening_factor(model: str, block: str, deepening_factor: int) -> None:
    config = space(f"model:\n  {model}\n").trial_config({}, seed=7, precision="fp32", compile="off")

    assert (config.block, config.deepening_factor) == (block, deepening_factor)
    assert (config.seed, config.precision, config.compile) == (7, "fp32", "off")


def test_whole_numbers_for_real_leaves_arrive_as_real_numbers() -> None:
    searched = space(
        "model: {widen_factor: {int: [1, 4]}}\ntraining: {weight_decay: {int: [0, 2]}, batch_size: 64.0}"
    )

    config = searched.trial_config({"widen_factor": 2, "weight_decay": 1}, 0, precision="fp32", compile="off")

    assert [type(value) for value in (config.widen_factor, config.weight_decay, config.batch_size)] == [
        float,
        float,
        int,
    ]


def test_hyperparameters_must_be_all_there() -> None:
    with pytest.raises(AssertionError):
        space("model: {depth: {choice: [16]}}").trial_config({}, 0, precision="fp32", compile="off")


def test_the_schema_is_a_schema_that_explains_every_leaf() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for section in ("ModelSettings", "TrainingSettings", "SearchSettings", "ResourceSettings"):
        for name, leaf in SCHEMA["$defs"][section]["properties"].items():
            assert leaf["description"], name


@pytest.mark.parametrize("path", sorted(SPACES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_schema_takes_the_shipped_space_files(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text()))


@settings(max_examples=60, deadline=None)
@given(documents())
def test_the_schema_takes_what_the_reader_takes_and_writes(document: dict[str, Any]) -> None:
    VALIDATOR.validate(document)
    VALIDATOR.validate(space(yaml_text(document)).to_document())


BAD = [
    {"modle": {}},
    {"name": "../x"},
    {"name": "a..b"},
    {"name": 3},
    {"model": {"dept": 16}},
    {"model": {"depth": "16"}},
    {"model": {"depth": True}},
    {"model": {"depth": {"uniform": [10, 40]}}},
    {"model": {"depth": {"choice": [16], "int": [1, 2]}}},
    {"model": {"depth": {"choice": []}}},
    {"model": {"dropout": 1}},
    {"model": {"dropout": {"uniform": [0.1]}}},
    {"training": {"epochs": {"choice": [1, 2]}}},
    {"training": {"precision": "fp8"}},
    {"training": {"lr_drops": [0, 0.5]}},
    {"search": {"searcher": "bayes"}},
    {"search": {"trials": 0}},
    {"search": {"rungs": []}},
    {"objectives": ["num_params"]},
    {"dataset": {"name": "mnist10"}},
    {"resources": {"gpus_per_trial": 0.3}},
    {"resources": {"concurrent": 0}},
]


@pytest.mark.parametrize("document", BAD, ids=str)
def test_the_schema_refuses_what_the_reader_refuses(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid({"name": "s"} | document)


@given(
    st.sampled_from(sorted({*ModelSettings.model_fields} - {"init_from"})),
    st.none() | st.booleans() | st.text(max_size=5),
)
def test_no_section_of_the_model_takes_what_is_no_value_of_it(name: str, value: Any) -> None:
    # any text can be the path of `init_from`
    takes = VALIDATOR.is_valid({"model": {name: value}})

    assert takes == (value is None and name in ("network", "block", "deepening_factor"))
