"""The searchers of `search.searcher`, a line each: the space file's names and rules come from here."""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.searchers.by_curves.curves_searcher import CURVES
from wrn_search.searchers.grid_search import GRID
from wrn_search.searchers.random_search import RANDOM
from wrn_search.searchers.samplers.cma_es import CMAES
from wrn_search.searchers.samplers.genetic import NSGA2
from wrn_search.searchers.samplers.gp_search import GP
from wrn_search.searchers.samplers.quasi_random import QMC
from wrn_search.searchers.searcher import SearcherKind
from wrn_search.searchers.tpe import TPE

SEARCHERS: dict[str, SearcherKind] = {
    "random": RANDOM,
    "grid": GRID,
    "tpe": TPE,
    "gp": GP,
    "nsga2": NSGA2,
    "cmaes": CMAES,
    "qmc": QMC,
    "curves": CURVES,
}


def names_of(*, learns: bool | None = None, can_be_warm_started: bool | None = None) -> list[str]:
    """The searchers of a kind, for messages: all that have each given attribute."""
    wanted = {"learns": learns, "can_be_warm_started": can_be_warm_started}
    return [
        name
        for name, kind in SEARCHERS.items()
        if all(value is None or getattr(kind, key) is value for key, value in wanted.items())
    ]


def in_words(names: Sequence[str], last: str) -> str:
    """`tpe, gp and cmaes`, with `last` before the last."""
    *others, final = names
    return f"{', '.join(others)} {last} {final}" if others else final
