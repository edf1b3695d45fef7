"""How values are shown in messages, and every rule of a domain."""

from __future__ import annotations

from typing import Any

import pytest

from tests.space.spaces import complaints
from wrn_search.space.rules.broken_rule import dotted, got, spelled


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (float("nan"), ".nan"),
        (float("-inf"), "-.inf"),
        ("30", "'30'"),
        ([1, "a"], "[1, 'a']"),
        ({"choice": [1]}, "{choice: [1]}"),
        ("x" * 200, "'" + "x" * 76 + "..."),
        (10**400, "a number of about 400 digits"),
        (16**6000, "a number of about 7225 digits"),
    ],
    ids=spelled,
)
def test_a_value_is_shown_as_yaml_writes_it(value: Any, shown: str) -> None:
    assert spelled(value) == shown
    assert got(value) == f"but got {shown}"


def test_key_paths_are_shortened() -> None:
    assert dotted(("model", "depth")) == "model.depth"
    assert dotted(("model", "depth", "choice", 0)) == "model.depth.choice"
    assert dotted(("x" * 100,)) == "x" * 57 + "..."


KINDS = "choice, uniform, loguniform, int"
DOMAIN_ERRORS = [
    ("depth", "{}", f"must be a value or a domain ({KINDS}), but got {{}}"),
    (
        "depth",
        "{choice: [16], int: [1, 2]}",
        f"must be one domain ({KINDS}), not several at once, but got {{choice: [16], int: [1, 2]}}",
    ),
    (
        "depth",
        "{chioce: [16]}",
        f"a domain must be one of {KINDS}, but got 'chioce' (did you mean 'choice'?)",
    ),
    ("depth", '{"\\e[31mint": [1]}', f"a domain must be one of {KINDS}, but got '\\x1b[31mint'"),
    ("depth", "{choice: 16}", "must be a list of values, but got 16"),
    ("depth", "{choice: []}", "must list at least one value, but got []"),
    ("depth", "{choice: [16, 22, 16.0]}", "must list every value once, but got 16 twice"),
    ("depth", "{choice: [16, true]}", "must be a whole number, but got true"),
    ("depth", "{choice: [[16]]}", "must be a whole number, but got [16]"),
    (
        "depth",
        "{uniform: [10, 40]}",
        "is for real numbers, but got {uniform: [10, 40]}; write {int: [10, 40]}",
    ),
    ("depth", "{int: [10, 40.5]}", "must hold whole numbers, but got 40.5"),
    ("depth", "{int: [10]}", "must be [low, high] or [low, high, step], but got [10]"),
    ("depth", "{int: [40, 10]}", "low < high must hold, but got low=40, high=10"),
    ("depth", "{int: [10, 10]}", "low < high must hold, but got low=10, high=10"),
    ("depth", "{int: [10, 40, 0]}", "step >= 1 must hold, but got step=0"),
    ("depth", "{int: [10, 40, 31]}", "low + step <= high must hold, but got low=10, high=40, step=31"),
    ("dropout", "{uniform: [0.5, 0.1]}", "low < high must hold, but got low=0.5, high=0.1"),
    ("dropout", "{uniform: [0.5, 0.5]}", "low < high must hold, but got low=0.5, high=0.5"),
    ("dropout", "{uniform: [0, 0.1, 0.2]}", "must be [low, high], but got [0, 0.1, 0.2]"),
    ("dropout", "{uniform: [0, 1]}", "must be a number at least 0 and below 1, but got 1"),
    ("dropout", "{uniform: [.nan, 1]}", "must be a finite number, but got .nan"),
    ("dropout", "{loguniform: [0, 0.5]}", "0 < low must hold on a log scale, but got low=0"),
    ("dropout", "{loguniform: [-0.1, 0.5]}", "must be a number at least 0 and below 1, but got -0.1"),
    ("init", "{int: [1, 2]}", "must be one of fan_in, fan_out, but got 1"),
    ("block", "{choice: ['B(3,3)', 'B(3, 3)']}", "must list every value once, but got B(3,3) twice"),
]


@pytest.mark.parametrize(("key", "value", "text"), DOMAIN_ERRORS, ids=lambda part: part[:40])
def test_a_broken_domain_is_told_with_its_numbers(key: str, value: str, text: str) -> None:
    lines = complaints(f"name: s\nmodel:\n  {key}: {value}\n")

    assert lines[0].startswith(f"s.yaml:3: model.{key}: {text}")


def test_all_broken_items_of_a_domain_are_told_at_their_lines() -> None:
    assert complaints("model:\n  depth:\n    choice:\n    - 16\n    - x\n    - .inf\n") == [
        "s.yaml:5: model.depth: must be a whole number, but got 'x'",
        "s.yaml:6: model.depth: must be a whole number, but got .inf",
    ]
