"""The rivals, a line each: search methods of other makes, and those that whoever claims anything must beat."""

from __future__ import annotations

from functools import partial

from benchmarks.rivals.optuna_rivals import OptunaSearch, hyperband, median, successive_halving
from benchmarks.rivals.random_rivals import IEpoch, PromotingAsha, RandomSearch
from benchmarks.rivals.ray_rival import RaySearch
from wrn_search.replay.methods import MakeRival

RIVALS: dict[str, MakeRival] = {
    "ray": RaySearch,
    "optuna-tpe+sha": partial(OptunaSearch, successive_halving),
    "optuna-tpe+hyperband": partial(OptunaSearch, hyperband),
    "optuna-tpe+median": partial(OptunaSearch, median),
    "random": RandomSearch,
    "random+asha*": PromotingAsha,
    "i-epoch": IEpoch,  # i = 1, the paper's surprise
    "i-epoch-tenth": partial(IEpoch, share=0.1),  # a tenth of a whole training
}
