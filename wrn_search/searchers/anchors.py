"""Anchors: configurations that are drawn at random before any result, spread over the networks, and never stopped.

They check what is predicted of stopped trials (do the ends lie in their intervals?) and are no choice of the search: a
rank correlation or a mean over them has no survivors' bias (rule 5 of an honest search).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

from wrn_search.searchers.searcher import Hparams, SearchedSpace
from wrn_search.searchers.uniform_draws import UniformDraws
from wrn_search.searchers.untried import Untried
from wrn_search.seeds import derived_seed
from wrn_search.space.domains import Scalar, finite_values


def anchor_share(
    share: float, of_epochs: float, rungs: Sequence[int], reduction_factor: int, epochs: int
) -> float:
    """`search.anchors` as a share of the configurations: lower where that many would cost more than they may.

    A whole training costs many times what a search with early rungs spends on a configuration: one in ten would take
    most of its epochs. What anchors cost beyond other configurations is a share of all epochs, as planned: one
    configuration in `reduction_factor` goes on at each rung.

    Args:
        share: `search.anchors`, 0 to 0.5.
        of_epochs: `search.anchor_epochs`, the most that they may cost beyond others; 1 for whatever it comes to.
        rungs: epochs at which trials are compared, rising, below `epochs`; without any there are no anchors.
        reduction_factor: one in so many goes on.
        epochs: of a whole training.
    """
    if not rungs:
        return 0.0
    if of_epochs == 1:
        return share
    stretches = (after - before for before, after in itertools.pairwise((0, *rungs, epochs)))
    mean = sum(stretch / float(reduction_factor) ** place for place, stretch in enumerate(stretches))
    return min(share, of_epochs / (1 - of_epochs) * mean / (epochs - mean))


def anchors_of(share: float, configurations: int) -> int:
    """How many of so many configurations are anchors: one in each whole stretch of 1 / share."""
    return int(configurations * share)


class Anchors:
    """Which configurations are anchors, and what they are; both follow from `search.seed` alone.

    One in each stretch of 1 / share configurations, at a random place of it: so a search that is extended has its share
    of further ones. Networks (cells of depth and widening factor) are taken in a random order, each once before any
    comes again; all else is drawn from its domain.

    Args:
        space: what is searched; the points that are tried first are no anchors, and stretches begin after them.
        share: of the configurations, 0 to 1.
    """

    def __init__(self, space: SearchedSpace, share: float):
        self._space, self._share = space, share
        self._untried = Untried(space)
        self._draws = UniformDraws(space.hyperparameters)
        self._found: dict[int, int] = {}  # stretch -> its anchor: each configuration asks for three

    def place(self, configuration: int) -> int | None:
        """The how manieth anchor a configuration is, from 0; None for those that are none."""
        configuration -= len(self._space.points)
        if self._share <= 0 or configuration < 0:
            return None
        first = int(configuration * self._share)
        return next(
            (k for k in (first - 1, first, first + 1) if k >= 0 and self._at(k) == configuration), None
        )

    def draw(self, configuration: int) -> Hparams | None:
        """The hyperparameters of an anchor; None when the space has run out.

        In a finite space whose part with its network has run out it lies in another one.
        """
        place = self.place(configuration)
        assert place is not None, configuration
        cell = self.cell(place)
        return self._untried.draw(configuration, lambda seed: self._draws.at(seed) | cell)

    def proposed(self, hparams: Hparams) -> None:
        """It is tried from now on: no anchor is proposed twice."""
        self._untried.take(hparams)

    def cell(self, place: int) -> dict[str, Scalar]:
        """The network of an anchor: depth and widening factor, as far as they are searched and finite."""
        axes = [
            (name, values)
            for name in self._space.cell
            if name in self._space.hyperparameters
            and (values := finite_values(self._space.hyperparameters[name])) is not None
        ]
        cells: list[dict[str, Scalar]] = [{}]
        for name, values in axes:
            cells = [cell | {name: value} for cell in cells for value in values]
        turn, index = divmod(place, len(cells))
        random.Random(derived_seed(self._space.seed, "anchor cells", turn)).shuffle(cells)
        return cells[index]

    def _at(self, place: int) -> int:
        """The configuration that is an anchor in a stretch."""
        if place not in self._found:
            first, after = (math.ceil(edge / self._share) for edge in (place, place + 1))
            self._found[place] = first + derived_seed(self._space.seed, "anchor", place) % (after - first)
        return self._found[place]
