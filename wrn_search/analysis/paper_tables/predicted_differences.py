"""Differences between networks by the curve model: where trainings were stopped early, as by an adaptive search.

The error at the end that each network is expected to have when it is trained again, at the paper's setting of whatever
was searched as far as it lies within what was tried. The same questions as `MeasuredDifferences` answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wrn_search.analysis.curve_model.fit_at_the_end import draws_of, why_no_ends
from wrn_search.analysis.curve_model.model_of_curves import model_of
from wrn_search.analysis.curve_model.table_of_curves import SEED, curves_on_record
from wrn_search.analysis.depth_width_map import error_map_of
from wrn_search.analysis.input_tables.configurations import Configuration
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.paper_tables.trained_networks import Key
from wrn_search.curves.curve_fit import CurveFit, fit
from wrn_search.curves.ends.ends_of_cells import expected_errors
from wrn_search.curves.observed_curves import on_scale
from wrn_search.curves.settings_of_cells import end_draws

Floats = NDArray[np.float64]
Setting = Mapping[str, float | str]
_BESIDE = 0.1  # of the range of what was tried: so far beside it the model may be asked


class PredictedDifferences:
    """Draws of the expected error of each entry at full epochs, percent."""

    kind = "predicted"
    why_no_interval = ""

    def __init__(self, chosen: CurveFit, settings: Mapping[Key, Setting], counts: Mapping[Key, int]):
        self._columns = {key: column for column, key in enumerate(settings)}
        self._draws = expected_errors(chosen, end_draws(chosen, list(settings.values())))
        self._counts = counts

    def __contains__(self, key: Key) -> bool:
        return key in self._columns

    def _of(self, key: Key) -> Floats:
        return np.asarray(self._draws[:, self._columns[key]], dtype=np.float64)

    def middle(self, key: Key) -> float:
        """The expected error."""
        return float(self._of(key).mean())

    def range(self, key: Key) -> Interval:
        """Its 95 % interval."""
        return _quantiles(self._of(key))

    def count(self, key: Key) -> int:
        """Trainings of it that the model was told of."""
        return self._counts.get(key, 0)

    def difference(self, one: Key, other: Key) -> float:
        """Of the expected errors, the first minus the second."""
        return float((self._of(one) - self._of(other)).mean())

    def interval(self, one: Key, other: Key, statements: int = 1) -> Interval | None:
        """95 % interval of it, for so many statements together."""
        return _quantiles(self._of(one) - self._of(other), statements)

    def interval_to(self, key: Key, value: float, seeds: int, further: float) -> Interval | None:
        """95 % interval of the difference to a published error; `further`: variance that the model does not tell."""
        low, high = self.range(key)
        middle, more = self.middle(key), 1.96**2 * further
        below, above = np.sqrt((middle - low) ** 2 + more), np.sqrt((high - middle) ** 2 + more)
        return middle - value - float(below), middle - value + float(above)

    def draws(self, keys: Sequence[Key], generator: np.random.Generator, count: int) -> Floats | None:
        """(S, len(keys)): the model's own draws."""
        return np.stack([self._of(key) for key in keys], axis=1)


def _quantiles(values: Floats, statements: int = 1) -> Interval:
    tail = 0.025 / statements
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def fit_of_ends(
    material: Material, configurations: Sequence[Configuration], seconds: Mapping[int, float]
) -> tuple[CurveFit | None, str]:
    """(the fit that tells ends, or None; why it cannot), by the same rules and audit as the report."""
    record = curves_on_record(material)
    if record.table is None:
        return None, record.why_not
    if why := why_no_ends(record.table):
        return None, why
    told = model_of(material, configurations, error_map_of(material, configurations), seconds)
    if not told.at_end:
        return None, told.why_not
    return fit(record.table, SEED, draws_of(record.table)), ""


def setting_of(chosen: CurveFit, place: int, wanted: Mapping[str, object]) -> Setting | None:
    """What a trial was trained with, moved to the paper's values within those seen; None if it is not in the fit.

    Args:
        chosen: the fit.
        place: of a trial of the network, in the material.
        wanted: the paper's value of each hyperparameter.
    """
    own = next((each for each in chosen.table.trials if each.trial == str(place)), None)
    if own is None:
        return None
    setting = dict(own.hyperparameters)
    for name, axis in chosen.observations.design.axes.items():
        value = wanted.get(name)
        if value is None or name in ("depth", "widen_factor", "block", "deepening_factor", "family"):
            continue
        if axis.levels:
            text = value if isinstance(value, str) else f"{value:g}"
            setting[name] = text if text in axis.levels else setting[name]
        elif isinstance(value, int | float) and _lies_within(axis.scale, float(value), axis.low, axis.high):
            setting[name] = float(value)
    return setting


def is_within(chosen: CurveFit, name: str, value: float) -> bool:
    """Whether a numeric hyperparameter was searched, and on both sides of a value (or a little beside it)."""
    axis = chosen.observations.design.axes.get(name)
    return axis is not None and not axis.levels and _lies_within(axis.scale, value, axis.low, axis.high)


def _lies_within(scale: str, value: float, low: float, high: float) -> bool:
    """Whether a value is on the scale and among those seen, or a tenth of their range beside them."""
    if scale in ("log2", "log10") and value <= 0:
        return False
    near = _BESIDE * (high - low)
    return low - near <= on_scale(value, scale) <= high + near  # type: ignore[arg-type]
