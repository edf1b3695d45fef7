"""Searcher `random`: independent draws from every domain, none twice."""

from __future__ import annotations

from wrn_search.searchers.searcher import Curve, Hparams, Outcome, SearchedSpace, SearcherKind
from wrn_search.searchers.untried import Untried


class RandomSearcher:
    """Independent draws from every domain, none twice."""

    def __init__(self, space: SearchedSpace):
        from wrn_search.searchers.uniform_draws import UniformDraws

        self._untried = Untried(space)
        self._draws = UniformDraws(space.hyperparameters)

    def propose(self, configuration: int) -> Hparams | None:
        """A draw that was not tried before."""
        return self._untried.draw(configuration, self._draws.at)

    def proposed(self, configuration: int, hparams: Hparams) -> None:
        """It is not drawn again."""
        self._untried.take(hparams)

    def told(self, configuration: int, outcome: Outcome) -> None:
        """Draws learn nothing."""

    def known(self, source: str, hparams: Hparams, curve: Curve, full: bool) -> None:
        """Draws learn nothing."""


RANDOM = SearcherKind(RandomSearcher)
