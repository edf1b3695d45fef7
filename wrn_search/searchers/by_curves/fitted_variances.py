"""Variances of the curve model while a search runs: those believed at first, then what its values make likeliest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

import numpy as np

from wrn_search.curve_process.values_that_count import Told, next_count
from wrn_search.curves.curve_fit import learned
from wrn_search.curves.curve_likelihood import Observations, Variances, count_variance
from wrn_search.curves.curve_parameters import Parameters
from wrn_search.curves.design_columns import Array
from wrn_search.curves.likeliest_variances import likeliest
from wrn_search.curves.observed_curves import CurveTrial
from wrn_search.searchers.by_curves.model_of_space import ModelOfSpace

MOST_FITTED = 96  # configurations
_ITERATIONS = 12
_DIGITS = 6  # of what was found: the last bits of a sum must not decide
_WRONG_AT_FIRST = 0.3  # of what is wrong by chance: an error to count the noise of, before one is seen
_LATEST = 1024  # values whose median says what is counted

# (configuration, epoch -> error in percent) -> its curve at the rungs
AsTrial: TypeAlias = Callable[[int, Mapping[int, float]], CurveTrial]
_Any = TypeVar("_Any")


class FittedVariances:
    """Looked for at counts of values that are set beforehand, from where they were found before.

    Args:
        model: of the space.
        as_trial: how the model sees a configuration.
    """

    def __init__(self, model: ModelOfSpace, as_trial: AsTrial):
        self._model, self._as_trial = model, as_trial
        bare = model.observations(())
        self._parameters = Parameters(bare)
        self._count, self._standard = 0, np.zeros(len(self._parameters.centre))
        self._believed = self._parameters.variances(self._parameters.centre)

    def by(self, told: Sequence[Told]) -> Variances:
        """By the values told so far."""
        while (count := next_count(self._count)) <= len(told):
            self._count = count
            if (of := self._observations(told[:count])) is not None:
                self._standard = np.round(likeliest(Parameters(of), self._standard, _ITERATIONS), _DIGITS)
                at = self._parameters.centre + self._parameters.width * self._standard
                self._believed = self._parameters.variances(at)
        return self._believed

    def _observations(self, told: Sequence[Told]) -> Observations | None:
        """Of those that learned, evenly over the search; None where there is none."""
        values: dict[int, dict[int, float]] = {}
        for each in told:
            values.setdefault(each.configuration, {})[each.epoch] = each.error
        trials = [self._as_trial(number, each) for number, each in values.items()]
        useful = [each for each in trials if learned(each, self._model.table)]
        return self._model.observations(evenly(useful, MOST_FITTED)) if useful else None


def counting_noise(of: Observations, told: Sequence[Told]) -> Array:
    """(J,) variance of log-odds by counting, at the median error of each rung; where none was seen as before it."""
    last = _WRONG_AT_FIRST * of.most
    wrong = []
    for epoch in of.epochs:
        seen = [each.error for each in told[-_LATEST:] if each.epoch == epoch and np.isfinite(each.error)]
        last = min(float(np.median(seen)) / 100 * of.images, of.most) if seen else last
        wrong.append(last)
    return count_variance(np.array(wrong), of.images, of.most)


def evenly(all_of_them: Sequence[_Any], most: int) -> list[_Any]:
    """At most so many, evenly over their order."""
    places = np.linspace(0, len(all_of_them) - 1, min(most, len(all_of_them))).round().astype(int)
    return [all_of_them[place] for place in np.unique(places)]
