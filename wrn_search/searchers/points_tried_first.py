"""Configurations that a person asks for: they are tried before the searcher proposes its own."""

from __future__ import annotations

from wrn_search.searchers.searcher import Hparams, SearchedSpace
from wrn_search.seeds import derived_seed


class PointsTriedFirst:
    """The points of a space that are not on record yet, in their order.

    What a point does not say is drawn at random, by (search.seed, its place in the list). So it is the same in every
    session, and a search that is resumed with a longer list tries the further ones next.

    Args:
        space: what is searched.
    """

    def __init__(self, space: SearchedSpace):
        self._left: list[Hparams] = []
        for place, point in enumerate(space.points):
            whole = _whole(space, place, point)
            if whole not in self._left:
                self._left.append(whole)

    def next(self) -> Hparams | None:
        """The next one; None when all are tried."""
        return self._left[0] if self._left else None

    def proposed(self, point: Hparams) -> None:
        """It is tried from now on, whoever proposed it."""
        if point in self._left:
            self._left.remove(point)


def _whole(space: SearchedSpace, place: int, point: Hparams) -> Hparams:
    """The point with a value on every axis."""
    if point.keys() == space.hyperparameters.keys():
        return space.canonical({name: point[name] for name in space.hyperparameters})
    from wrn_search.searchers.uniform_draws import UniformDraws

    drawn = UniformDraws(space.hyperparameters).at(derived_seed(space.seed, "point", place))
    return space.canonical(drawn | point)
