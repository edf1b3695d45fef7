"""What a played search proposes: draws at random, as nobody knows before which configurations one that learns finds."""

from __future__ import annotations

import math
import random

from wrn_search.decisions.rung_epochs import anchor_share_of
from wrn_search.results.events import Event, Proposed
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import TrialState
from wrn_search.schedulers.scheduler import New
from wrn_search.searchers.anchors import Anchors
from wrn_search.searchers.grid_search import GridSearcher
from wrn_search.searchers.searcher import Hparams
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig


class DrawnPlan:
    """Proposes at random, or the points of a space that is tried as a whole.

    Which configurations a searcher that learns finds, nobody knows before.
    """

    reads_test_split = False
    outside = 0
    curves = None

    def __init__(self, space: Space, rows: int, generator: random.Random):
        self._space = space
        self._configurations = rows // space.search.repeats
        self._generator = generator
        self._searched = space.searched
        self._anchors = Anchors(self._searched, anchor_share_of(space))
        whole = space.size is not None and space.size <= self._configurations
        self.enumerates = whole or SEARCHERS[space.search.searcher].needs_finite_space
        self._grid = GridSearcher(self._searched)

    def is_anchor(self, configuration: int) -> bool:
        """As in the search."""
        return self._anchors.place(configuration) is not None

    def propose(
        self, state: SearchState, configuration: int, repeat: int
    ) -> tuple[Hparams, TrialConfig] | None:
        """A configuration, or a further repeat of the last one."""
        if repeat:
            first = state.trials[len(state.trials) - 1]
            return first.hparams, TrialConfig.from_dict(first.config)
        if configuration >= self._configurations:
            return None
        axes = self._searched.hyperparameters
        point: Hparams | None = {name: _drawn(domain, self._generator) for name, domain in axes.items()}
        if self.enumerates:
            point = self._grid.propose(configuration)
        if point is None:
            return None
        hparams = self._space.hparams_at(point)
        return hparams, self._space.trial_config(hparams, 0, precision="fp32", compile="off")

    def learn(self, event: Event, state: SearchState) -> None:
        """Which points of a space that is tried as a whole are taken."""
        if self.enumerates and isinstance(event, Proposed) and event.repeat == 0:
            point = self._space.point_of(event.hparams)
            assert point is not None, event
            self._grid.proposed(event.configuration, point)

    def new(self, configuration: int, repeat: int) -> New:
        """Due when it would be in the search; which one it is, is not known before."""
        return New(repeat > 0 or self.is_anchor(configuration), lambda: {})

    def rests(self, configuration: int, state: SearchState) -> None:
        """Nobody searches."""

    def ends_with_last_epoch(self, trial: TrialState) -> bool:
        """Always."""
        return True


def _drawn(domain: Domain, generator: random.Random) -> Scalar:
    match domain:
        case Choice(options):
            return generator.choice(options)
        case IntRange(low, high, _, True):
            return min(high, round(math.exp(generator.uniform(math.log(low), math.log(high)))))
        case IntRange():
            return generator.choice(domain.values)
        case LogUniform(low, high):
            return min(high, max(low, math.exp(generator.uniform(math.log(low), math.log(high)))))
        case _:
            return generator.uniform(domain.low, domain.high)
