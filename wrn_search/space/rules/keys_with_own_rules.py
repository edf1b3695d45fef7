"""Leaves whose rule belongs to one key alone: names, blocks, drops, rungs, shares of a GPU, objectives."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction
from typing import Any

from wrn_search.networks.architecture import MAX_DEEPENING_FACTOR, block_name, parse_block
from wrn_search.space.rules.broken_rule import LeafProblems, broken, got
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.rules.number_and_text_rules import checked_path, one_of, real_number, text, whole_number

COLOUR_PATTERN = r"#[0-9A-Fa-f]{6}"
NAME_PATTERN = r"^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
GPU_SHARES = {"0": 0.0, "1/8": 0.125, "1/4": 0.25, "1/2": 0.5, "1": 1.0}


def auto_or_count(high: int) -> Leaf:
    """A leaf that takes `auto` or a whole number from 1 to `high`."""
    count = whole_number(1, high)

    def check(value: Any) -> Any:
        if value == "auto":
            return value
        if isinstance(value, str):
            raise broken(f"must be auto or a whole number, {got(value)}")
        return count.check(value)

    return Leaf(check, {"anyOf": [{"const": "auto"}, count.schema]})


def colour() -> Leaf:
    """A leaf that takes `white`, `black` or `#rrggbb`; what has a name goes by its name."""
    names = {"#ffffff": "white", "#000000": "black"}
    rule = "must be white, black or six hexadecimal digits as '#rrggbb', in quotes (# begins a comment)"

    def check(value: Any) -> str:
        if not isinstance(value, str) or not (value in names.values() or re.fullmatch(COLOUR_PATTERN, value)):
            raise broken(f"{rule}, {got(value)}")
        return names.get(value.lower(), value.lower())

    return Leaf(check, {"type": "string", "pattern": f"^(white|black|{COLOUR_PATTERN})$"})


def share_or_count(high: int) -> Leaf:
    """A leaf that takes a whole number from 1 to `high`, or a share of all, between 0 and 1."""
    count = whole_number(1, high)

    def check(value: Any) -> Any:
        share = isinstance(value, float) and 0 < value < 1
        return value if share else count.check(value)

    share = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    return Leaf(check, {"anyOf": [count.schema, share]})


def _check_block(value: Any) -> str:
    if not isinstance(value, str):
        raise broken(f"must be a block such as B(3,3), {got(value)}")
    if value.count("(") != value.count(")"):  # YAML splits [B(3,3)] at its comma
        raise broken(f"must be a block such as B(3,3), quoted inside brackets, {got(value)}")
    try:
        return block_name(parse_block(value))
    except ValueError:
        sizes = f"1 to {MAX_DEEPENING_FACTOR} kernel sizes out of 1, 3 and 5"
        raise broken(f"must be B(...) with {sizes}, such as B(3,3), {got(value)}") from None


def _check_lr_drops(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list | tuple):
        raise broken(f"must be a list of fractions of the epochs, or of epochs, {got(value)}")
    drops: tuple[float, ...]
    if value and all(_is_epoch(item) for item in value):
        drops = tuple(whole_number(1, 100_000).check(item) for item in value)
    else:
        fraction = real_number(0, 1, above=True, below=True)
        drops = tuple(fraction.check(item) for item in value)
    if any(later <= earlier for earlier, later in itertools.pairwise(drops)):
        raise broken(f"must rise from drop to drop, {got(value)}")
    return drops


def _is_epoch(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and value >= 1 and value == int(value)
    )


def _check_rungs(value: Any) -> str | tuple[int, ...]:
    if not isinstance(value, list | tuple):
        return str(one_of("schedule", "geometric").check(value))
    epoch = whole_number(1, 1_000_000)
    rungs = tuple(epoch.check(item) for item in value)
    if not rungs or any(later <= earlier for earlier, later in itertools.pairwise(rungs)):
        raise broken(f"must be schedule, geometric or a rising list of epochs, {got(value)}")
    return rungs


def _check_gpu_share(value: Any) -> str | float:
    if value == "auto":
        return "auto"
    if isinstance(value, str) and value in GPU_SHARES:
        return GPU_SHARES[value]
    if isinstance(value, int | float) and not isinstance(value, bool) and value in GPU_SHARES.values():
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 1:
        one = "a trial trains on one GPU, more than 1 is not supported"
        raise broken(f"must be auto or one of {', '.join(GPU_SHARES)} ({one}), {got(value)}")
    raise broken(f"must be auto or one of {', '.join(GPU_SHARES)}, {got(value)}{_share_instead(value)}")


def _share_instead(value: Any) -> str:
    """The largest share that is no larger: as many trials, or more, fit a GPU."""
    try:
        asked = float(Fraction(value)) if isinstance(value, str | int | float) and value is not True else 0.0
    except (ValueError, ZeroDivisionError, OverflowError):
        return ""
    below = [name for name, share in GPU_SHARES.items() if 0 < share <= asked]
    if not below or asked > 1:
        return ""
    return f"; shares halve, so that trials can move together: write {below[-1]}"


def _check_warm_start(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise broken(f"must be a list of results directories, such as [results/other], {got(value)}")
    paths: list[str] = []
    for index, item in enumerate(value):
        try:
            path = checked_path(item, "must be the path of a results directory")
        except LeafProblems as error:
            raise broken(error.problems[0][1], index) from None
        if path in paths:
            raise broken(f"must list every results directory once, {got(item)} twice", index)
        paths.append(path)
    return tuple(paths)


def _check_objectives(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise broken(f"must be a list, such as [val_error], {got(value)}")
    checked = one_of("val_error", not_yet=("num_params", "macs", "train_seconds", "images_per_second"))
    names = tuple(checked.check(item) for item in value)
    if len(set(names)) < len(names):
        raise broken(f"must list every objective once, {got(value)}")
    return names


NAME = text(
    "must be 1 to 100 letters, digits, '.', '_' or '-', begin with a letter or digit and hold no '..'",
    lambda value: re.fullmatch(NAME_PATTERN, value) is not None,
    pattern=NAME_PATTERN,
)
BLOCK = Leaf(_check_block, {"type": "string", "pattern": r"^B\(.*\)$"}, searchable=True, nullable=True)
LR_DROPS = Leaf(
    _check_lr_drops,
    {
        "anyOf": [
            {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}},
            {"type": "array", "items": {"type": "integer", "minimum": 1}},
        ]
    },
)
RUNGS = Leaf(
    _check_rungs,
    {
        "anyOf": [
            {"enum": ["schedule", "geometric"]},
            {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
        ]
    },
)
GPU_SHARE = Leaf(
    _check_gpu_share, {"anyOf": [{"enum": ["auto", *GPU_SHARES]}, {"enum": list(GPU_SHARES.values())}]}
)
WARM_START = Leaf(_check_warm_start, {"type": "array", "items": {"type": "string", "minLength": 1}})
OBJECTIVES = Leaf(
    _check_objectives, {"type": "array", "items": {"enum": ["val_error"]}, "minItems": 1, "maxItems": 1}
)
