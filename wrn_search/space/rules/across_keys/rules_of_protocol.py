"""Rules of `protocol: test_each`: what trains a list of networks and reads their test errors may not search by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.searchers.searcher_table import SEARCHERS, in_words
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.rules.broken_rule import Broken, Path
from wrn_search.space.space import Space

_PROTOCOL: Path = ("protocol",)


def _nothing_is_searched(space: Space) -> Iterator[Broken]:
    """A grid, or points that are the whole space: whatever comes out, the same networks are trained."""
    kind, name = SEARCHERS[space.search.searcher], space.search.searcher
    is_list = isinstance(space.axes, ListedPoints) or not space.hyperparameters
    if not space.tests_each or kind.needs_finite_space or (is_list and not kind.learns):
        return
    lists = in_words([each for each, other in SEARCHERS.items() if other.needs_finite_space], "or")
    reads: tuple[Path, ...] = (
        ("search", "searcher"),
        _PROTOCOL,
        ("search", "points"),
        ("model",),
        ("training",),
    )
    why = (
        "no searcher may choose by a test error" if kind.learns else "a published table is a list of networks"
    )
    rule = f"must be {lists} with protocol: test_each, or search.points the whole space ({why})"
    yield Broken(reads[0], f"{rule}, but got searcher: {name}", reads)


def _nothing_is_stopped(space: Space) -> Iterator[Broken]:
    if space.tests_each and space.search.scheduler != "none":
        reads: tuple[Path, ...] = (("search", "scheduler"), _PROTOCOL)
        rule = "must be none with protocol: test_each: each network is tested at its end, and none is validated before"
        yield Broken(reads[0], f"{rule}, but got {space.search.scheduler}", reads)


def _nothing_is_traded(space: Space) -> Iterator[Broken]:
    if space.tests_each and len(space.objectives) > 1:
        reads: tuple[Path, ...] = (("objectives",), _PROTOCOL)
        rule = "must be [val_error] with protocol: test_each, whose networks are a list that nothing is chosen from"
        yield Broken(reads[0], f"{rule}, but got {', '.join(space.objectives)}", reads)


def _nothing_is_decided(space: Space) -> Iterator[Broken]:
    if space.tests_each and space.search.stop_when is not None:
        reads: tuple[Path, ...] = (("search", "stop_when"), _PROTOCOL)
        rule = "is for a search by validation errors, and with protocol: test_each there are none"
        yield Broken(reads[0], f"{rule}, but got stop_when: {space.search.stop_when}", reads)


RULES_OF_PROTOCOL: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _nothing_is_searched,
    _nothing_is_stopped,
    _nothing_is_decided,
    _nothing_is_traded,
)
