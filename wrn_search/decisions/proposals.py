"""What is trained next: the plan of a search. A confirmation has another plan, and the conductor follows either."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.outcome_of_repeats import as_ours, outcome_of_trials
from wrn_search.decisions.rung_epochs import anchor_share_of, known_curves_of
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.results.events import Completed, Diverged, Event, Failed, Known, Proposed, Reopened, Stopped
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import FINAL, TrialState
from wrn_search.schedulers.scheduler import New
from wrn_search.searchers.anchors import Anchors
from wrn_search.searchers.by_curves.curves_searcher import is_drawn_at_random, tell
from wrn_search.searchers.draws_around_a_prior import DrawsAroundPrior
from wrn_search.searchers.points_tried_first import PointsTriedFirst
from wrn_search.searchers.searcher import Hparams, Searcher
from wrn_search.searchers.searcher_table import SEARCHERS, searcher_of
from wrn_search.seeds import derived_seed
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig, what_fixes_it
from wrn_search.space.trials_of_other_spaces import hparams_within, searched_values

if TYPE_CHECKING:
    from wrn_search.curve_process.curves_of_search import CurvesOfSearch

Telling: TypeAlias = Callable[[Searcher], object]


class Plan(Protocol):
    """What a run trains. Its knowledge is a fold over events, live and replayed alike."""

    @property
    def reads_test_split(self) -> bool:
        """Whether trained networks may meet the test split."""

    @property
    def enumerates(self) -> bool:
        """Whether the end is in sight from the start: then the longest of the last trials begin first."""

    @property
    def outside(self) -> int:
        """Configurations on record that this plan could not have proposed."""

    @property
    def curves(self) -> CurvesOfSearch | None:
        """What is known of all curves, where searcher or scheduler go by them."""

    def is_anchor(self, configuration: int) -> bool:
        """Whether a configuration was drawn before any result, and is never stopped."""

    def propose(
        self, state: SearchState, configuration: int, repeat: int
    ) -> tuple[Hparams, TrialConfig] | None:
        """What to train next; None when there is nothing more."""

    def new(self, configuration: int, repeat: int) -> New:
        """What a scheduler may know of what would be proposed next. Changes nothing."""

    def learn(self, event: Event, state: SearchState) -> None:
        """Takes in a written event, which the state has applied."""

    def rests(self, configuration: int, state: SearchState) -> None:
        """All repeats of a configuration wait at a rung, and may go on later."""

    def ends_with_last_epoch(self, trial: TrialState) -> bool:
        """Whether a trial that has reported its last epoch is over."""


class SearchPlan:
    """The plan of a search: its searcher proposes configurations, each is trained with `search.repeats` seeds.

    Args:
        space: the search.
        chance_error: percent; what a diverged trial counts as.
        precision: resolved, `fp32` or `bf16`.
        compile: resolved, `on` or `off`.
        validation_images: that an error is counted on.
    """

    reads_test_split = False

    def __init__(
        self,
        space: Space,
        chance_error: float,
        *,
        precision: str,
        compile: str,
        validation_images: int = 10_000,
    ):
        kind = SEARCHERS[space.search.searcher]
        self.enumerates = kind.needs_finite_space
        searched = space.searched
        self.curves = known_curves_of(space, validation_images, chance_error)
        self._anchors = Anchors(searched, anchor_share_of(space))
        self._points = PointsTriedFirst(searched)
        self._around_prior = DrawsAroundPrior(searched, space.trials_at_least)
        self._as_anchors: dict[int, bool] = {}  # configuration on record -> whether it is an anchor
        self._space = space
        self._chance_error = chance_error
        self._resolved = {"precision": precision, "compile": compile}
        self._make_searcher = partial(searcher_of, kind, dataclasses.replace(searched, curves=self.curves))
        self._searcher: Searcher | None = self._make_searcher()  # None while one must be made that knows less
        # All that it was told, in order: outcomes by their configuration, all else by numbers below 0.
        self._heard: dict[int, Telling] = {}
        self._order = count(1)
        self._proposed: Hparams | None = None  # what was proposed last, by this plan
        self._is_heard = kind.learns or self.curves is not None  # else no outcome changes what is proposed
        self._told: set[int] = set()  # configurations whose outcome it knows
        self._outside: set[int] = (
            set()
        )  # configurations of an earlier space of this search that this one lacks

    @property
    def outside(self) -> int:
        """Configurations of an earlier space of this search that this one lacks."""
        return len(self._outside)

    def is_anchor(self, configuration: int) -> bool:
        """As the share `search.anchors` and the seed say; none where no trial is stopped, and no point of the file."""
        if configuration in self._as_anchors:
            return self._as_anchors[configuration]
        return self._points.next() is None and self._anchors.place(configuration) is not None

    def propose(
        self, state: SearchState, configuration: int, repeat: int
    ) -> tuple[Hparams, TrialConfig] | None:
        """The searcher's next configuration, an anchor, or a further repeat of the last one."""
        seed = derived_seed(self._space.search.seed, "trial", configuration, repeat)
        if repeat:  # as its first one was trained, also when the space has changed since
            first = state.trials[len(state.trials) - 1]
            return first.hparams, dataclasses.replace(TrialConfig.from_dict(first.config), seed=seed)
        self._proposed = hparams = self._next_hparams(configuration)
        if hparams is None:
            return None
        return hparams, self._space.trial_config(hparams, seed, **self._resolved)

    def new(self, configuration: int, repeat: int) -> New:
        """The searcher's proposal, as it is now; who is to be judged by later results begins whatever waits."""
        due = (
            repeat > 0
            or self._points.next() is not None
            or self.is_anchor(configuration)
            or self._around_prior.is_due(configuration)
            or is_drawn_at_random(configuration)
        )
        return New(due, lambda: self._next_point(configuration))

    def _next_hparams(self, configuration: int) -> Hparams | None:
        """What the next point stands for."""
        point = self._next_point(configuration)
        return None if point is None else self._space.hparams_at(point)

    def _next_point(self, configuration: int) -> Hparams | None:
        """The points of the file; then an anchor or a draw around the prior where one is due, else the searcher's."""
        point = self._points.next()
        if point is None and self.is_anchor(configuration) and not self.enumerates:
            point = self._anchors.draw(configuration)
        elif point is None and self._around_prior.is_due(configuration):
            point = self._around_prior.draw(configuration)
        elif point is None:
            point = self._up_to_date().propose(configuration)
        return point

    def learn(self, event: Event, state: SearchState) -> None:
        """The searcher hears of proposals, of what other searches found, and of configurations that have ended."""
        match event:
            case Proposed() if event.repeat == 0:
                self._as_anchors[event.configuration] = event.anchor
                self._learn_proposal(event)
            case Known():
                hparams = searched_values(self._space, event.leaves)
                point = None if hparams is None else self._space.point_of(hparams)
                if point is not None:
                    source, curve = as_ours(event, state)
                    self._tell(methodcaller("known", source, point, curve, event.full))
            case Stopped() | Completed() | Diverged() | Failed():
                self._tell_outcome(state, state.trials[event.number].configuration)
            case Reopened():
                self._forget_outcome(state.trials[event.number].configuration)
            case _:
                pass

    def ends_with_last_epoch(self, trial: TrialState) -> bool:
        """Always."""
        return True

    def hparams_of(self, event: Proposed) -> Hparams | None:
        """A proposal's values as this plan's searcher hears them; None for one that it could not have proposed."""
        if event.hparams is self._proposed:  # a moment ago, within this very space
            return searched_values(self._space, event.config)
        return hparams_within(self._space, event.config)

    def _learn_proposal(self, event: Proposed) -> None:
        """The searcher hears of what lies in its space; an earlier session may have had a wider one."""
        hparams = self.hparams_of(event)
        point = None if hparams is None else self._space.point_of(hparams)
        if point is None:
            self._outside.add(event.configuration)
        else:
            self._anchors.proposed(point)
            self._points.proposed(point)
            self._around_prior.proposed(point)
            if self.curves is not None:
                self.curves.begins(event.configuration, point)
            self._tell(methodcaller("proposed", event.configuration, point))

    def _tell_outcome(self, state: SearchState, configuration: int) -> None:
        """Tells the searcher of a configuration whose repeats have all ended."""
        if configuration in self._outside or configuration in self._told:
            return
        trials = state.configurations[configuration]
        if len(trials) == self._space.search.repeats and all(trial.status in FINAL for trial in trials):
            self._told.add(configuration)
            self._tell_of(configuration, trials)

    def rests(self, configuration: int, state: SearchState) -> None:
        """The searcher hears of it as of one that was stopped there; of its end, or a further rung, it hears again."""
        if configuration not in self._outside:
            self._tell_of(configuration, state.configurations[configuration])

    def _tell_of(self, configuration: int, trials: Sequence[TrialState]) -> None:
        if not self._is_heard:
            return
        outcome = outcome_of_trials(trials, self._chance_error, self._space.costs)
        if self.curves is not None:
            tell(self.curves, configuration, outcome)
        self._heard.pop(configuration, None)  # what was told of it at a rung before
        self._tell(methodcaller("told", configuration, outcome), outcome_of=configuration)

    def _tell(self, telling: Telling, outcome_of: int | None = None) -> None:
        """The searcher hears something, and will again if another one must be made."""
        self._heard[-next(self._order) if outcome_of is None else outcome_of] = telling
        if self._searcher is not None:
            telling(self._searcher)

    def _forget_outcome(self, configuration: int) -> None:
        """A searcher cannot forget; a new one that hears all else knows what is left."""
        if configuration in self._told:
            self._told.remove(configuration)
            self._heard.pop(configuration, None)
            self._searcher = None

    def _up_to_date(self) -> Searcher:
        """The searcher, knowing all that is to be known."""
        if self._searcher is None:
            self._searcher = self._make_searcher()
            for telling in self._heard.values():
                telling(self._searcher)
        return self._searcher


