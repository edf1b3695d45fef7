"""What every rival needs: its trials are recorded configurations, none taken twice."""

from __future__ import annotations

import random

from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.nearest_configuration import NearestConfiguration
from wrn_search.replay.simulated_clock import Begun
from wrn_search.searchers.searcher import Hparams
from wrn_search.seeds import derived_seed


class RecordedTrials:
    """The trials of one play, numbered from 0.

    Args:
        table: of the play.
        seed: of the play; which recorded seed a configuration trains follows from it as in our own searches.
        most: configurations at most.
    """

    def __init__(self, table: CurveTable, seed: int, most: int):
        self._table, self._seed, self._most = table, seed, most
        self._nearest = NearestConfiguration(dict(table.hyperparameters), table.configurations)
        self._order = list(range(len(table.configurations)))
        random.Random(derived_seed(seed, "order of the table")).shuffle(self._order)
        self.begun = 0  # trials so far

    @property
    def left(self) -> bool:
        """Whether another configuration may begin."""
        return self.begun < self._most

    def snapped(self, proposal: Hparams) -> int:
        """The place of the nearest configuration that was not taken; it is now."""
        place = self._nearest.take(proposal)
        assert place is not None, "the caller asked whether one is left"
        return place

    def begin(self, place: int) -> Begun:
        """A new trial of the configuration at a place of the table."""
        curves = self._table.curves[place]
        first = derived_seed(self._seed, "recorded seed", self.begun) % len(curves)
        begun = Begun(self.begun, place, curves[first])
        self.begun += 1
        return begun

    def begin_at_random(self) -> Begun | None:
        """A new trial of a configuration drawn from all that are left; None when none is."""
        return self.begin(self._order[self.begun]) if self.left else None
