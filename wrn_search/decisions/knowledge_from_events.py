"""What is known of a run: a fold over its events, the same for live and for replayed ones."""

from __future__ import annotations

from wrn_search.decisions.gpu_packing import Asked, Places
from wrn_search.decisions.image_facts import DataFacts, workload_of
from wrn_search.decisions.proposals import Plan
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Interrupted,
    Reported,
    Retried,
    Started,
    Stopped,
)
from wrn_search.results.state_from_events import FINAL, SearchState, TrialState
from wrn_search.schedulers.scheduler import Scheduler
from wrn_search.space.trial_config import TrialConfig


class Knowledge:
    """The state of the trials, and all that learns from events: the plan, the scheduler, the places on GPUs.

    Args:
        plan: what is trained.
        scheduler: decides at rungs.
        places: of the machines.
        facts: of the data.
        epochs: of a full training.
    """

    def __init__(self, plan: Plan, scheduler: Scheduler, places: Places, facts: DataFacts, epochs: int):
        self.state = SearchState()
        self.plan = plan
        self.scheduler = scheduler
        self.places = places
        self.live: set[int] = set()  # trials that train now, or are about to
        self.training: set[int] = set()  # those of them that have begun
        self._ended_before: set[int] = set()  # trials that had ended when this session began
        self._facts = facts
        self._epochs = epochs

    def learn(self, moment: float, event: Event) -> None:
        """The one place where a written event changes what is known; live and replayed events alike."""
        self.state.apply(moment, event)
        match event:
            case Reported():
                if event.metrics.val_error is not None:
                    self.scheduler.observe(event.number, event.metrics.epoch, event.metrics.val_error)
            case Started() if event.number in self.live:  # not one of a session before
                self.training.add(event.number)
            case Stopped() | Completed() | Diverged() | Failed() | Interrupted() | Retried():
                self.training.discard(event.number)
                self.live.discard(event.number)
                self.places.leave(event.number)
            case _:
                pass
        if isinstance(event, Retried):
            self.places.learn(self.workload(self.state.trials[event.number]), event.memory_bytes)
        self.plan.learn(event, self.state)

    def begin_session(self) -> list[int]:
        """All events on record are known. The trials that have not ended, by number."""
        self._ended_before = {number for number, trial in self.state.trials.items() if trial.status in FINAL}
        return sorted(self.state.trials.keys() - self._ended_before)

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
        return Asked(self.workload(trial), trial.above_share, trial.above_bytes)

    def workload(self, trial: TrialState) -> Workload:
        """What the memory of a trial depends on."""
        return workload_of(TrialConfig.from_dict(trial.config), self._facts)

    def end_after_report(self, number: int) -> Completed | Stopped | None:
        """How a trial ends with what it has reported, by its last epoch or by its rung; None while it goes on."""
        trial = self.state.trials[number]
        if not trial.reports:
            return None
        epoch = trial.reports[-1][1].epoch
        if epoch >= self._epochs:
            return Completed(number) if self.plan.ends_with_last_epoch(trial) else None
        stop = self.scheduler.decide(number, epoch)
        return None if stop is None else Stopped(number, stop.rung, stop.reason)
