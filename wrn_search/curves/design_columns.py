"""The columns x of the curve model: hyperparameters, centred and scaled, each with the prior of its coefficient.

Groups: `size`, depth and width, has priors of fixed width; the others share a width each that is learned, so that bends
and interactions cost nothing where the curves show none.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wrn_search.curves.observed_curves import DEPTH, WIDTH, ObservedCurves, Scale, on_scale

Array = NDArray[np.floating[Any]]
GROUPS = ("size", "cell", "main", "curved", "crossed")
PER_DOUBLING = (
    0.5  # prior deviation, log-odds: a doubling of depth or width changes the odds by a factor of e^0.5
)
_EARLY_PER_DOUBLING = 0.25  # of what shows only early; learned, this is its median
_DEPTH_BY_WIDTH, _DEPTH_BY_WIDTH_EARLY = 0.06, 0.03  # on recorded tables 0.04 and 0.01
_BUMPS = 5
_MOST_CROSSED = 8  # numeric hyperparameters beyond which pairs are left out


@dataclass(frozen=True)
class Axis:
    """A hyperparameter that varies: where its zero and its unit lie on its scale."""

    name: str
    scale: Scale
    centre: float = 0.0
    unit: float = 1.0
    low: float = 0.0  # of the values seen, on the scale
    high: float = 0.0
    distinct: int = 0
    levels: tuple[str, ...] = ()  # where categorical

    def value(self, value: float | str) -> float:
        """A numeric value on the axis."""
        assert not isinstance(value, str), (self.name, value)
        return (on_scale(value, self.scale) - self.centre) / self.unit

    @property
    def bump_width(self) -> float:
        """Distance between bumps, and the deviation of each."""
        return (self.high - self.low) / self.unit / (min(_BUMPS, self.distinct) - 1)

    def bumps(self) -> tuple[float, ...]:
        """Where on the axis bumps stand: evenly from the lowest to the highest value; none below three values.

        What bends is a sum of Gaussian bumps and no power: what is known at one end says nothing of the other, and
        where nobody saw an end the interval stays wide.
        """
        if self.levels or self.distinct < 3:
            return ()
        count = min(_BUMPS, self.distinct)
        return tuple(
            (self.low - self.centre) / self.unit + number * self.bump_width for number in range(count)
        )


@dataclass(frozen=True)
class Column:
    """One coefficient: a product of axes, a bump of one, a level, or a cell."""

    name: str
    group: str  # one of GROUPS
    factors: tuple[tuple[str, str], ...]  # (axis, "1" | "~" and the number of a bump | level)
    deviation: float  # of its prior at the end; in a learned group relative to the group's
    early: float  # the same for what shows only early; 0 leaves it out
    shift: float = 0.0  # taken off, so that a bend has mean 0


@dataclass(frozen=True)
class Design:
    """How hyperparameters become a row of x.

    Attributes:
        axes: by name; a hyperparameter with one value has none.
        columns: P of them, in the order of the coefficients.
        cells: (depth, widen_factor) of each cell with an effect of its own; empty where cells are as many as trials.
        constants: hyperparameters with one value, by name.
    """

    axes: Mapping[str, Axis]
    columns: tuple[Column, ...]
    cells: tuple[tuple[float, float], ...]
    constants: Mapping[str, float | str]

    def row(self, hyperparameters: Mapping[str, float | str]) -> Array:
        """x of one setting (P,); what it leaves open is in the middle, a cell never tried has no effect of its own.

        Raises:
            ValueError: a level that no trial had.
        """
        row: Array = self.rows([hyperparameters])[0]
        return row

    def rows(self, settings: Sequence[Mapping[str, float | str]]) -> Array:
        """(M, P) of several at once.

        Raises:
            ValueError: a level that no trial had.
        """
        values: dict[tuple[str, str], Array] = {}
        for axis in self.axes.values():
            given = [each.get(axis.name) for each in settings]
            if axis.levels:
                if unknown := {each for each in given if each is not None} - set(axis.levels):
                    raise ValueError(f"`{axis.name}` must be one of {axis.levels}, but got {unknown.pop()}")
                for level in axis.levels:
                    values[axis.name, level] = np.array(
                        [
                            0.0 if each is None else float(each == level) - 1 / len(axis.levels)
                            for each in given
                        ]
                    )
            else:
                at = np.array([0.0 if each is None else axis.value(each) for each in given])
                values[axis.name, "1"] = at
                for number, bump in enumerate(axis.bumps()):
                    off = (at - bump) / axis.bump_width
                    values[axis.name, f"~{number}"] = np.exp(-0.5 * off * off)
        cells = [_cell_name(cell_of({**self.constants, **each})) for each in settings]
        rows = np.empty((len(settings), len(self.columns)))
        for place, column in enumerate(self.columns):
            if column.group == "cell":
                rows[:, place] = [float(column.name == cell) for cell in cells]
            else:
                product = np.ones(len(settings))
                for factor in column.factors:
                    product = product * values[factor]
                rows[:, place] = product - column.shift
        return rows

    def new_cell(self, hyperparameters: Mapping[str, float | str]) -> bool:
        """Whether a setting lies in a cell without an effect of its own, though cells have one."""
        return bool(self.cells) and cell_of({**self.constants, **hyperparameters}) not in self.cells


def cell_of(hyperparameters: Mapping[str, float | str]) -> tuple[float, float]:
    """(depth, widen_factor); NaN is no value of either, so what is missing counts as 0."""
    depth, width = hyperparameters.get(DEPTH, 0.0), hyperparameters.get(WIDTH, 0.0)
    return float(depth), float(width)


def design_of(table: ObservedCurves) -> Design:
    """The axes and columns for the trials of a table."""
    names = sorted(table.trials[0].hyperparameters, key=lambda name: (name != DEPTH, name != WIDTH, name))
    values = {name: [each.hyperparameters[name] for each in table.trials] for name in names}
    varying = [name for name in names if len(set(values[name])) > 1]
    axes = {name: _axis(name, table.scale(name), values[name]) for name in varying}
    columns = [column for axis in axes.values() for column in _columns_of(axis)]
    columns += _crossed(list(axes.values()))
    cells = sorted({cell_of(each.hyperparameters) for each in table.trials})
    if (
        2 < len(cells) <= max(3, len(table.trials) // 2)
    ):  # cells bend as they like: depth and width need no bumps
        columns = [
            each for each in columns if each.group != "curved" or each.factors[0][0] not in (DEPTH, WIDTH)
        ]
    else:
        cells = []
    columns += [Column(_cell_name(cell), "cell", (), 1.0, 0.0) for cell in cells]
    constants = {name: values[name][0] for name in names if name not in axes}
    design = Design(axes, tuple(columns), tuple(cells), constants)
    return _centred(design, table)


def _axis(name: str, scale: Scale, values: Sequence[float | str]) -> Axis:
    if scale == "categorical":
        return Axis(
            name, scale, distinct=len(set(values)), levels=tuple(sorted({str(each) for each in values}))
        )
    scaled = np.array([on_scale(float(each), scale) for each in values])
    # depth and width are told by the doubling, whatever was tried
    unit = 1.0 if name in (DEPTH, WIDTH) else float(scaled.std())
    return Axis(
        name, scale, float(scaled.mean()), unit, float(scaled.min()), float(scaled.max()), len(set(scaled))
    )


def _columns_of(axis: Axis) -> list[Column]:
    if axis.levels:
        return [
            Column(f"{axis.name}={level}", "main", ((axis.name, level),), 1.0, 1.0) for level in axis.levels
        ]
    if axis.name in (DEPTH, WIDTH):
        columns = [Column(axis.name, "size", ((axis.name, "1"),), PER_DOUBLING, _EARLY_PER_DOUBLING)]
    else:  # what shows only early is as free as what lasts: early epochs reverse the ranking of learning rates
        columns = [Column(axis.name, "main", ((axis.name, "1"),), 1.0, 1.0)]
    for number in range(len(axis.bumps())):
        columns.append(Column(f"{axis.name}~{number}", "curved", ((axis.name, f"~{number}"),), 1.0, 1.0))
    return columns


def _crossed(axes: Sequence[Axis]) -> list[Column]:
    """Products of pairs; depth by width has a prior of its own."""
    columns = []
    numeric = [axis for axis in axes if not axis.levels]
    for one, other in itertools.combinations(numeric, 2):
        name, factors = f"{one.name} x {other.name}", ((one.name, "1"), (other.name, "1"))
        if {one.name, other.name} == {DEPTH, WIDTH}:
            columns.append(Column(name, "size", factors, _DEPTH_BY_WIDTH, _DEPTH_BY_WIDTH_EARLY))
        elif len(numeric) <= _MOST_CROSSED:
            columns.append(Column(name, "crossed", factors, 1.0, 1.0))
    for one, other in itertools.product((axis for axis in axes if axis.levels), numeric):
        for level in one.levels:  # what is best for one optimiser is a cliff for another
            for part in ("1", *(f"~{number}" for number in range(len(other.bumps())))):
                factors = ((one.name, level), (other.name, part))
                columns.append(
                    Column(f"{one.name}={level} x {other.name} {part}", "crossed", factors, 1.0, 1.0)
                )
    return columns


def _centred(design: Design, table: ObservedCurves) -> Design:
    """The same with bends and products of mean 0 over the trials."""
    if not design.columns:
        return design
    means = np.mean([design.row(each.hyperparameters) for each in table.trials], axis=0)
    columns = tuple(
        column
        if column.group in ("size", "main", "cell") and len(column.factors) < 2
        else Column(column.name, column.group, column.factors, column.deviation, column.early, float(mean))
        for column, mean in zip(design.columns, means, strict=True)
    )
    return Design(design.axes, columns, design.cells, design.constants)


def _cell_name(cell: tuple[float, float]) -> str:
    return f"cell {cell[0]:g} x {cell[1]:g}"
