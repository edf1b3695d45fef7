"""Searcher `tpe`: Optuna's tree-structured Parzen estimator, each hyperparameter by itself.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (NIPS 2011), section 4.
"""

from __future__ import annotations

from wrn_search.searchers.searcher import SearchedSpace, Searcher, SearcherKind

_DRAWN_AT_RANDOM = 10  # Optuna's default, running trials counted


def _make(space: SearchedSpace) -> Searcher:
    from optuna.samplers import TPESampler

    from wrn_search.searchers.optuna_sampler import OptunaSearcher

    # constant_liar: trials that still run count as bad ones, so that those proposed meanwhile lie elsewhere.
    def sampler(seed: int) -> TPESampler:
        return TPESampler(seed=seed, constant_liar=True, n_startup_trials=_DRAWN_AT_RANDOM)

    return OptunaSearcher(space, sampler, together=False)


TPE = SearcherKind(_make, learns=True, drawn_at_random=_DRAWN_AT_RANDOM, can_be_warm_started=True)
