"""A search of this program as a player: the conductor itself decides, on a record that is not written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wrn_search.decisions.proposals import SearchPlan
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.decisions.unwritten_record import UnwrittenRecord
from wrn_search.end_reason import EndReason
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.replay.curve_table import CurveTable, RecordedCurve
from wrn_search.replay.nearest_configuration import NearestConfiguration
from wrn_search.replay.simulated_clock import Begun, Clock
from wrn_search.results.events import Event, Known, Proposed, SearchStarted
from wrn_search.results.state_from_events import SearchState
from wrn_search.schedulers.scheduler import New
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.searcher import Hparams
from wrn_search.seeds import derived_seed
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig


class OurSearch:
    """Plays `space` with a table's curves.

    Args:
        space: the search: its `search` section is the method, its seed the play's.
        table: with at least `search.repeats` seeds of each configuration.
        workers: trials at once.
        clock: for `search.max_hours` and `search.budget`.
        seeds_in_order: repeat r trains the r-th recorded seed; else a play begins with any of them.
        known: what other searches taught it (`search.warm_start`).
    """

    def __init__(
        self,
        space: Space,
        table: CurveTable,
        workers: int,
        clock: Clock,
        *,
        seeds_in_order: bool = False,
        known: Sequence[Known] = (),
    ):
        started = SearchStarted(space.name, "replay", table.epochs, table.facts.chance_error, "", "")
        self._plan = _SnappedPlan(space, table)
        record = _RecordOfTable(started, clock, table, self._plan.places)
        budget = space.search.budget or {}
        gpus = 1.0 if "gpu_hours" in budget else 0.0  # then each worker is a GPU
        self._table = table
        self._conductor = Conductor(
            space,
            table.facts,
            Allotment(workers, 1, gpus),
            record,
            plan=self._plan,
            clock=clock,
        )
        for event in known:
            record.append(event)
        self._curves: dict[int, RecordedCurve] = {}  # trial -> its own
        self._seed = space.search.seed
        self._seeds_in_order = seeds_in_order
        by_all_epochs = SCHEDULERS[space.search.scheduler].hears_every_epoch
        self._hears_all = by_all_epochs or space.search.max_hours is not None or bool(budget)
        self._rungs = frozenset(rungs_of(space))

    @property
    def state(self) -> SearchState:
        """The trials."""
        return self._conductor.state

    def next_trial(self) -> Begun | None:
        """What the conductor lets begin."""
        answer = self._conductor.next_trial()
        if not isinstance(answer, Assignment):
            return None
        self._conductor.started(answer.number)
        trial = self.state.trials[answer.number]
        place = self._plan.places[trial.configuration]
        curves = self._table.curves[place]
        first = 0
        if not self._seeds_in_order:
            first = derived_seed(self._seed, "recorded seed", trial.configuration) % len(curves)
        curve = self._curves[answer.number] = curves[(first + trial.repeat) % len(curves)]
        # The record of a play has only the epochs that the conductor hears, so their number is not how far it has come.
        return Begun(answer.number, place, curve, trial.last.epoch if trial.last is not None else 0)

    def hears(self, epoch: int) -> bool:
        """At rungs: nothing is decided between them, but where hours or a budget may be over, or it is decided."""
        decided = self._conductor.end_reason is EndReason.DECIDED
        return self._hears_all or decided or epoch in self._rungs

    def reported(self, trial: int, epoch: int, error: float) -> bool:
        """The conductor hears of it."""
        return self._conductor.reported(trial, _metrics(epoch, error, self._seconds(trial, epoch)), "", "")

    def _seconds(self, trial: int, epoch: int) -> float:
        """What an epoch took; 1 where the table does not tell."""
        seconds = self._curves[trial].seconds
        return float(seconds[min(epoch, len(seconds)) - 1]) if len(seconds) else 1.0

    def diverged(self, trial: int, epoch: int) -> None:
        """The conductor hears of it."""
        self._conductor.diverged(trial, epoch, "the recorded training diverged")


class _RecordOfTable(UnwrittenRecord):
    """Tells of the sizes that the networks of the table have; `places`: configuration -> its place there."""

    def __init__(
        self, first: SearchStarted, clock: Clock, table: CurveTable, places: Mapping[int, int]
    ) -> None:
        super().__init__(first, clock)
        self._sizes, self._places = table.sizes, places

    def append(self, event: Event) -> None:
        """As any other, but for the sizes."""
        if self._sizes and isinstance(event, Proposed):
            event = replace(event, num_params=self._sizes[self._places[event.configuration]])
        super().append(event)


class _SnappedPlan(SearchPlan):
    """A search whose proposals become recorded configurations; the searcher hears of those."""

    def __init__(self, space: Space, table: CurveTable):
        super().__init__(
            space,
            table.facts.chance_error,
            precision="fp32",
            compile="off",
            validation_images=table.facts.validation_images,
        )
        self._configurations_left = NearestConfiguration(dict(table.hyperparameters), table.configurations)
        self._table = table
        self._resolved_space = space
        self.places: dict[int, int] = {}  # configuration -> its place in the table
        self._asked_before: tuple[int, tuple[Hparams, TrialConfig]] | None = None

    def propose(
        self, state: SearchState, configuration: int, repeat: int
    ) -> tuple[Hparams, TrialConfig] | None:
        """As the search's, but recorded."""
        if repeat == 0 and not self._configurations_left.left:
            return None
        if repeat == 0 and self._asked_before is not None and self._asked_before[0] == configuration:
            return self._asked_before[1]  # it could not be paid for then
        proposal = super().propose(state, configuration, repeat)
        if proposal is None or repeat:
            return proposal
        place = self._configurations_left.take(proposal[0])
        assert place is not None
        self.places[configuration] = place
        hparams = self._table.configurations[place]
        seed = proposal[1].seed
        config = self._resolved_space.trial_config(hparams, seed, precision="fp32", compile="off")
        self._asked_before = configuration, (hparams, config)
        return hparams, config

    def new(self, configuration: int, repeat: int) -> New:
        """A scheduler judges what would be trained, not what it stands for."""
        new = super().new(configuration, repeat)

        def recorded() -> Mapping[str, object] | None:
            proposal = self._next_hparams(configuration)
            place = None if proposal is None else self._configurations_left.nearest(proposal)
            return None if place is None else self._space.point_of(self._table.configurations[place])

        return New(new.due, recorded)

    def hparams_of(self, event: Proposed) -> Hparams | None:
        """As proposed: a table's hyperparameters may be none of ours."""
        return event.hparams


def _metrics(epoch: int, val_error: float, seconds: float) -> EpochMetrics:
    return EpochMetrics(epoch, 0.0, 1.0, val_error, 1.0, val_error, seconds, 1.0, 0)
