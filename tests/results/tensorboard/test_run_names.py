"""Short names: for people, and safe in any file system."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.results.searches import trial_config
from wrn_search.results.tensorboard.run_names import short_name
from wrn_search.space.trial_config import LEAVES


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({}, "007_WRN-16-4_p0.30_wd5e-4"),
        ({"widen_factor": 1.5, "dropout": 0.0}, "007_WRN-16-1.5_p0.00_wd5e-4"),
        ({"depth": 40, "block": "B(3,1,3)", "deepening_factor": 3}, "007_WRN-40-4-B313_p0.30_wd5e-4"),
        ({"weight_decay": 0.0}, "007_WRN-16-4_p0.30_wd0"),
        ({"weight_decay": 0.001234}, "007_WRN-16-4_p0.30_wd1.2e-3"),
        ({"weight_decay": 9.99e-5}, "007_WRN-16-4_p0.30_wd1e-4"),
    ],
)
def test_a_trial_is_named_for_people(config, name):
    assert short_name(7, trial_config(**config).to_dict()) == name
    assert short_name(7, trial_config(**config).to_dict(), repeat=1) == f"{name}_r1"


@pytest.mark.parametrize(
    ("config", "searched", "further"),
    [
        ({"learning_rate": 0.123}, ["learning_rate"], "_lr0.123"),
        ({"batch_size": 64, "init": "fan_out"}, ["init", "batch_size"], "_fan_out_bs64"),
        ({"learning_rate": 0.1}, ["depth", "dropout", "weight_decay", "widen_factor"], ""),
        ({"lr_schedule": "cosine", "momentum": 0.85}, ["lr_schedule", "momentum"], "_m0.85_cosine"),
    ],
)
def test_a_name_holds_every_searched_value(config, searched, further):
    leaves = trial_config(**config).to_dict()
    assert short_name(7, leaves, searched=searched) == f"007_WRN-16-4_p0.30_wd5e-4{further}"
    assert short_name(7, leaves, 2, searched=searched) == f"007_WRN-16-4_p0.30_wd5e-4{further}_r2"


def test_every_leaf_that_can_be_searched_is_told_apart_by_the_name():
    """Also leaves that come later: none is left out, and all of them together fit in a file's name."""
    before = trial_config().to_dict()
    for name in LEAVES:
        if isinstance(before[name], float | int) and name not in ("deepening_factor", "epochs"):
            other = {
                **before,
                name: before[name] + 0.125 if isinstance(before[name], float) else before[name] + 6,
            }
            assert short_name(7, other, searched=LEAVES) != short_name(7, before, searched=LEAVES), name
    assert len(short_name(10**6, before, 999, searched=LEAVES)) < 255 - len(".rewriting")


def test_numbers_of_more_than_three_digits_are_kept_whole():
    assert short_name(1234, trial_config().to_dict()).startswith("1234_WRN")


@settings(deadline=None)
@given(widen_factor=st.floats(1 / 16, 100), dropout=st.floats(0, 0.99), weight_decay=st.floats(0, 1))
def test_a_name_is_safe_in_any_file_system(widen_factor, dropout, weight_decay):
    config = trial_config(widen_factor=widen_factor, dropout=dropout, weight_decay=weight_decay)
    assert re.fullmatch(r"[A-Za-z0-9._+-]{1,80}", short_name(7, config.to_dict(), repeat=2))
    assert re.fullmatch(r"[A-Za-z0-9._+-]{1,240}", short_name(7, config.to_dict(), repeat=2, searched=LEAVES))


def test_what_does_not_apply_is_not_in_the_name():
    """By the values of a trial, and by those of a table, where null is NaN in a column of numbers."""
    leaves = trial_config(optimizer="adamw", beta1=0.8).to_dict()
    name = "007_WRN-16-4_p0.30_wd5e-4_adamw_b1-0.8"
    assert short_name(7, leaves, searched={"optimizer": "adamw", "beta1": 0.8, "nesterov": None}) == name
    row = leaves | {"nesterov": None, "momentum": float("nan")}
    assert short_name(7, row, searched=["optimizer", "nesterov", "momentum", "beta1"]) == name
    bare = leaves | {"dropout": float("nan"), "weight_decay": float("nan")}
    assert short_name(7, bare) == "007_WRN-16-4_p0.00_wd1e-2", "trained with the defaults, of adamw"
