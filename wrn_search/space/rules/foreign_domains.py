"""Domains as other programs spell them (NNI, W&B, Ray Tune, Optuna, Ax, hydra): what to write here instead.

They are not taken, as some mean other things than their names say here; but the message shows ours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

_MOST_STEPS = 20  # of a quantised range, written out as a choice
_CALL = re.compile(r"\s*(?:tune\.|hp\.|trial\.suggest_)?(\w+)\((.*)\)\s*", re.DOTALL)
_LOG = ("log", "log_scale")
_KIND_KEYS = ("_type", "distribution", "type")
_VALUE_KEYS = ("_value", "values", "choices", "bounds")
_LOW_KEYS, _HIGH_KEYS, _STEP_KEYS = ("min", "low", "lower"), ("max", "high", "upper"), ("q", "step")
# Other names of a kind, without `q` and `log` in front of them.
_CHOICES = ("choice", "choices", "categorical", "grid_search", "values", "grid", "ordinal")
_RANGES = ("uniform", "float", "interval", "real", "continuous", "double", "range", "min_max")
_INTEGERS = ("int", "integer", "randint", "int_uniform", "uniformint", "discrete_uniform", "discrete")
_NORMALS = ("normal", "randn", "gauss", "gaussian")


def ours_instead(value: Any, whole: bool) -> str | None:
    """Our spelling of a domain that another program would take; None if it is none that is known.

    Args:
        value: what stands where a value or a domain is due.
        whole: the key takes whole numbers.
    """
    match value:
        case list() | tuple() if value and all(_is_scalar(item) for item in value):
            return _choice(value)
        case str():
            return _of_text(value, whole)
        case Mapping() if value:
            return _of_mapping({str(key): item for key, item in value.items()}, whole)
        case _:
            return None


def _of_text(text: str, whole: bool) -> str | None:
    """hydra's `choice(1, 2)` and `tag(log, interval(1, 10))`, its `1,2,4`, and calls of Python."""
    if text.count("(") != text.count(")"):
        return None
    if (call := _CALL.fullmatch(text)) is not None:
        name, inner = call[1], call[2]
        if name == "tag" and inner.replace(" ", "").startswith("log,"):
            inside = _CALL.fullmatch(inner.partition(",")[2])
            return _of_kind(f"log{inside[1]}", _items(inside[2]), whole) if inside else None
        if name == "range" and all(
            isinstance(item, int) for item in _items(inner)
        ):  # Python's, without its end
            ends = _items(inner)
            low, high = (0, ends[0]) if len(ends) == 1 else ends[:2]
            return f"{{int: [{_join([low, high - 1, *ends[2:3]])}]}}"
        return _of_kind(name, _items(inner), whole)
    items = _items(text)
    return _choice(items) if len(items) > 1 and all(_is_scalar(item) for item in items) else None


def _items(text: str) -> list[Any]:
    """The parts between commas that stand in no bracket, as numbers where they are some; `a=1` is 1."""
    parts = re.findall(
        r"(?:[^,()\[\]]|\([^()]*\)|\[[^\[\]]*\])+", text.strip().removeprefix("[").removesuffix("]")
    )
    return [_number(part.rpartition("=")[2].strip().strip("'\"")) for part in parts if part.strip()]


def _of_mapping(value: Mapping[str, Any], whole: bool) -> str | None:
    if set(value) == {"value"} and _is_scalar(value["value"]):  # W&B's constant
        return _text(value["value"])
    log = any(value.get(key) is True for key in _LOG)
    step = next((value[key] for key in _STEP_KEYS if key in value), None)
    arguments = next((value[key] for key in _VALUE_KEYS if key in value), None)
    if arguments is None and (low := _first(value, _LOW_KEYS)) is not None:
        arguments = [low, _first(value, _HIGH_KEYS)]
    kind = next((str(value[key]) for key in _KIND_KEYS if key in value), None)
    if kind is None and len(value) == 1:
        ((kind, arguments),) = value.items()
    if kind is None or (kind in ("range", "min_max") and arguments is not None):
        kind = "choice" if "values" in value or "choices" in value else "int" if whole else "uniform"
    if not isinstance(arguments, list | tuple):
        return None
    steps = [] if step is None else [step]
    return _of_kind(f"log{kind}" if log and "log" not in kind else kind, [*arguments, *steps], whole)


def _of_kind(kind: str, arguments: list[Any], whole: bool) -> str | None:
    """Our spelling of `quniform` and the like with its arguments."""
    name = kind.lower().replace("-", "_").removesuffix("_values")
    if name in _CHOICES:
        flat = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else arguments
        return _choice(flat) if flat and all(_is_scalar(item) for item in flat) else None
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in arguments):
        return None
    name = name.removeprefix("q").strip("_")
    if name.endswith("randint"):  # of Python's ends: the upper one is left out
        arguments = [0] * (len(arguments) == 1) + arguments
        arguments[1:2] = [end - 1 for end in arguments[1:2]]
        whole = True
    log = "log" in name
    name = name.replace("inv_log", "").replace("log10", "").replace("log", "").strip("_") or "uniform"
    rule = next((rule for names, rule in _RULES if name in names), None)
    return rule(arguments, whole, log) if rule is not None else None


def _range(arguments: list[Any], whole: bool, log: bool) -> str | None:
    if not 2 <= len(arguments) <= 3:
        return None
    low, high, *step = arguments
    if log and low <= 0:  # W&B's log_uniform is given exponents
        low, high = (float(f"{math.exp(end):.4g}") for end in (low, high))
    if log:
        return f"{{loguniform: [{_join([low, high])}]}}"
    if not step:
        return f"{{{'int' if whole else 'uniform'}: [{_join([low, high])}]}}"
    if whole or all(float(item).is_integer() for item in arguments):
        return f"{{int: [{_join([int(item) for item in arguments])}]}}"
    count = (high - low) / step[0] if step[0] > 0 else math.inf
    if not 0 < count <= _MOST_STEPS:
        return f"{{uniform: [{_join([low, high])}]}}"
    return _choice([float(f"{low + index * step[0]:.10g}") for index in range(math.floor(count + 1e-9) + 1)])


def _integers(arguments: list[Any], whole: bool, log: bool) -> str | None:
    return _range(arguments, True, log)


def _normal(arguments: list[Any], whole: bool, log: bool) -> str | None:
    """No normal distribution is there: the range of two standard deviations."""
    if len(arguments) < 2 or log:
        return None
    mean, deviation = arguments[:2]
    ends = [float(f"{mean + sign * 2 * deviation:.6g}") for sign in (-1, 1)]
    return f"{{{'int' if whole else 'uniform'}: [{_join([round(end) for end in ends] if whole else ends)}]}}"


_RULES: tuple[tuple[tuple[str, ...], Callable[[list[Any], bool, bool], str | None]], ...] = (
    (_RANGES, _range),
    (_INTEGERS, _integers),
    (_NORMALS, _normal),
)


def _choice(items: list[Any] | tuple[Any, ...]) -> str:
    return f"{{choice: [{_join(list(dict.fromkeys(items)))}]}}"


def _join(items: list[Any]) -> str:
    return ", ".join(map(_text, items))


def _text(item: Any) -> str:
    """As YAML takes it inside brackets."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return item if re.fullmatch(r"[A-Za-z_][\w.-]*", item) else f"'{item}'"
    return f"{item:.10g}" if isinstance(item, float) else str(item)


def _first(value: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((value[key] for key in keys if key in value), None)


def _is_scalar(item: Any) -> bool:
    return isinstance(item, str | int | float)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
