"""Searcher `random`: independent draws from every domain, none twice."""

from __future__ import annotations

from wrn_search.searchers.searcher import SearchedSpace, Searcher, SearcherKind


def _make(space: SearchedSpace) -> Searcher:
    from optuna.samplers import RandomSampler

    from wrn_search.searchers.optuna_sampler import OptunaSearcher

    return OptunaSearcher(space, lambda seed: RandomSampler(seed=seed), together=False)


RANDOM = SearcherKind(_make)
