"""Importance of each hyperparameter for the error at full epochs: fANOVA, from Optuna's library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wrn_search.analysis.details import Importance
from wrn_search.analysis.material import Material
from wrn_search.analysis.optuna_export import distribution_of
from wrn_search.analysis.slices import native

if TYPE_CHECKING:
    import pandas as pd
    from optuna.distributions import BaseDistribution

SEED = 0
LEAST = 4  # completed trials: below, a forest has nothing to split
TRUSTED_PER_HYPERPARAMETER = 10
# A forest of Optuna costs trees * trials^2: these take about a second, and 1,000 trials in 64 trees a minute.
MOST = 300  # trials given to the forest, an even choice by error
TREES = 32


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
        rows.dropna(subset=varying), {name: distribution_of(material, rows, name) for name in varying}
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
