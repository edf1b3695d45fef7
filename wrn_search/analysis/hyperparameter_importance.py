"""Importance of each hyperparameter for the error at full epochs: fANOVA, from Optuna's library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wrn_search.analysis.hyperparameter_slices import is_log, native
from wrn_search.analysis.input_tables.joined_tables import Material

if TYPE_CHECKING:
    import pandas as pd
    from optuna.distributions import BaseDistribution

if TYPE_CHECKING:
    import pandas as pd
    from optuna.distributions import BaseDistribution

SEED = 0
LEAST = 4  # completed trials: below, a forest has nothing to split
TRUSTED_PER_HYPERPARAMETER = 10
# A forest of Optuna costs trees * trials^2: these take about a second, and 1,000 trials in 64 trees a minute.
MOST = 300  # trials given to the forest, an even choice by error
TREES = 32


@dataclass(frozen=True)
class Importance:
    """Shares of the variance of the error at full epochs that each hyperparameter explains alone (fANOVA)."""

    shares: dict[str, float]  # sums to 1; highest first; empty if it cannot be told
    n: int  # completed trials behind it
    warning: str  # empty if there is nothing to warn of
    others: int  # ended trials that could not be counted


def importance_of(material: Material) -> Importance:
    """Shares of the variance of the error that each hyperparameter explains alone, by a seeded forest.

    Hutter, Hoos & Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance" (ICML 2014). Only
    completed trials have an error at full epochs; one that diverged would count with chance and drown the others.
    """
    rows = material.completed.sort_values(["val_error", "number"])
    n, others = len(rows), len(material.ended) - len(rows)
    varying = [name for name in material.hyperparameters if rows[name].nunique(dropna=True) > 1]
    reason = _why_not(rows, varying)
    if reason:
        return Importance(shares={}, n=n, warning=reason, others=others)
    if n > MOST:
        rows = rows.iloc[np.unique(np.linspace(0, n - 1, MOST).round().astype(int))]
    shares = _fanova(
        rows.dropna(subset=varying), {name: distribution_of_values(material, rows, name) for name in varying}
    )
    shares |= {name: 0.0 for name in material.hyperparameters if name not in shares}
    return Importance(shares=shares, n=n, warning=_warning(material, n, len(varying), others), others=others)


def _why_not(rows: pd.DataFrame, varying: list[str]) -> str:
    if len(rows) < LEAST:
        return f"at least {LEAST} trials must have reached their last epoch, but {len(rows)} have"
    if not varying:
        return "no hyperparameter differs between the trials that reached their last epoch"
    if rows["val_error"].nunique() == 1:
        return "all trials that reached their last epoch have the same error"
    return ""


def _warning(material: Material, n: int, hyperparameters: int, others: int) -> str:
    said = []
    if n < (needed := TRUSTED_PER_HYPERPARAMETER * hyperparameters):
        said.append(
            f"{n} trials are few for {hyperparameters} hyperparameters: below {needed}, shares are chance"
        )
    if any(source.adaptive is not False for source in material.sources):
        said.append("an adaptive search samples good regions more, so shares describe its neighbourhood")
    if others:
        said.append(f"{others} trials that were stopped, diverged or failed have no error at full epochs")
    return "; ".join(said)


def _fanova(rows: pd.DataFrame, distributions: dict[str, BaseDistribution]) -> dict[str, float]:
    """Share by name, the highest first."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=SEED))
    values = rows[[*distributions, "val_error"]].to_dict("records")
    study.add_trials(
        [
            optuna.create_trial(
                params={name: native(row[name]) for name in distributions},
                distributions=distributions,
                value=float(row["val_error"]),
            )
            for row in values
        ]
    )
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=SEED, n_trees=TREES)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    found = {str(name): float(share) for name, share in shares.items()}
    return found if all(np.isfinite(list(found.values()))) else {}


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
