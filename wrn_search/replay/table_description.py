"""What the columns of a Parquet file of curves are: the small YAML file beside it, checked (`docs/replay.md`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from wrn_search.errors import InputError, Problem, nearest
from wrn_search.space.domains import Domain
from wrn_search.space.rules.broken_rule import LeafProblems, broken, got
from wrn_search.space.rules.domain_rules import parse_domain
from wrn_search.space.yaml_with_lines import Source, read_source

KEYS = {
    "hyperparameters": "column -> its domain, as in a space file",
    "curve": "the column that holds a list: the validation error after each epoch",
    "unit": "percent (default) or loss: scaled to 0 to 100, lower is better either way",
    "first": "the epoch of the list's first value (default 1); a value for epoch 0 is passed over",
    "epochs": "of a whole training; default the longest list",
    "where": "column -> the values of rows to keep",
    "tables": "a column: each of its values is a table of its own",
    "epoch_cost": "a column with what an epoch costs, or `macs`, or a number (default 1)",
    "epoch_cost_unit": "seconds, or what else it is counted in (default)",
    "lr_schedule": "step (default; constant without `lr_drops`), cosine, onecycle, linear or wsd: where the rungs of "
    "`rungs: schedule` lie",
    "lr_cooldown": "of wsd: the last share of the epochs",
    "warmup_epochs": "epochs in which the learning rate rises, where no rung lies",
    "lr_drops": "fractions of the epochs, or epochs, at which the learning rate drops",
    "chance_error": "percent, of guessing (default 100): who is there at a rung is stopped, who diverged counts so",
    "validation_images": "on which the error was counted (default 10,000)",
    "image_shape": "height, width, channels, for `macs`",
    "network": "{depth: COLUMN, width: COLUMN}: which hyperparameters are the network's depth and width",
    "source": "whom to cite",
}
_COLUMNS = "must name columns of the Parquet file"
_DOMAIN = "must be a domain: {choice: [...]}, {uniform: [LOW, HIGH]}, {loguniform: [LOW, HIGH]} or {int: [LOW, HIGH]}"
_NEEDED = ("hyperparameters", "curve")


@dataclass(frozen=True)
class TableDescription:
    """The YAML file, checked against the columns."""

    path: Path
    values: Mapping[str, Any]
    domains: Mapping[str, Domain]
    source: Source

    def error(self, key: str, text: str) -> InputError:
        """What is wrong with the value of a key such as `hyperparameters.lr`, at its line."""
        return InputError.of(key, text, self.source.location(tuple(key.split("."))))

    def get(self, key: str, default: Any = None) -> Any:
        """A key's value."""
        return self.values.get(key, default)


def described(path: Path, columns: pa.Table) -> TableDescription:
    """The description of a Parquet file's columns in the YAML file at `path`.

    Raises:
        InputError: every problem of the file, each with its line.
    """
    if not path.is_file():
        text = "a Parquet file of curves must have a YAML file beside it that says what its columns are"
        raise InputError.of("SOURCE", f"{text} (docs/replay.md), but there is none", str(path))
    source = read_source(path, "description of curves")
    document = source.value
    problems = [
        _problem(source, (key,), f"must be one of {', '.join(KEYS)}, but got '{key}'{nearest(key, KEYS)}")
        for key in document
        if key not in KEYS
    ]
    problems += [
        Problem(key, f"must be there: {KEYS[key]}", f"{path}:1") for key in _NEEDED if not document.get(key)
    ]
    if problems:
        raise InputError(problems)
    domains = _domains(source, problems)
    for key, names in _columns_named(document, domains):
        problems += [
            _problem(
                source,
                (key,),
                f"must name columns of the Parquet file, but got '{name}'{nearest(name, columns.column_names)}",
            )
            for name in names
            if name not in columns.column_names
        ]
    curve = document["curve"]
    if curve in columns.column_names and not _is_list_of_numbers(columns.schema.field(curve).type):
        problems.append(
            _problem(source, ("curve",), f"must be a column of lists of numbers, but '{curve}' is none")
        )
    problems += _odd_values(source)
    network = document.get("network")
    problems += [
        _problem(
            source, ("network", role), f"must name a hyperparameter, but got '{name}'{nearest(name, domains)}"
        )
        for role, name in (network.items() if isinstance(network, dict) else ())
        if name not in domains
    ]
    if problems:
        raise InputError(problems)
    return TableDescription(path, document, domains, source)


