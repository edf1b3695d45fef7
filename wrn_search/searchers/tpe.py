"""Searcher `tpe`: Optuna's tree-structured Parzen estimator, each hyperparameter by itself.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (NIPS 2011), section 4.
"""

from __future__ import annotations

from wrn_search.searchers.searcher import SearchedSpace, Searcher, SearcherKind


def _make(space: SearchedSpace) -> Searcher:
    from optuna.samplers import TPESampler

    from wrn_search.searchers.optuna_sampler import OptunaSearcher

    # constant_liar: trials that still run count as bad ones, so that those proposed meanwhile lie elsewhere.
    return OptunaSearcher(space, lambda seed: TPESampler(seed=seed, constant_liar=True), together=False)


TPE = SearcherKind(_make, learns=True, can_be_warm_started=True)
