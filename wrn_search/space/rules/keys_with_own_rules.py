"""Leaves whose rule belongs to one key alone: names, blocks, drops, rungs, shares of a GPU, objectives."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction
from typing import Any

from wrn_search.errors import nearest
from wrn_search.networks.architecture import MAX_DEEPENING_FACTOR, block_name, parse_block
from wrn_search.networks.families.family import NAMED_BLOCKS, listed_or
from wrn_search.objectives.objective_table import NOT_RECORDED, OBJECTIVE_TABLE, VAL_ERROR
from wrn_search.space.rules.broken_rule import LeafProblems, broken, got
from wrn_search.space.rules.key_rule import Leaf
from wrn_search.space.rules.number_and_text_rules import checked_path, one_of, real_number, text, whole_number

COLOUR_PATTERN = r"#[0-9A-Fa-f]{6}"
NAME_PATTERN = r"^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_PREPROCESSINGS = ("meanstd", "meanstd_cifar10", "meanstd_imagenet", "zca", "divide255")
OF_A_PLUGIN = " (one of a plugin is known with --plugin FILE)"
TRACKER_NAMES = ("csv", "mlflow", "wandb")  # `trackers/tracker_table.py` has what they are
GPU_SHARES = {"0": 0.0, "1/8": 0.125, "1/4": 0.25, "1/2": 0.5, "1": 1.0, "2": 2.0, "4": 4.0, "8": 8.0}


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


def share_or_count(high: int, low: int = 1) -> Leaf:
    """A leaf that takes a whole number from `low` to `high`, or a share of all, between 0 and 1."""
    count = whole_number(low, high)

    def check(value: Any) -> Any:
        if isinstance(value, float) and 0 < value < 1:
            return value
        try:
            return count.check(value)
        except LeafProblems as error:
            if isinstance(value, int) and not isinstance(value, bool):
                raise
            raise broken(
                f"{error.problems[0][1]}; a share is a number between 0 and 1, such as 0.1"
            ) from None

    share = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    return Leaf(check, {"anyOf": [count.schema, share]})


def _check_block(value: Any) -> str:
    if not isinstance(value, str):
        raise broken(f"must be a block such as B(3,3), {got(value)}")
    if value.count("(") != value.count(")"):  # YAML splits [B(3,3)] at its comma
        raise broken(f"must be a block such as B(3,3), quoted inside brackets, {got(value)}")
    name = value.strip()
    try:
        return name if name in NAMED_BLOCKS else block_name(parse_block(name))
    except ValueError:
        sizes = f"1 to {MAX_DEEPENING_FACTOR} kernel sizes out of 1, 3 and 5, such as B(3,3)"
        rule = f"must be B(...) with {sizes}, or {listed_or(NAMED_BLOCKS)}"
        raise broken(f"{rule}, {got(value)}{_block_meant(name)}") from None


def _block_meant(text: str) -> str:
    """The nearest block: of the kernels that the text has, as far as they exist, else of the names."""
    sizes = [min((1, 3, 5), key=lambda size: abs(size - int(digit))) for digit in re.findall(r"\d", text)]
    if sizes:
        return f" (did you mean '{block_name(tuple(sizes[:MAX_DEEPENING_FACTOR]))}'?)"
    return nearest(text.lower(), NAMED_BLOCKS)


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
        several = "a trial trains on a share of a GPU, or on 1, 2, 4 or 8 of one machine"
        raise broken(f"must be auto or one of {', '.join(GPU_SHARES)} ({several}), {got(value)}")
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


def _check_on_end(value: Any) -> tuple[str, ...]:
    rule = "must be a command and its arguments as a list of texts, such as [notify-send, done]"
    if not isinstance(value, list | tuple):
        raise broken(f"{rule} (no shell reads it), {got(value)}")
    for index, item in enumerate(value):
        if not isinstance(item, str) or "\0" in item or (index == 0 and not item.strip()):
            raise broken(f"{rule}, {got(item)}", index)
    return tuple(value)


def _check_trackers(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise broken(f"must be a list, such as [mlflow] or [csv, wandb], {got(value)}")
    known = one_of(*TRACKER_NAMES)
    names = tuple(known.check(item) for item in value)
    if len(set(names)) < len(names):
        raise broken(f"must list every tracker once, {got(value)}")
    return names


def _check_objectives(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise broken(f"must be a list, such as [val_error] or [val_error, num_params], {got(value)}")
    known = one_of(*OBJECTIVE_TABLE)
    for item in value:
        if isinstance(item, str) and item in NOT_RECORDED:
            raise broken(
                f"must be one of {', '.join(OBJECTIVE_TABLE)}, but '{item}' is none: {NOT_RECORDED[item]}"
            )
    names = tuple(known.check(item) for item in value)
    if len(set(names)) < len(names):
        raise broken(f"must list every objective once, {got(value)}")
    if VAL_ERROR not in names:
        rule = f"must have {VAL_ERROR} among them: without it the smallest network of all would be the best"
        raise broken(f"{rule}, {got(value)}")
    return names


def _check_preprocessing(value: Any) -> str:
    names = one_of(*_PREPROCESSINGS)
    try:
        return str(names.check(value))
    except LeafProblems as error:
        if not isinstance(value, str) or not re.search("gcn|contrast", value, re.IGNORECASE):
            raise
        instead = "global contrast normalisation comes with whitening, and not alone: write zca for both"
        raise broken(f"{error.problems[0][1]}; {instead}") from None


NAME = text(
    "must be 1 to 100 letters, digits, '.', '_' or '-', begin with a letter or digit and hold no '..'",
    lambda value: re.fullmatch(NAME_PATTERN, value) is not None,
    pattern=NAME_PATTERN,
)
_BLOCK_NAMES = "|".join([r"B\(.*\)", *NAMED_BLOCKS])
BLOCK = Leaf(
    _check_block, {"type": "string", "pattern": rf"^({_BLOCK_NAMES})$"}, searchable=True, nullable=True
)
LR_DROPS = Leaf(
    _check_lr_drops,
    {
        "anyOf": [
            {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}},
            {"type": "array", "items": {"type": "integer", "minimum": 1}},
        ]
    },
)
PREPROCESSING = Leaf(_check_preprocessing, {"enum": list(_PREPROCESSINGS)})
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
ON_END = Leaf(_check_on_end, {"type": "array", "items": {"type": "string"}})
TRACKERS = Leaf(
    _check_trackers,
    {"type": "array", "items": {"enum": list(TRACKER_NAMES)}, "uniqueItems": True},
)
OBJECTIVES = Leaf(
    _check_objectives,
    {
        "type": "array",
        "items": {"enum": list(OBJECTIVE_TABLE)},
        "minItems": 1,
        "uniqueItems": True,
        "contains": {"const": VAL_ERROR},
    },
)