def trials_left(space: Space, proposed: int) -> int:
    """How many trials are still to be proposed, at most."""
    configurations = min(space.trials, space.size or space.trials)
    return configurations * space.search.repeats - proposed


def proposed_event(
    number: int,
    configuration: int,
    repeat: int,
    hparams: Hparams,
    config: TrialConfig,
    facts: DataFacts,
    anchor: bool,
) -> Proposed:
    """The event that puts a proposal on record, with the size of its network."""
    height, width, channels = facts.image_shape
    values, architecture = config.to_dict(), config.architecture
    return Proposed(
        number=number,
        trial_id=_trial_id(number, values),
        configuration=configuration,
        repeat=repeat,
        hparams=hparams,
        config=values,
        num_params=num_params(architecture, facts.num_classes, channels),
        macs=macs(architecture, facts.num_classes, channels, (height, width)),
        anchor=anchor,
    )


def trial_id(number: int, config: TrialConfig) -> str:
    """`00007-3f2a9c1d`: the number, and a hash of all that fixes the training but where its files lie."""
    return _trial_id(number, config.to_dict())


def _trial_id(number: int, values: dict[str, Any]) -> str:
    return f"{number:05d}-{hashlib.sha256(what_fixes_it(values).encode()).hexdigest()[:8]}"
