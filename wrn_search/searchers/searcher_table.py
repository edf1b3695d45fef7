"""The searchers of `search.searcher`, a line each: the space file's names and rules come from here."""

from __future__ import annotations

from collections.abc import Sequence

from wrn_search.plugins import plugged
from wrn_search.searchers.by_curves.curves_searcher import CURVES
from wrn_search.searchers.grid_search import GRID
from wrn_search.searchers.random_search import RANDOM
from wrn_search.searchers.samplers.cma_es import CMAES
from wrn_search.searchers.samplers.genetic import NSGA2
from wrn_search.searchers.samplers.gp_search import GP
from wrn_search.searchers.samplers.quasi_random import QMC
from wrn_search.searchers.searcher import SearchedSpace, Searcher, SearcherKind
from wrn_search.searchers.searcher_by_places import SearcherByPlaces
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
SEARCHERS |= plugged("searchers", SearcherKind, SEARCHERS)


def searcher_of(kind: SearcherKind, space: SearchedSpace) -> Searcher:
    """The searcher of a kind; with several objectives it hears of places instead of errors, where it learns."""
    if space.several_objectives and kind.learns:
        return SearcherByPlaces(space, kind.make)
    return kind.make(space)


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
