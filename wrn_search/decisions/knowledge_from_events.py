"""What is known of a run: a fold over its events, the same for live and for replayed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wrn_search.decisions.budget.pace_so_far import PaceSoFar
from wrn_search.decisions.budget.spending import Spending
from wrn_search.decisions.gpu_packing import Asked, Places
from wrn_search.decisions.image_facts import DataFacts, images_of, workload_of
from wrn_search.decisions.proposals import Plan
from wrn_search.decisions.repeats_together import Arrival, RepeatsTogether
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.objectives.dominance import comparable, order_of_outcomes
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Interrupted,
    Paused,
    Reported,
    Resumed,
    Retried,
    Started,
    Stopped,
)
from wrn_search.results.events_jsonl import Record
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import FINAL, TrialState, costs_of
from wrn_search.schedulers.scheduler import Costs, New, Scheduler, Stop, Wait
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig
from wrn_search.verdict_so_far.looks import Looks

SHORT_OF_BUDGET = "what is left of search.budget does not pay for the way to the next comparison"


class Knowledge:
    """The state of the trials, and all that learns from events: the plan, the scheduler, the places on GPUs.

    Args:
        plan: what is trained.
        scheduler: decides at rungs.
        places: of the machines.
        facts: of the data.
        space: the search.
        record: where looks at an undecided search go.
    """

    def __init__(
        self,
        plan: Plan,
        scheduler: Scheduler,
        places: Places,
        facts: DataFacts,
        space: Space,
        record: Record,
    ):
        self.state = SearchState()
        self.plan = plan
        self.scheduler = scheduler
        self.places = places
        self.live: set[int] = set()  # trials that train now, or are about to
        self.training: set[int] = set()  # those of them that have begun
        self._ended_before: set[int] = set()  # trials that had ended when this session began
        self._facts = facts
        self._epochs = space.training.epochs
        self.rungs = frozenset(rungs_of(space))  # where repeats wait for each other
        self.resting: dict[int, int] = {}  # configuration that the scheduler lets wait -> its rung
        # Those that would go on from their rung, for which what is left of the budget does not pay.
        self.short: dict[int, int] = {}  # configuration -> its rung
        self.spending, self.pace = Spending(), PaceSoFar()
        self._workloads: dict[int, Workload] = {}  # of the trials that were asked for
        self._looks = Looks(space, images_of(facts), rungs_of(space))
        self._record = record
        self._costs = space.costs
        self._together = RepeatsTogether(space.search.repeats, facts.chance_error, space.costs)

    def learn(self, moment: float, event: Event) -> None:
        """The one place where a written event changes what is known; live and replayed events alike."""
        self.state.apply(moment, event)
        self.spending.learn(moment, event, self.state)
        self._looks.learn(event)
        match event:
            case Reported():  # the first case, as most events are
                trial, metrics = self.state.trials[event.number], event.metrics
                self.pace.learn(trial.training_macs, metrics.seconds, alone=metrics.epoch in trial.alone)
                self._rests_no_more(event)
            case Resumed() | Stopped() | Completed() | Diverged() | Failed():
                self._rests_no_more(event)
            case _:
                pass
        for arrival in self._together.learn(event, self.state):
            self._arrives(arrival)
        if isinstance(event, Paused) and event.for_budget:
            self._falls_short(self.state.trials[event.number].configuration, event.rung)
        match event:
            case Reported():  # has and keeps its place
                pass
            case Started() if event.number in self.live:  # not one of a session before
                self.training.add(event.number)
            case Paused() | Stopped() | Completed() | Diverged() | Failed() | Interrupted() | Retried():
                self.training.discard(event.number)
                self.live.discard(event.number)
                self.places.leave(event.number)
            case _:
                pass
        if isinstance(event, Retried):
            self.places.learn(self.workload(self.state.trials[event.number]), event.memory_bytes)
        self.plan.learn(event, self.state)

    def is_decided(self) -> bool:
        """Whether the search's questions are answered (`search.stop_when`); a look that is due goes on record."""
        if not self._looks.may_stop:
            return False
        if (look := self._looks.due(self.state)) is not None:
            self._record.append(look)
        return self._looks.has_decided(self.state)

    def _arrives(self, arrival: Arrival) -> None:
        """The scheduler hears of a configuration at an epoch; whom it lets wait rests there, but for anchors."""
        configuration, epoch = arrival.configuration, arrival.epoch
        self.scheduler.observe(configuration, epoch, arrival.val_error, arrival.costs)
        if isinstance(self.scheduler.decide(configuration, epoch), Wait):
            if self.state.configurations[configuration][0].anchor:
                self.scheduler.goes_on(configuration, epoch)
            elif self.unended_of(configuration):
                self.resting[configuration] = epoch
                self.plan.rests(configuration, self.state)

    def _falls_short(self, configuration: int, rung: int) -> None:
        """It would go on, if there were more to spend: it is the first to be taken up when there is."""
        if self.resting.pop(configuration, None) is not None:
            self.scheduler.goes_on(configuration, rung)
        elif configuration not in self.short:
            self.plan.rests(configuration, self.state)
        self.short[configuration] = rung

    def _rests_no_more(self, event: Resumed | Reported | Stopped | Completed | Diverged | Failed) -> None:
        """One that rested goes on, or is over; where an earlier session let none rest, only its reports tell that."""
        configuration = self.state.trials[event.number].configuration
        rung = self.short.get(configuration)
        if rung is not None and (_goes_on(event, rung) or not self.unended_of(configuration)):
            del self.short[configuration]
        rung = self.resting.get(configuration)
        if rung is None:
            return
        if _goes_on(event, rung):
            del self.resting[configuration]
            self.scheduler.goes_on(configuration, rung)
        elif isinstance(event, Stopped) or not self.unended_of(configuration):
            del self.resting[configuration]

    def begin_session(self) -> list[int]:
        """All events on record are known. The trials that have not ended and do not rest at a rung, by number.

        One that was to rest when a kill came is among them: that it does must still be put on record.
        """
        trials = self.state.trials
        self._ended_before = {number for number, trial in trials.items() if trial.status in FINAL}
        resting = {
            number
            for number, trial in trials.items()
            if trial.is_paused and (trial.configuration in self.resting or trial.configuration in self.short)
        }
        return sorted(trials.keys() - self._ended_before - resting)

    def next_to_take_up(self, at_least: int, new: New | None) -> int | None:
        """The configuration that rests at a rung and goes on now, if there is one."""
        return self.scheduler.next_to_take_up(self.resting, at_least, new) if self.resting else None

    def arrived_at(self, configuration: int) -> int:
        """The last epoch that all its repeats have reported; 0 before the first."""
        return self._together.arrived_at(configuration)

    def unended_of(self, configuration: int) -> list[int]:
        """Its trials that have not ended, by number."""
        repeats = self.state.configurations[configuration]
        return [trial.number for trial in repeats if trial.status not in FINAL]

    def in_order(self, stand: Mapping[int, int]) -> list[int]:
        """Configurations that have not ended, those at the highest rung first, the best first at each.

        Args:
            stand: configuration -> its rung.
        """
        rungs = sorted(set(stand.values()), reverse=True)
        return [
            each for rung in rungs for each in self._best_first([e for e, at in stand.items() if at == rung])
        ]

    def _best_first(self, there: Sequence[int]) -> list[int]:
        errors = {each: self._mean_error(each) for each in there}
        if not self._costs:
            return sorted(there, key=lambda each: (errors[each], each))
        chance = self._facts.chance_error
        values = [comparable(errors[each], self._costs_of(each), chance) for each in there]
        keys = dict(zip(there, order_of_outcomes(values), strict=True))
        return sorted(there, key=lambda each: (keys[each], each))

    def _mean_error(self, configuration: int) -> float:
        """Percent: of its repeats that have not ended, at their last epoch on record."""
        trials = [self.state.trials[number] for number in self.unended_of(configuration)]
        errors = [trial.last.val_error for trial in trials if trial.last is not None]
        known = [error for error in errors if error is not None]
        return sum(known) / len(known) if known else 100.0

    def _costs_of(self, configuration: int) -> Costs:
        return costs_of(self.state.configurations[configuration], self._costs)

    def left_behind(self) -> list[Stopped]:
        """How all that rest at a rung end with the search."""
        ends = [self.scheduler.left_behind(*each) for each in self.resting.items()]
        return [
            Stopped(number, end.rung, end.reason, end.at_chance)
            for configuration, end in zip(self.resting, ends, strict=True)
            for number in self.unended_of(configuration)
        ]

    def trials_of_this_session(self) -> list[TrialState]:
        """Those that had not ended when it began, by number: whoever resumes has seen why the others failed."""
        return [trial for number, trial in self.state.trials.items() if number not in self._ended_before]

    def cost(self, number: int) -> float:
        """Multiply-adds that a trial still has before it, for each image of the training split."""
        trial = self.state.trials[number]
        return trial.macs * (self._epochs - trial.epochs_done)

    def asked(self, number: int) -> Asked:
        """What a trial needs of a GPU."""
        trial = self.state.trials[number]
        return Asked(self.workload(trial), trial.above_share, trial.above_bytes, trial.out_of_memory_tries)

    def share_of(self, number: int) -> float:
        """Of a GPU: what a trial was given, else what the next place that it gets will be; 0 on CPUs."""
        if number in self.live:
            return self.places.grant_of(number).gpu_fraction
        return self.places.planned_share(self.asked(number))

    def share_of_new(self, config: dict[str, Any]) -> float:
        """Of a GPU, that a trial will be given which was never tried; 0 on CPUs."""
        return self.places.planned_share(Asked(self._workload_of(TrialConfig.from_dict(config))))

    def workload(self, trial: TrialState) -> Workload:
        """What the memory of a trial depends on."""
        if trial.number not in self._workloads:
            self._workloads[trial.number] = self._workload_of(trial.trial_config)
        return self._workloads[trial.number]

    def _workload_of(self, config: TrialConfig) -> Workload:
        gpus = self.places.allotment.gpus_per_trial
        return workload_of(config, self._facts, gpus)

    def end_after_report(self, number: int) -> Completed | Stopped | Paused | None:
        """How a trial ends with what it has reported, or that it waits there; None while it goes on.

        It ends with its last epoch, and at a rung with its configuration: repeats stop together, also when a session
        ended between them. At a rung that the configuration has not reached it waits. An anchor is never stopped.
        """
        trial = self.state.trials[number]
        if (last := trial.last) is None:
            return None
        epoch, configuration = last.epoch, trial.configuration
        if epoch >= self._epochs:
            return Completed(number) if self.plan.ends_with_last_epoch(trial) else None
        if self.short.get(configuration) == epoch:
            return Paused(number, epoch, SHORT_OF_BUDGET, for_budget=True)
        arrived = self._together.has_arrived(configuration, epoch)
        decided = self.scheduler.decide(configuration, epoch) if arrived and not trial.anchor else None
        if isinstance(decided, Stop):
            return Stopped(number, decided.rung, decided.reason, decided.at_chance)
        repeats = self.state.configurations[configuration]
        stopped = [(each.rung, each.at_chance) for each in repeats if each.rung is not None]
        if stopped and epoch >= (rung := min(stopped)[0]):
            guessing = any(at_chance for _, at_chance in stopped)
            return Stopped(number, rung, "its configuration was stopped at this rung", guessing)
        if isinstance(decided, Wait):
            return Paused(number, decided.rung, decided.reason)
        awaits = epoch in self.rungs and not arrived
        return Paused(number, epoch) if awaits and last.val_error is not None else None

    def released_with(self, number: int) -> list[int]:
        """The other repeats of a trial's configuration that neither train nor are over, and wait for no other."""
        return [
            each.number
            for each in self.state.repeats_of(number)
            if each.status == "interrupted"
            and each.number not in self.live
            and not isinstance(self.end_after_report(each.number), Paused)
        ]


def _goes_on(event: Event, rung: int) -> bool:
    """Whether an event says that a trial which rested at a rung trains again."""
    return isinstance(event, Resumed) or (isinstance(event, Reported) and event.metrics.epoch > rung)
