"""A searcher around an algorithm that learns from places: ten draws at random, then what the algorithm draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from wrn_search.searchers.samplers.ends_by_worth import EndsByWorth
from wrn_search.searchers.searcher import Curve, Full, Hparams, Outcome, Pruned, SearchedSpace, SearcherKind
from wrn_search.searchers.untried import Untried

DRAWN_AT_RANDOM = 10  # as TPE has it; of other searches' findings each counts as one
Draw: TypeAlias = Callable[[int], Hparams]  # seed -> a point


class Algorithm(Protocol):
    """Draws by what is known. Nothing of it changes with a question, so a record that is replayed leads to the same."""

    def heard(self, ends: EndsByWorth) -> None:
        """A configuration has ended, or waits, or is known to have crashed."""

    def drawing(self, ends: EndsByWorth, configuration: int, is_new: Callable[[Hparams], bool]) -> Draw:
        """How the next configuration is drawn.

        Args:
            ends: what is known; at least `DRAWN_AT_RANDOM` have a value.
            configuration: its number.
            is_new: whether a point, or what it stands for, was not tried before.
        """


class RankedSearcher:
    """Keeps what is known, and what was tried; asks the algorithm.

    Args:
        space: what is searched.
        make: the algorithm for it.
    """

    def __init__(self, space: SearchedSpace, make: Callable[[SearchedSpace], Algorithm]):
        from wrn_search.searchers.uniform_draws import UniformDraws

        self._space = space
        self._untried = Untried(space)
        self._uniform = UniformDraws(space.hyperparameters)
        self._ends = EndsByWorth()
        self._algorithm = make(space)

    def propose(self, configuration: int) -> Hparams | None:
        """A configuration that was not tried before."""
        if self._ends.count < DRAWN_AT_RANDOM or self._untried.none_is_left:
            return self._untried.draw(configuration, self._uniform.at)
        draw = self._algorithm.drawing(self._ends, configuration, self._untried.is_new)
        return self._untried.draw(configuration, draw)

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """It runs from now on."""
        self._untried.take(hparams)
        self._ends.began(configuration, hparams)

    def told(self, configuration: int, outcome: Outcome) -> None:
        """Full values and early ends have a place; crashes do not count."""
        match outcome:
            case Full(val_error):
                self._ends.ended(configuration, {0: val_error}, full=True)
            case Pruned(curve):
                self._ends.ended(configuration, curve, full=False)
            case _:
                self._ends.crashed(configuration)
        self._algorithm.heard(self._ends)

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """Counts beside what was found here: these configurations were never asked for, and may be tried again."""
        self._ends.found_elsewhere(source, hparams, curve, full=full)


def ranked_kind(
    make: Callable[[SearchedSpace], Algorithm], *, needs_order: bool = False, goes_by_places: bool = False
) -> SearcherKind:
    """The line of the table of an algorithm."""
    return SearcherKind(
        lambda space: RankedSearcher(space, make),
        learns=True,
        drawn_at_random=DRAWN_AT_RANDOM,
        can_be_warm_started=True,
        needs_order=needs_order,
        goes_by_places=goes_by_places,
    )
