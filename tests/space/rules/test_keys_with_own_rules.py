"""Keys with a rule of their own: names, blocks, drops, rungs, GPU shares, counts, objectives."""

from __future__ import annotations

import re

import pytest

from tests.space.spaces import complaints, space
from wrn_search.space.rules.keys_with_own_rules import GPU_SHARES, NAME_PATTERN

NAME_RULE = "must be 1 to 100 letters, digits, '.', '_' or '-', begin with a letter or digit and hold no '..'"
BLOCK_RULE = (
    "must be B(...) with 1 to 16 kernel sizes out of 1, 3 and 5, such as B(3,3), or basic or bottleneck"
)
COLOUR_RULE = "must be white, black or six hexadecimal digits as '#rrggbb', in quotes (# begins a comment)"
HALVE = "shares halve, so that trials can move together"
GPU_RULE = "must be auto or one of 0, 1/8, 1/4, 1/2, 1, 2, 4, 8"
SEVERAL = "(a trial trains on a share of a GPU, or on 1, 2, 4 or 8 of one machine)"


@pytest.mark.parametrize("name", ["a", "0", "cifar-10_v1.2", "x" * 100])
def test_names_that_are_safe_folders_are_taken(name: str) -> None:
    assert space(f"name: '{name}'").name == name
    assert re.search(NAME_PATTERN, name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a..b", "/x", "~", "-x", "a b", "ä", "a\\n", "a\\e[31m", "x" * 101]
)
def test_names_that_could_leave_the_results_folder_are_refused(name: str) -> None:
    (line,) = complaints(f'name: "{name}"')

    assert line.startswith(f"s.yaml:1: name: {NAME_RULE}, but got '")
    assert not re.search(NAME_PATTERN + r"(?!\n)", name)


@pytest.mark.parametrize(("name", "shown"), [("123", "123"), ("yes", "true"), ("1e5", "100000.0")])
def test_a_name_that_yaml_reads_as_something_else_is_to_be_quoted(name: str, shown: str) -> None:
    assert complaints(f"name: {name}") == [f"s.yaml:1: name: {NAME_RULE}, but got {shown} (quote it)"]
    assert space(f"name: '{name}'").name == name


MINIMISED = "val_error, num_params, macs, seconds_per_epoch, inference_ms, inference_ms_64, energy_kwh"
LEAF_ERRORS = [
    ("name", "null", f"{NAME_RULE}, but got null"),
    (
        "description",
        "3",
        "must be text of at most 10000 characters, none of them a control character, but got 3 (quote it)",
    ),
    (
        "description",
        '"\\e[31mred"',
        "must be text of at most 10000 characters, none of them a control character, but got '\\x1b[31mred'",
    ),
    ("model.block", "3", "must be a block such as B(3,3), but got 3"),
    ("model.block", "B(2)", f"{BLOCK_RULE}, but got 'B(2)' (did you mean 'B(1)'?)"),
    ("model.block", "bottlneck", f"{BLOCK_RULE}, but got 'bottlneck' (did you mean 'bottleneck'?)"),
    ("model.block", "B(3", "must be a block such as B(3,3), quoted inside brackets, but got 'B(3'"),
    ("dataset.background", "puce", f"{COLOUR_RULE}, but got 'puce'"),
    ("dataset.background", "#000080", f"{COLOUR_RULE}, but got null"),
    ("dataset.background", "[0, 0, 128]", f"{COLOUR_RULE}, but got [0, 0, 128]"),
    ("training.lr_drops", "0.3", "must be a list of fractions of the epochs, or of epochs, but got 0.3"),
    ("training.lr_drops", "[0.6, 0.3]", "must rise from drop to drop, but got [0.6, 0.3]"),
    ("training.lr_drops", "[0.3, 0.3]", "must rise from drop to drop, but got [0.3, 0.3]"),
    ("training.lr_drops", "[0.3, 1]", "must be a number above 0 and below 1, but got 1"),
    ("search.rungs", "asap", "must be one of schedule, geometric, but got 'asap'"),
    ("search.rungs", "[]", "must be schedule, geometric or a rising list of epochs, but got []"),
    ("search.rungs", "[9, 3]", "must be schedule, geometric or a rising list of epochs, but got [9, 3]"),
    ("search.rungs", "[0, 3]", "must be a whole number from 1 to 1000000, but got 0"),
    ("search.rungs", "[true]", "must be a whole number, but got true"),
    (
        "resources.gpus_per_trial",
        "0.3",
        f"{GPU_RULE}, but got 0.3; {HALVE}: write 1/4",
    ),
    ("resources.gpus_per_trial", "3", f"{GPU_RULE} {SEVERAL}, but got 3"),
    ("resources.gpus_per_trial", "1.5", f"{GPU_RULE} {SEVERAL}, but got 1.5"),
    ("resources.gpus_per_trial", "true", f"{GPU_RULE}, but got true"),
    ("resources.gpus_per_trial", ".nan", f"{GPU_RULE}, but got .nan"),
    (
        "resources.gpus_per_trial",
        "1" + "0" * 400,
        f"{GPU_RULE} {SEVERAL}, but got a number of about 400 digits",
    ),
    ("resources.cpus_per_trial", "0", "must be a whole number from 1 to 4096, but got 0"),
    ("resources.concurrent", "many", "must be auto or a whole number, but got 'many'"),
    (
        "objectives",
        "val_error",
        "must be a list, such as [val_error] or [val_error, num_params], but got 'val_error'",
    ),
    ("objectives", "[]", "must be a list, such as [val_error] or [val_error, num_params], but got []"),
    (
        "objectives",
        "[val_eror]",
        f"must be one of {MINIMISED}, but got 'val_eror' (did you mean 'val_error'?)",
    ),
    (
        "objectives",
        "[val_error, num_parms]",
        f"must be one of {MINIMISED}, but got 'num_parms' (did you mean 'num_params'?)",
    ),
    (
        "objectives",
        "[val_error, train_seconds]",
        f"must be one of {MINIMISED}, but 'train_seconds' is none: a trial that was stopped early has trained for "
        "less: write seconds_per_epoch",
    ),
    (
        "objectives",
        "[num_params]",
        "must have val_error among them: without it the smallest network of all would be the best, but got "
        "['num_params']",
    ),
    (
        "objectives",
        "[val_error, val_error]",
        "must list every objective once, but got ['val_error', 'val_error']",
    ),
]


@pytest.mark.parametrize(("key", "value", "text"), LEAF_ERRORS, ids=lambda part: part[:30])
def test_a_broken_value_is_told(key: str, value: str, text: str) -> None:
    assert complaints("name: s", f"{key}={value}") == [f"--set: {key}: {text}"]


@pytest.mark.parametrize(("written", "share"), GPU_SHARES.items())
def test_shares_of_a_gpu_may_be_fractions_or_numbers(written: str, share: float) -> None:
    for value in (written, f"'{written}'", str(share)):
        assert space("name: s", f"resources.gpus_per_trial={value}").resources.gpus_per_trial == share


def test_blocks_are_kept_in_one_spelling() -> None:
    assert space("name: s", "model.block=B( 3, 3 )").model.block == "B(3,3)"


@pytest.mark.parametrize(
    ("written", "kept"), [("'#FFFFFF'", "white"), ("'#000000'", "black"), ("'#FF8000'", "#ff8000")]
)
def test_a_colour_goes_by_one_name(written: str, kept: str) -> None:
    assert space(f"dataset: {{name: folder, background: {written}}}").dataset.background == kept
