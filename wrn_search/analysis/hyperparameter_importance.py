"""Importance of each hyperparameter: its share of what all of them do to the error, by the curve model.

fANOVA over the completed trials stood here. What early stopping leaves is chosen by its error: in simulated searches
width's share fell from 0.92 to 0.25 so, and the first place was wrong in 3 of 12. The model has every trial in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wrn_search.analysis.curve_model.model_values import CurveModel, ProductShare
from wrn_search.analysis.hyperparameter_slices import is_log, native
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.input_tables.shared_values import Interval

if TYPE_CHECKING:
    import pandas as pd
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True)
class Importance:
    """Shares of the variance of the log-odds of an error that each hyperparameter explains alone."""

    shares: dict[str, float]  # sums to 1; highest first; empty if it cannot be told
    n: int  # trials behind it
    warning: str  # why there is none, or after which epoch it holds; empty if there is nothing to say
    others: int  # ended trials that could not be counted
    intervals: dict[str, Interval] = field(default_factory=dict)  # of the shares
    products: tuple[
        ProductShare, ...
    ] = ()  # beside them, not among them: a product says what its factors say


def importance_of(material: Material, model: CurveModel) -> Importance:
    """Each drawn evenly over the values tried, so that shares do not follow from where the search looked."""
    others = len(material.ended) - min(model.trials, len(material.ended))
    if not model.importance:
        why = model.why_not if model.epoch is None else "no hyperparameter differs between the trials"
        return Importance({}, model.trials, why, others)
    shares = {each.name: each.share for each in model.importance}
    shares |= {name: 0.0 for name in material.hyperparameters if name not in shares}
    return Importance(
        shares=shares,
        n=model.trials,
        warning="" if model.at_end else f"it holds after epoch {model.epoch}, not at the end",
        others=others,
        intervals={each.name: (each.low, each.high) for each in model.importance},
        products=model.products,
    )


_INTEGERS = frozenset({"depth", "batch_size", "deepening_factor"})


def distribution_of_values(material: Material, rows: pd.DataFrame, name: str) -> BaseDistribution:
    """A distribution that holds every value of the rows: spaces of several searches may differ, or be lost."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    values = sorted(
        {native(value) for value in rows[name].dropna()}, key=lambda value: (str(type(value)), value)
    )
    if any(isinstance(value, str) for value in values):
        return CategoricalDistribution(values)
    low, high = float(min(values)), float(max(values))
    if name in _INTEGERS:
        return IntDistribution(int(low), int(high))
    return FloatDistribution(low, high, log=is_log(material, name) and low > 0)
