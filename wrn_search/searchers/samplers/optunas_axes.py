"""A space as Optuna's samplers with a model or genes see it: an order where there is one, and every axis always there.

Of an axis that does not apply to a configuration (`when:`) a value must be told all the same: whatever `idle` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wrn_search.searchers.samplers.unit_axes import UnitAxis, unit_axes
from wrn_search.searchers.searcher import Hparams, SearchedSpace

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

_MOST_STEPS = 64  # values of an axis that is told as steps; of more it is told as a continuous one


class OptunasAxes:
    """Points as parameters of Optuna's trials, and back; axes with one value are left out."""

    def __init__(self, space: SearchedSpace):
        import optuna

        optuna.logging.set_verbosity(
            optuna.logging.ERROR
        )  # else it tells of every study that is made, and more
        self._axes = unit_axes(space)
        self._idle = space.idle
        self.distributions: dict[str, BaseDistribution] = {
            name: _distribution(axis) for name, axis in self._axes.items() if not axis.is_fixed
        }

    def point(self, params: Mapping[str, Any]) -> Hparams:
        """The point of a trial's parameters."""
        return {
            name: axis.value(0.5) if axis.is_fixed else _value(axis, params[name])
            for name, axis in self._axes.items()
        }

    def trial(self, hparams: Hparams, idle: Hparams, value: float | None) -> FrozenTrial:
        """A trial with this value, or one that runs.

        Args:
            hparams: of the configuration.
            idle: what is told of axes that do not apply to it.
            value: that is minimised; None while it runs.
        """
        import optuna

        out = self._idle(hparams)
        point = {name: idle[name] if name in out else hparams[name] for name in self.distributions}
        return optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING if value is None else optuna.trial.TrialState.COMPLETE,
            value=value,
            params={name: _param(self._axes[name], point[name]) for name in point},
            distributions=self.distributions,
        )

    def middle(self) -> Hparams:
        """The point in the middle of all axes."""
        return {name: axis.value(0.5) for name, axis in self._axes.items()}


def _distribution(axis: UnitAxis) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if axis.values is None or (len(axis.values) > _MOST_STEPS and axis.ordered):
        return FloatDistribution(0.0, 1.0)
    if axis.ordered:
        return IntDistribution(0, len(axis.values) - 1)
    return CategoricalDistribution(tuple(axis.values))


def _param(axis: UnitAxis, value: Any) -> Any:
    if axis.values is None or (len(axis.values) > _MOST_STEPS and axis.ordered):
        return axis.share(value)
    return axis.values.index(value) if axis.ordered else value


def _value(axis: UnitAxis, param: Any) -> Any:
    if axis.values is None or (len(axis.values) > _MOST_STEPS and axis.ordered):
        return axis.value(float(param))
    return axis.values[round(param)] if axis.ordered else param
