"""Slices: error against each searched hyperparameter alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.input_tables.shared_values import Value
from wrn_search.results.table_columns import PRODUCTS
from wrn_search.space.domains import Choice, IntRange, LogUniform

FIRST = ("dropout", "weight_decay")
BINS = 6
MAX_POINTS = 2000  # of one slice; the lowest errors stay, the others are thinned evenly


@dataclass(frozen=True)
class SlicePoint:
    """One trial at one value."""

    trial: int
    value: Value
    val_error: float  # percent, at `epochs` epochs
    epochs: int
    completed: bool


@dataclass(frozen=True)
class Slice:
    """Error against one searched hyperparameter, or against a product of two."""

    name: str
    log: bool  # a logarithmic axis
    categorical: bool
    points: tuple[SlicePoint, ...]
    summary: tuple[
        tuple[Value, float, float, int], ...
    ]  # (middle or value, lowest, median, n) of completed ones
    left_out: int  # trials without any epoch


def slices_of(material: Material) -> tuple[Slice, ...]:
    """A slice for each searched hyperparameter: dropout and weight decay first, then in the order of the space.

    Last those of products of two of them, see `Material.products`.
    """
    names = [name for name in FIRST if name in material.hyperparameters]
    names += [name for name in (*material.hyperparameters, *material.products) if name not in names]
    return tuple(_slice(material, name) for name in names)


def native(value: object) -> Value:
    """A plain number or text for a value of a table."""
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, int | float | str) else str(value)


def is_log(material: Material, name: str) -> bool:
    """Whether any space draws, or drew, the hyperparameter, or a factor of the product, on a logarithmic scale."""
    factors = PRODUCTS.get(name, (name,))
    domains = [source.domains.get(factor) for source in material.sources for factor in factors]
    return any(isinstance(each, LogUniform) or (isinstance(each, IntRange) and each.log) for each in domains)


def _slice(material: Material, name: str) -> Slice:
    rows = material.trials.dropna(subset=[name])
    shown = rows[rows["val_error"].notna()]
    categorical = _is_categorical(material, name)
    log = is_log(material, name)
    columns = shown[[name, "val_error", "epochs_done", "status"]].itertuples(name=None)
    points = [
        SlicePoint(int(trial), native(value), float(error), int(epochs), status == "completed")
        for trial, value, error, epochs, status in columns
    ]
    done = [(point.value, point.val_error) for point in points if point.completed]
    return Slice(
        name=name,
        log=log,
        categorical=categorical,
        points=tuple(_thinned(points)),
        summary=_by_value(done) if _few(done) or categorical else _by_bin(done, log),
        left_out=len(material.trials) - len(shown),
    )


def _is_categorical(material: Material, name: str) -> bool:
    """Text, or a choice of at most a dozen values."""
    if material.trials[name].map(lambda value: isinstance(value, str)).any():
        return True
    if name in PRODUCTS:
        return False
    domains = [source.domains.get(name) for source in material.sources if source.space is not None]
    return bool(domains) and all(
        isinstance(d, Choice) and len(d.options) <= 12 for d in domains if d is not None
    )


def _few(done: list[tuple[Value, float]]) -> bool:
    return len({value for value, _ in done}) <= BINS


def _by_value(done: list[tuple[Value, float]]) -> tuple[tuple[Value, float, float, int], ...]:
    found: dict[Value, list[float]] = {}
    for value, error in done:
        found.setdefault(value, []).append(error)
    ordered = sorted(
        found, key=lambda value: (isinstance(value, str), value if isinstance(value, str) else 0, value)
    )
    return tuple(
        (value, min(found[value]), float(np.median(found[value])), len(found[value])) for value in ordered
    )


def _by_bin(done: list[tuple[Value, float]], log: bool) -> tuple[tuple[Value, float, float, int], ...]:
    """Bins of equally many trials each; the middle is the median of their values."""
    values = np.array([value for value, _ in done], dtype=float)
    errors = np.array([error for _, error in done])
    scale = np.log(values) if log and (values > 0).all() else values
    parts = np.array_split(np.argsort(scale, kind="stable"), BINS)
    return tuple(
        (float(np.median(values[part])), float(errors[part].min()), float(np.median(errors[part])), len(part))
        for part in parts
        if len(part)
    )


def _thinned(points: list[SlicePoint]) -> list[SlicePoint]:
    if len(points) <= MAX_POINTS:
        return points
    ranked = sorted(points, key=lambda point: (not point.completed, point.val_error, point.trial))
    kept, rest = ranked[: MAX_POINTS // 2], ranked[MAX_POINTS // 2 :]
    places = np.unique(np.linspace(0, len(rest) - 1, MAX_POINTS - len(kept)).round().astype(int))
    return sorted([*kept, *(rest[place] for place in places)], key=lambda point: point.trial)