def _is_list_of_numbers(kind: pa.DataType) -> bool:
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    value = kind.value_type
    return bool(pa.types.is_floating(value) or pa.types.is_integer(value) or pa.types.is_null(value))


def _domains(source: Source, problems: list[Problem]) -> dict[str, Domain]:
    """The hyperparameters' domains; what is none is added to the problems."""
    domains: dict[str, Domain] = {}
    given = source.value["hyperparameters"]
    if not isinstance(given, dict):
        problems.append(_problem(source, ("hyperparameters",), "must be a mapping of columns to domains"))
        return {}
    for name, value in given.items():
        path = ("hyperparameters", str(name))
        if not isinstance(value, dict):
            problems.append(_problem(source, path, f"{_DOMAIN}, but got {value}"))
            continue
        try:
            domains[str(name)] = parse_domain(value, _rule_of(value))
        except LeafProblems as error:
            problems += [_problem(source, (*path, *map(str, below)), text) for below, text in error.problems]
    return domains


def _rule_of(domain: Mapping[str, Any]) -> Callable[[Any], Any]:
    """What a value within a domain must be: a choice of words and numbers, else numbers, all whole or none."""
    items = [item for items in domain.values() if isinstance(items, list) for item in items]
    whole = all(isinstance(item, int) for item in items) and "uniform" not in domain

    def check(value: Any) -> Any:
        if "choice" in domain and (isinstance(value, str | bool) or is_number(value)):
            return value
        if not is_number(value):
            raise broken(f"must be a finite number, {got(value)}")
        return value if whole or "choice" in domain or "int" in domain else float(value)

    return check


def _columns_named(
    document: Mapping[str, Any], domains: Mapping[str, Domain]
) -> Iterable[tuple[str, list[str]]]:
    """(key, columns that it names)."""
    cost = document.get("epoch_cost")
    yield "hyperparameters", list(domains)
    yield "curve", [str(document["curve"])]
    yield "where", list(document.get("where") or {})
    yield "tables", [str(document["tables"])] if document.get("tables") else []
    yield "epoch_cost", [cost] if isinstance(cost, str) and cost != "macs" else []


def _odd_values(source: Source) -> list[Problem]:
    document = source.value
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "unit": (lambda value: value in ("percent", "loss"), "must be percent or loss"),
        "first": (lambda value: value in (0, 1), "must be 0 or 1"),
        "epochs": (
            _is_count,
            "must be a whole number of at least 1",
        ),
        "chance_error": (
            lambda value: is_number(value) and 0 < value <= 100,
            "must be above 0 and at most 100",
        ),
        "validation_images": (
            _is_count,
            "must be a whole number of at least 1",
        ),
        "where": (lambda value: isinstance(value, dict), "must be a mapping of columns to values"),
        "network": (
            lambda value: isinstance(value, dict) and set(value) == {"depth", "width"},
            "must be {depth: COLUMN, width: COLUMN}",
        ),
        "image_shape": (
            lambda value: (
                isinstance(value, list)
                and len(value) == 3
                and all(isinstance(size, int) and size >= 1 for size in value)
            ),
            "must be [HEIGHT, WIDTH, CHANNELS]",
        ),
        "tables": (lambda value: isinstance(value, str), "must be a column"),
        "epoch_cost": (
            lambda value: isinstance(value, str) or (is_number(value) and value > 0),
            "must be a column, `macs` or a number above 0",
        ),
    }
    return [
        _problem(source, (key,), f"{rule}, but got {document[key]}")
        for key, (holds, rule) in rules.items()
        if document.get(key) is not None and not holds(document[key])
    ]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _problem(source: Source, path: tuple[str, ...], text: str) -> Problem:
    return Problem(".".join(path), text, source.location(path))
