from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decisions.playing import space_of
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trials_of_other_spaces import hparams_within, searched_values

SPACE = space_of(
    model={
        "depth": {"int": [10, 28, 6]},
        "widen_factor": {"choice": [1, 2.5, 4]},
        "dropout": {"uniform": [0.1, 0.4]},
        "init": {"choice": ["fan_in", "fan_out"]},
    },
    training={"epochs": 10, "weight_decay": {"loguniform": [1e-5, 1e-2]}},
)
HPARAMS = {"depth": 16, "widen_factor": 2.5, "dropout": 0.2, "init": "fan_in", "weight_decay": 1e-3}


def _leaves(**changes):
    config = SPACE.trial_config(HPARAMS, 7, precision="bf16", compile="off")
    return replace(config, **changes).to_dict()


@given(
    depth=st.sampled_from([10, 16, 22, 28]),
    widen_factor=st.sampled_from([1.0, 2.5, 4.0]),
    dropout=st.floats(0.1, 0.4),
    init=st.sampled_from(["fan_in", "fan_out"]),
    weight_decay=st.floats(1e-5, 1e-2),
)
def test_what_a_space_proposes_lies_within_it(**hparams) -> None:
    config = SPACE.trial_config(hparams, 3, precision="fp32", compile="on")
    found = hparams_within(SPACE, config.to_dict())
    assert found == hparams
    assert [type(value) for value in found.values()] == [int, float, float, str, float]
    assert list(found) == list(SPACE.hyperparameters)


@pytest.mark.parametrize(
    "change",
    [
        {"depth": 34},
        {"depth": 12},
        {"widen_factor": 2.0},
        {"dropout": 0.05},
        {"weight_decay": 0.1},
        {"init": "other"},
    ],
)
def test_a_value_outside_its_domain_is_outside(change) -> None:
    assert searched_values(SPACE, _leaves(**change)) is None
    assert hparams_within(SPACE, _leaves(**change)) is None


@pytest.mark.parametrize(
    "change", [{"momentum": 0.8}, {"learning_rate": 0.2}, {"block": "B(1,3)"}, {"epochs": 20}]
)
def test_another_fixed_value_is_outside_though_the_searched_ones_are_inside(change) -> None:
    assert searched_values(SPACE, _leaves(**change)) == HPARAMS
    assert hparams_within(SPACE, _leaves(**change)) is None


def test_a_scalar_that_becomes_a_domain_holds_the_old_trials() -> None:
    narrow = space_from_mapping({"dataset": {"name": "digits"}, "model": {"depth": 16}})
    wide = space_from_mapping({"dataset": {"name": "digits"}, "model": {"depth": {"choice": [10, 16]}}})
    old = narrow.trial_config({}, 0, precision="fp32", compile="off").to_dict()
    assert hparams_within(wide, old) == {"depth": 16}


def test_deepening_factors_and_blocks_are_two_names_of_one_thing() -> None:
    by_factor = space_from_mapping(
        {"dataset": {"name": "digits"}, "model": {"depth": 16, "deepening_factor": {"choice": [1, 2]}}}
    )
    by_block = space_from_mapping(
        {"dataset": {"name": "digits"}, "model": {"depth": 16, "block": {"choice": ["B(3,3)", "B(3,1)"]}}}
    )
    two = by_factor.trial_config({"deepening_factor": 2}, 0, precision="fp32", compile="off").to_dict()
    other = by_block.trial_config({"block": "B(3,1)"}, 0, precision="fp32", compile="off").to_dict()
    assert hparams_within(by_block, two) == {"block": "B(3,3)"}
    assert hparams_within(by_factor, other) is None  # l = 2 as well, but of other kernels


@pytest.mark.parametrize("how", [{"cuda_graph": "on"}, {"compile": "on"}], ids=str)
def test_how_a_trial_was_computed_makes_it_no_other(how: dict[str, str]) -> None:
    """`auto` is resolved by the machines of a session: what GPUs have captured is of the space that says `auto`."""
    assert hparams_within(SPACE, _leaves(**how)) == hparams_within(SPACE, _leaves()) is not None
