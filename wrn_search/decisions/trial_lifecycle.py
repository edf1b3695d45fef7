"""The conductor: the life of every trial from proposal to end, decided by the record. It knows neither Ray nor torch.

Whoever runs trials asks `next_trial` and tells what happened. Each event is written before it is acted on, and what is
known was learned from written events: a search that is resumed knows what it knew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from wrn_search.decisions.budget.funds import Funds
from wrn_search.decisions.gpu_packing import Places, places_for
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.knowledge_from_events import Knowledge
from wrn_search.decisions.proposals import Plan, SearchPlan
from wrn_search.decisions.protocols.one_reading_each import OneReadingPlan
from wrn_search.decisions.retries_and_failures import (
    failure_after,
    is_charged,
    more_memory_than,
    reason_to_give_up,
)
from wrn_search.decisions.rung_epochs import course_of
from wrn_search.decisions.search_end import SearchEnd
from wrn_search.decisions.trial_queue import MOST_WAITING, Supply, WaitingTrials
from wrn_search.decisions.trial_to_train import Assignment, NoTrial, assignment_of
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.end_reason import EndReason
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.results.events import (
    Completed,
    Diverged,
    Failed,
    Interrupted,
    Reported,
    Retried,
    Started,
    Tested,
    TestOpened,
)
from wrn_search.results.events_jsonl import Record
from wrn_search.results.state_from_events import SearchState
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.space.space import Space


class Conductor:
    """Decides for one session of a search, or of a confirmation.

    Args:
        space: the search.
        facts: of its data.
        allotment: how many trials run at once and what each gets.
        record: open; its events are replayed first.
        precision, compile: resolved, of all trials.
        plan: what is trained; default what the space's searcher proposes.
        places: of the machines; default those that the allotment describes.
        clock: seconds; for `search.max_hours`.
    """

    def __init__(
        self,
        space: Space,
        facts: DataFacts,
        allotment: Allotment,
        record: Record,
        *,
        precision: str = "fp32",
        compile: str = "off",
        plan: Plan | None = None,
        places: Places | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.space, self.facts, self.allotment, self.precision = space, facts, allotment, precision
        self.places = places or places_for(allotment)
        self._record = record
        plan = plan or (OneReadingPlan if space.tests_each else SearchPlan)(
            space,
            facts.chance_error,
            precision=precision,
            compile=compile,
            validation_images=facts.validation_images,
        )
        scheduler = SCHEDULERS[space.search.scheduler].make(course_of(space, facts, plan.curves))
        self._known = Knowledge(plan, scheduler, self.places, facts, space, record)
        self._waiting = WaitingTrials()  # unfinished ones that do not train now, nor rest at a rung
        self._displaced: dict[int, int] = {}  # trial -> how many nodes have left under it
        for moment, event in record.events:
            self._known.learn(moment, event)
        record.subscribe(self._known.learn)
        spent, is_decided = self.state.seconds_spent, self._known.is_decided
        self._over = SearchEnd(space.search, spent, clock, is_decided, lambda: self.funds.are_spent)
        waiting, seconds = self._waiting, lambda: self._over.seconds_spent
        self.funds = Funds(space, facts, self._known, seconds, lambda: waiting.numbers)
        self._supply = Supply(space, facts, self._known, record, self._over, waiting, self.funds)
        for number in self._known.begin_session():
            self._supply.wait(number)

    @property
    def state(self) -> SearchState:
        """The trials, by the record."""
        return self._known.state

    @property
    def end_reason(self) -> EndReason | None:
        """Why no further trial will come; None while one may."""
        return self._over.reason

    @property
    def failure(self) -> str | None:
        """What went wrong, when the end reason is `failed`."""
        return self._over.failure

    @property
    def rungs(self) -> list[int]:
        """Epochs at which trials may rest, rising."""
        return sorted(self._known.rungs)

    @property
    def live(self) -> set[int]:
        """Numbers of the trials that train now; one that waits for its process does not."""
        return set(self._known.training)

    @property
    def awaits_process(self) -> bool:
        """Whether a trial that has its place still waits for its process."""
        return len(self._known.live) > len(self._known.training)

    @property
    def unended(self) -> set[int]:
        """Numbers of the trials that train now, or were proposed and never began."""
        begun = {n for n in self._waiting.numbers if self.state.trials[n].status == "running"}
        return self._known.live | begun

    def next_trial(self) -> Assignment | NoTrial:
        """The trial to train now; its proposal is on record when this returns."""
        self._end_what_is_over()
        self.look_at_clock()
        if self._over.at_once:
            if not self._known.live:
                self._supply.leave_behind()
            return NoTrial.DONE
        if len(self._known.live) >= self.allotment.at_once(len(self.state.trials)):
            return NoTrial.WAIT
        if self._known.plan.enumerates:
            self._supply.add_the_last_ones(self.allotment.concurrent)
        while True:
            for number in self._waiting.in_order():
                if (grant := self.places.take(number, self._known.asked(number))) is not None:
                    self._waiting.remove(number)
                    self._known.live.add(number)
                    return assignment_of(self.state.trials[number], grant, self.space)
            # None waits, or there is room for a smaller one than those that wait.
            if len(self._waiting) >= MOST_WAITING or not self.places.has_room() or not self._supply.add():
                break
        # One that waits gets its place when another ends; one that trains may have to be tried again.
        if self._known.live or self._waiting:
            return NoTrial.WAIT
        self._supply.leave_behind()
        return NoTrial.DONE

    def started(self, number: int) -> None:
        """A trial has its process and begins to train."""
        if number in self._known.live:  # else it has ended meanwhile
            grant = self.places.grant_of(number)
            self._record.append(Started(number, threads=grant.threads, gpu_fraction=grant.gpu_fraction))

    def passed(self, number: int, metrics: EpochMetrics, node: str, device: str, ago: float) -> None:
        """A trial completed an epoch so many seconds ago and went on: between rungs nothing is decided."""
        self._record.append(Reported(number, metrics, node, device, ago))

    def reported(self, number: int, metrics: EpochMetrics, node: str, device: str) -> bool:
        """A trial completed an epoch. Whether it goes on."""
        self._record.append(Reported(number, metrics, node, device))
        ends = self._ends_at_last_report(number)
        self._settle(number)
        self.look_at_clock()
        if not ends and self._over.at_once:
            self.interrupted(number, f"the search ended: {self.end_reason}")
            return False
        return not ends

    def met_test_split(self, number: int, told: Mapping[str, Any]) -> bool:
        """A trained network asks for the test split, or tells what it said. Whether the trial goes on.

        Each reading is on record before a file is opened; the number that it gave follows, and ends the trial.
        """
        if not self._known.plan.reads_test_split:
            raise AssertionError(f"a search never opens the test split, but trial {number} told {told}")
        if number not in self._known.live:
            return False
        if "asks" not in told:
            self._record.append(Tested(number, **told))
            self._record.append(Completed(number))
            return False
        self.look_at_clock()
        if self.end_reason not in (None, EndReason.FINISHED):
            self.interrupted(number, f"the session ended: {self.end_reason}")
            return False
        self._record.append(TestOpened(number))
        return True

    def diverged(self, number: int, epoch: int, error: str) -> None:
        """A trial's loss turned non-finite in `epoch`."""
        self._end(Diverged(number, epoch, error))

    def failed(self, number: int, error: str, out_of_memory: bool = False) -> None:
        """A trial raised an exception, which it would raise again; but memory may be had by a larger share of a GPU."""
        if out_of_memory and number in self._known.live and self.places.grant_of(number).gpu_fraction:
            if self._over.at_once:
                return self.interrupted(number, error)
            trial, grant = self.state.trials[number], self.places.grant_of(number)
            asked, error = more_memory_than(trial, self._known.workload(trial), grant, error)
            if self.places.could_be_larger(asked):
                self._record.append(Retried(number, error, grant.gpu_fraction, grant.room_bytes))
                return self._supply.wait(number)
        self._end(Failed(number, error, out_of_memory))
        ended, share = self._known.trials_of_this_session(), self.space.search.max_failed_share
        if (why := reason_to_give_up(ended, share)) is not None:
            self._over.fail(why)

    def lost(self, number: int, error: str) -> None:
        """A trial was lost by a fault that can pass: it is tried again, `search.retries` times."""
        if number not in self._known.live:
            return
        if self._over.at_once:  # a signal to the whole group ends trial processes too
            return self.interrupted(number, error)
        failure = failure_after(error, self.state.trials[number].retries, self.space.search.retries)
        if failure is not None:
            return self.failed(number, failure)
        self._record.append(Retried(number, error))
        self._supply.wait(number)

    def displaced(self, number: int, reason: str, noticed: bool = False) -> None:
        """Its node has left, or cannot store: a trial goes on elsewhere. Too often is charged, but not if `noticed`."""
        if number not in self._known.live:
            return
        self._displaced[number] = self._displaced.get(number, 0) + (not noticed)
        if not noticed and is_charged(self._displaced[number]):
            return self.lost(number, reason)
        self.interrupted(number, reason)
        if not self._over.at_once:
            self._supply.wait(number)

    def storage_failed(self, number: int, error: str) -> None:
        """What a trial has learned can no longer be stored: nothing goes on until somebody makes room."""
        self._over.fail(error)
        self.interrupted(number, error)

    def ray_ended(self) -> int:
        """Ray is gone and no trial can go on in this session. The exit status that follows."""
        self._over.fail("Ray's processes on this machine have ended")
        return 130 if self.end_reason is EndReason.INTERRUPTED else 1

    def interrupted(self, number: int, reason: str) -> None:
        """A trial ended with its session; the next one goes on with it."""
        if number in self.unended:
            self._record.append(Interrupted(number, reason))

    def interrupt(self) -> None:
        """The user wants to stop: no trial starts any more, running ones end after their epoch."""
        self._over.interrupt(self._may_train)

    def look_at_clock(self) -> None:
        """Ends the search when hours or budget are spent or it is decided; may be called without an event, too."""
        if self._over.may_come_early:
            self._over.look(self._may_train)

    @property
    def _may_train(self) -> bool:
        """Whether a trial of the record trains, waits for its place, or rests at a rung and may go on."""
        return bool(self._known.live or self._waiting or self._known.resting or self._known.short)

    def _end(self, event: Diverged | Failed) -> None:
        """Ends a trial once; a second cause changes nothing."""
        if event.number in self._known.live:
            self._record.append(event)
            self._settle(event.number)

    def _settle(self, number: int) -> None:
        """The other repeats of a trial's configuration that waited at a rung, and need not any more."""
        for other in self._known.released_with(number):
            if other not in self._waiting.numbers and not self._ends_at_last_report(other):
                self._supply.wait(other)

    def _ends_at_last_report(self, number: int) -> bool:
        """Whether a trial ends with what it has reported, or waits there for its repeats; then that is on record."""
        end = self._known.end_after_report(number) or self._supply.short_of_budget(number)
        if end is not None:
            self._record.append(end)
        return end is not None

    def _end_what_is_over(self) -> None:
        """A kill may have come between a last report and its end, which costs nothing, whatever time is left."""
        for number in self._waiting.numbers:
            if self._ends_at_last_report(number):
                self._waiting.remove(number)
