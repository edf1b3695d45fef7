"""The curve model of a space before anything was trained: its columns, its questions, and draws from the space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wrn_search.curves.curve_fit import arrays_of
from wrn_search.curves.curve_likelihood import Observations
from wrn_search.curves.design_columns import Array, Design, design_of
from wrn_search.curves.effects import DEPTH_VS_WIDTH, contrasts_along, slopes_of_size
from wrn_search.curves.observed_curves import DEPTH, SCALES, WIDTH, CurveTrial, ObservedCurves, Scale
from wrn_search.curves.settings_of_cells import Setting
from wrn_search.searchers.searcher import SearchedSpace
from wrn_search.searchers.uniform_draws import UniformDraws
from wrn_search.seeds import derived_seed
from wrn_search.space.domains import Domain, LogUniform, finite_values

REGULARISATION = ("dropout", "weight_decay")
_DRAWS = 128  # from the space: they say where the middle of an axis lies, and its unit
_REGULARISATION_COUNTS = 0.5  # all of it together, beside depth against width


@dataclass(frozen=True)
class ModelOfSpace:
    """What the curve model asks of a space.

    Attributes:
        table: draws from the space that nobody has trained.
        design: the columns.
        questions: (question, contrast (P,), what it counts) in the order of their weight.
        typical: (T, P) the rows of the draws.
        epochs: (J,) rungs, the last one the end.
    """

    table: ObservedCurves
    design: Design
    questions: tuple[tuple[str, Array, float], ...]
    typical: Array
    epochs: tuple[int, ...]

    def setting(self, hparams: Mapping[str, object]) -> Setting:
        """As the model has it: what it leaves out is left out."""
        scales = self.table.scales
        told = ((name, hparams.get(name)) for name in scales)
        return {name: _value(value, scales[name]) for name, value in told if value is not None}

    def row(self, hparams: Mapping[str, object]) -> NDArray[np.float64]:
        """(P,)"""
        return np.asarray(self.design.row(self.setting(hparams)), dtype=np.float64)

    def rows(self, hparams: Sequence[Mapping[str, object]]) -> Array:
        """(M, P)"""
        return self.design.rows([self.setting(each) for each in hparams])

    def observations(self, trials: Sequence[CurveTrial]) -> Observations:
        """Curves of the space's configurations at the rungs; without any the bare model."""
        if trials:
            return arrays_of(trials, self.table, self.epochs, self.design)
        return arrays_of(self.table.trials[:1], self.table, self.epochs, self.design, 0.0)


def model_of(
    space: SearchedSpace, levels: Sequence[int], images: int, chance_error: float | None
) -> ModelOfSpace:
    """The model of a space in which depth and widening factor both vary.

    Args:
        space: what is searched.
        levels: epochs at which configurations are compared, rising, all below the last epoch.
        images: that errors are counted on.
        chance_error: percent; None where it is not known.
    """
    draws = UniformDraws(space.hyperparameters)
    points = [draws.at(derived_seed(space.seed, "typical", place)) for place in range(_DRAWS)]
    found = [space.hparams(point) for point in points]
    scales = _scales(found, space.hyperparameters)
    trials = tuple(
        CurveTrial(
            str(place),
            str(place),
            {name: _value(each[name], scale) for name, scale in scales.items()},
            (),
            (),
            "running",
        )
        for place, each in enumerate(found)
    )
    table = ObservedCurves(trials, images, space.epochs, scales, tuple(levels), chance_error)
    design = design_of(table)
    rows = np.array([design.row(each.hyperparameters) for each in trials])
    return ModelOfSpace(table, design, _questions(design, table, rows), rows, (*levels, space.epochs))


def _questions(design: Design, table: ObservedCurves, rows: Array) -> tuple[tuple[str, Array, float], ...]:
    """Depth against width counts 1, all regularisation together half of that."""
    cells = {(each.hyperparameters[DEPTH], each.hyperparameters[WIDTH]) for each in table.trials}
    settings = [{DEPTH: depth, WIDTH: width} for depth, width in sorted(cells)]
    found = [(DEPTH_VS_WIDTH, slopes_of_size(design, settings)[DEPTH_VS_WIDTH], 1.0)]
    axes = [design.axes[name] for name in REGULARISATION if name in design.axes]
    others = [each for axis in axes for each in contrasts_along(design, rows, axis)]
    found += [(name, contrast, _REGULARISATION_COUNTS / len(others)) for name, _, contrast in others]
    return tuple(found)


def _scales(found: Sequence[Mapping[str, object]], domains: Mapping[str, Domain]) -> dict[str, Scale]:
    """Of what every configuration has a value of."""
    scales: dict[str, Scale] = {}
    for name in found[0]:
        values = [each[name] for each in found]
        if any(value is None for value in values):  # it does not apply everywhere
            continue
        if any(isinstance(value, str) for value in values):
            scales[name] = "categorical"
            continue
        domain = domains.get(name)
        told = values if domain is None else finite_values(domain) or values
        lowest = min(float(str(each)) for each in told)
        scale = SCALES.get(name, "log10" if isinstance(domain, LogUniform) else "linear")
        scales[name] = "linear" if scale in ("log2", "log10") and lowest <= 0 else scale
    return scales


def _value(value: object, scale: Scale) -> float | str:
    return str(value) if scale == "categorical" else float(str(value))
