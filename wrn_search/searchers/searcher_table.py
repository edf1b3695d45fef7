"""The searchers of `search.searcher`, a line each: the space file's names and rules come from here."""

from __future__ import annotations

from wrn_search.searchers.curves_searcher import CURVES
from wrn_search.searchers.grid_search import GRID
from wrn_search.searchers.random_search import RANDOM
from wrn_search.searchers.searcher import SearcherKind
from wrn_search.searchers.tpe import TPE

SEARCHERS: dict[str, SearcherKind] = {"random": RANDOM, "grid": GRID, "tpe": TPE, "curves": CURVES}


def names_of(*, learns: bool | None = None, can_be_warm_started: bool | None = None) -> list[str]:
    """The searchers of a kind, for messages: all that have each given attribute."""
    wanted = {"learns": learns, "can_be_warm_started": can_be_warm_started}
    return [
        name
        for name, kind in SEARCHERS.items()
        if all(value is None or getattr(kind, key) is value for key, value in wanted.items())
    ]
