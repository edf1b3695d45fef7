"""The one door into training: plain, complete, and the same after a journey through JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.space.spaces import documents
from wrn_search.networks.architecture import Architecture
from wrn_search.space.domains import Choice, IntRange, Scalar
from wrn_search.space.rules.starting_file import pinned, where_it_lies_now
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trial_config import LEAVES, REAL_LEAVES, TrialConfig, what_fixes_it


def config_of(document: dict[str, Any]) -> TrialConfig:
    """The config at the low end of every domain."""
    space = space_from_mapping(document)
    hparams: dict[str, Scalar] = {}
    for name, domain in space.hyperparameters.items():
        hparams[name] = domain.options[0] if isinstance(domain, Choice) else domain.low
    return space.trial_config(hparams, 3, precision="fp32", compile="off")


@settings(max_examples=60, deadline=None)
@given(documents())
def test_a_config_survives_json(document: dict[str, Any]) -> None:
    config = config_of(document)

    assert TrialConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert set(config.to_dict()) == {*LEAVES, "dataset", "seed"}


@settings(max_examples=60, deadline=None)
@given(documents())
def test_every_leaf_has_the_type_that_it_declares(document: dict[str, Any]) -> None:
    values = config_of(document).to_dict()

    assert {name for name in LEAVES if type(values[name]) is float} == set(REAL_LEAVES) - {
        "clip_norm"
    }  # null


def test_the_architecture_is_that_of_the_leaves() -> None:
    config = config_of({"model": {"depth": IntRange(22, 40, 18), "widen_factor": 2, "block": "B(3,1,3)"}})

    assert config.architecture == Architecture(22, 2.0, (3, 1, 3))


def test_a_config_with_a_leaf_too_many_is_not_read() -> None:
    values = config_of({}).to_dict()

    with pytest.raises(TypeError, match="surprise"):
        TrialConfig.from_dict(values | {"surprise": 1})


def test_a_file_of_weights_is_told_by_its_content_wherever_it_lies() -> None:
    config = config_of({"dataset": {"name": "cifar10"}})
    here, there = (
        dataclasses.replace(config, init_from=pinned(path, "ab" * 32)) for path in ("/a/w.pt", "/b/w.pt")
    )
    other = dataclasses.replace(config, init_from=pinned("/a/w.pt", "cd" * 32))
    assert what_fixes_it(here.to_dict()) == what_fixes_it(there.to_dict()) != what_fixes_it(other.to_dict())
    assert where_it_lies_now(here.init_from, there.init_from) == there.init_from
    assert where_it_lies_now(here.init_from, other.init_from) == here.init_from


def test_a_trial_of_before_is_cropped_by_the_four_pixels_it_was_trained_with() -> None:
    config = config_of({"dataset": {"name": "cifar10"}})
    values = config.to_dict()
    assert values["dataset"].pop("crop_padding") == 4, "of 32 pixels: as ever"
    assert values["dataset"].pop("sampling") == "uniform"
    assert TrialConfig.from_dict(values).dataset.crop_padding == 4
    large = {"name": "folder", "root": "/data", "image_size": 64}
    assert TrialConfig.from_dict(values | {"dataset": large}).dataset.padding_of((64, 64, 3)) == 4
    said = TrialConfig.from_dict(values | {"dataset": large | {"crop_padding": "auto"}})
    assert said.dataset.padding_of((64, 64, 3)) == 8
    assert what_fixes_it(config.to_dict()) == what_fixes_it(values), "the same text then and now"
    assert what_fixes_it(said.to_dict()) != what_fixes_it(values | {"dataset": large})
