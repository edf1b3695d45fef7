"""The same fit told of other trials: a sample gives the coefficients, each trial's own curve its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from wrn_search.analysis.curve_model.table_of_curves import MOST, curves_on_record
from wrn_search.analysis.input_tables.configurations import Configuration
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.curves.curve_fit import CurveFit, arrays_of, learned
from wrn_search.curves.ends.ends_of_trials import PredictedEnd, ends_of_trials
from wrn_search.curves.observed_curves import CurveTrial

_CANDIDATES = 200  # configurations of the lowest errors, among which the winner is looked for


def told_of(fit: CurveFit, trials: Sequence[CurveTrial]) -> CurveFit | None:
    """The fit with the observations of these trials; None if none of them learned and was seen at its epochs.

    Repeats that are not among them say nothing here.
    """
    of = fit.observations
    chosen = tuple(each for each in trials if learned(each, fit.table) and set(each.epochs) & set(of.epochs))
    if not chosen:
        return None
    spreads = {trial.trial: float(value) for trial, value in zip(fit.trials, of.spread, strict=True)}
    spread = np.array([spreads.get(trial.trial, 1.0) for trial in chosen])
    observations = replace(arrays_of(chosen, fit.table, of.epochs, of.design, of.centre), spread=spread)
    table = replace(fit.table, trials=tuple(trials))
    return replace(fit, table=table, observations=observations, trials=chosen)


class Beyond:
    """All trials of a search of which a sample was fitted."""

    def __init__(self, fit: CurveFit, material: Material, configurations: Sequence[Configuration]):
        table = curves_on_record(material, most=None).table
        assert table is not None, "the sample had one"
        self._fit = fit
        self._trials = sorted(table.trials, key=lambda each: each.configuration)
        lowest = sorted(configurations, key=lambda each: (each.mean, each.number))[:_CANDIDATES]
        self._lowest = {each.trial for each in lowest}

    def candidates(self) -> CurveFit:
        """Told of the configurations with the lowest errors."""
        chosen = {each.configuration for each in self._trials if int(each.trial) in self._lowest}
        found = told_of(self._fit, [each for each in self._trials if each.configuration in chosen])
        return found or self._fit

    def ends(self) -> Iterator[PredictedEnd]:
        """Predictions of the trials without an end, `MOST` at a time, each time beside the known ends of the sample.

        What these ask of predicted ones holds for all.
        """
        known = [each for each in self._fit.trials if each.status == "completed"]
        without = [each for each in self._trials if each.status != "completed"]
        for start in range(0, len(without), MOST):
            part = told_of(self._fit, [*known, *without[start : start + MOST]])
            ends = ends_of_trials(part) if part else ()
            yield from (each for each in ends if each.measured is None)
