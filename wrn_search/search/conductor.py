"""The conductor: what to do next, by the record. It knows neither Ray nor torch.

Whoever runs trials (Ray Tune here, a test or a simulated clock elsewhere) asks `next_trial` and tells what happened.
The conductor writes each event before it is acted on; the searcher and the scheduler learn from the written events
only, so a search that is resumed knows what it knew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from wrn_search.complexity import macs, num_params
from wrn_search.memory.workload import Workload
from wrn_search.metrics import EpochMetrics
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Exhausted,
    Failed,
    Interrupted,
    Known,
    Proposed,
    Reported,
    Retried,
    Started,
    Stopped,
)
from wrn_search.results.record import Record
from wrn_search.results.state import FINAL, SearchState, TrialState
from wrn_search.search.facts import DataFacts, workload_of
from wrn_search.search.outcomes import ended_trial, outcome_of
from wrn_search.search.places import Asked, Grant, Places, places_for
from wrn_search.search.schedulers import SCHEDULERS
from wrn_search.search.searchers import SEARCHERS, Hparams
from wrn_search.search.seeds import derived_seed
from wrn_search.search.sizing import Allotment
from wrn_search.search.waiting import MOST_WAITING, TRIALS_IN_SIGHT, WaitingTrials
from wrn_search.space.definition import Space
from wrn_search.space.membership import hparams_within, searched_values
from wrn_search.space.trial_config import TrialConfig

# Reasons for which running trials end after their epoch; after the others they train to their end.
_AT_ONCE = ("max_hours", "interrupted", "failed")
ENDED_BEFORE_GIVING_UP = 10  # trials
DISPLACED_BEFORE_CHARGED = 5  # nodes that leave under one trial


@dataclass(frozen=True)
class Assignment:
    """A trial to train now."""

    number: int
    trial_id: str
    config: TrialConfig
    epochs_done: int  # on record
    grant: Grant  # its cores and its share of a GPU


class NoTrial(Enum):
    """Why there is no trial to train now."""

    WAIT = "as many trials run as may"
    DONE = "no further trial will come"


class Conductor:
    """Decides for one session of a search.

    Args:
        space: the search.
        facts: of its data.
        allotment: how many trials run at once and what each gets.
        record: open; its events are replayed first.
        precision: resolved, `fp32` or `bf16`.
        compile: resolved, `on` or `off`.
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
        places: Places | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.space = space
        self.facts = facts
        self.allotment = allotment
        self.state = SearchState()
        self.end_reason: str | None = None  # why no further trial will come; None while one may
        self.failure: str | None = None  # what went wrong, when that is `failed`
        self._record = record
        self._resolved = {"precision": precision, "compile": compile}
        self._searcher = SEARCHERS[space.search.searcher](space)
        self._scheduler = SCHEDULERS[space.search.scheduler](
            space, facts.chance_error, facts.validation_images
        )
        self._configurations: dict[int, list[int]] = {}  # configuration -> its trials' numbers
        self._outside: set[int] = (
            set()
        )  # configurations of an earlier space of this search that this one lacks
        self._live: set[int] = set()
        self.places = places or places_for(allotment)
        self._unfinished = WaitingTrials()
        self._displaced: dict[int, int] = {}  # trial -> how many nodes have left under it
        for moment, event in record.events:
            self._learn(moment, event)
        record.subscribe(self._learn)
        self._clock = clock
        self._began = clock()
        self._spent_before = self.state.seconds_spent
        for trial in self.state.trials.values():
            if trial.status not in FINAL:
                self._unfinished.append(trial.number, self._cost(trial.number))

    @property
    def live(self) -> frozenset[int]:
        """Numbers of the trials that train now."""
        return frozenset(self._live)

    @property
    def precision(self) -> str:
        """Of all trials, resolved."""
        return self._resolved["precision"]

    @property
    def unended(self) -> frozenset[int]:
        """Numbers of the trials that train now, or were proposed and never began."""
        waiting = self._unfinished.numbers
        return self.live | {number for number in waiting if self.state.trials[number].status == "running"}

    @property
    def seconds_left(self) -> float | None:
        """Wall seconds that `search.max_hours` leaves over all sessions; None without a limit."""
        if self.space.search.max_hours is None:
            return None
        return self.space.search.max_hours * 3600 - self._spent_before - (self._clock() - self._began)

    def knows(self, known: Known) -> None:
        """Takes in what another search found; before the first proposal, to be of use to it."""
        self._record.append(known)

    def next_trial(self) -> Assignment | NoTrial:
        """The trial to train now; its proposal is on record when this returns."""
        self.look_at_clock()
        if self.end_reason in _AT_ONCE:
            return NoTrial.DONE
        if len(self._live) >= self.allotment.concurrent:
            return NoTrial.WAIT
        self._propose_the_last_ones()
        while True:
            for number in self._unfinished.in_order():
                if self._ends_at_last_report(number):
                    self._unfinished.remove(number)
                elif (grant := self.places.take(number, self._asked(number))) is not None:
                    self._unfinished.remove(number)
                    return self._assignment(self.state.trials[number], grant)
            # None waits, or there is room for a smaller one than those that wait.
            if len(self._unfinished) >= MOST_WAITING or not self.places.has_room():
                break
            if self.end_reason is not None or (proposed := self._propose()) is None:
                break
            self._unfinished.append(proposed, self._cost(proposed))
        # One that waits gets its place when another ends; one that trains may have to be tried again.
        return NoTrial.WAIT if self._live or self._unfinished else NoTrial.DONE

    def _propose_the_last_ones(self) -> None:
        """When the end of a grid is in sight: all that is left, so that the longest trials can begin first."""
        configurations = min(self.space.trials, self.space.size or self.space.trials)
        left = configurations * self.space.search.repeats - len(self.state.trials)
        in_sight = TRIALS_IN_SIGHT * self.allotment.concurrent
        if self.space.search.searcher != "grid" or left + len(self._unfinished) > in_sight:
            return
        self._unfinished.longest_first = True
        while self.end_reason is None and (proposed := self._propose()) is not None:
            self._unfinished.append(proposed, self._cost(proposed))

    def _cost(self, number: int) -> float:
        """Multiply-adds that a trial still has before it, for each image of the training split."""
        trial = self.state.trials[number]
        return trial.macs * (self.space.training.epochs - trial.epochs_done)

    def _asked(self, number: int) -> Asked:
        """What a trial needs of a GPU."""
        trial = self.state.trials[number]
        return Asked(self._workload(trial), trial.above_share, trial.above_bytes)

    def _workload(self, trial: TrialState) -> Workload:
        return workload_of(TrialConfig.from_dict(trial.config), self.facts)

    def started(self, number: int) -> None:
        """A trial has its process and begins to train."""
        if number not in self._live:  # it has ended meanwhile
            return
        grant = self.places.grant_of(number)
        self._record.append(Started(number, threads=grant.threads, gpu_fraction=grant.gpu_fraction))

    def reported(self, number: int, metrics: EpochMetrics, node: str, device: str) -> bool:
        """A trial completed an epoch. Whether it goes on."""
        self._record.append(Reported(number, metrics, node, device))
        if self._ends_at_last_report(number):
            return False
        self.look_at_clock()
        if self.end_reason in _AT_ONCE:
            self.interrupted(number, f"the search ended: {self.end_reason}")
            return False
        return True

    def met_test_split(self, number: int, told: Mapping[str, Any]) -> bool:
        """A trial asks for the test split, or tells what it said. Whether the trial goes on."""
        raise AssertionError(f"a search never opens the test split, but trial {number} told {told}")

    def diverged(self, number: int, epoch: int, error: str) -> None:
        """A trial's loss turned non-finite in `epoch`."""
        self._end(Diverged(number, epoch, error))

    def failed(self, number: int, error: str, out_of_memory: bool = False) -> None:
        """A trial raised an exception, which it would raise again; but memory may be had by a larger share of a GPU."""
        if out_of_memory and number in self._live and self.places.grant_of(number).gpu_fraction:
            told = self._retry_larger(number, error)
            if told is None:
                return
            error = told
        self._end(Failed(number, error, out_of_memory))
        self._look_at_failures()

    def _retry_larger(self, number: int, error: str) -> str | None:
        """Tries a trial again with more memory: None. When it had all that there is: the reason of its failure."""
        if self.end_reason in _AT_ONCE:
            self.interrupted(number, error)
            return None
        trial, grant = self.state.trials[number], self.places.grant_of(number)
        room = grant.room_bytes
        memory = f"{room / 1e9:.1f} GB" if room else f"{grant.gpu_fraction:g} of a GPU"
        reason = f"needs more than {memory} at batch size {trial.config['batch_size']}: {error}"
        above_share, above_bytes = max(trial.above_share, grant.gpu_fraction), max(trial.above_bytes, room)
        if not self.places.could_be_larger(Asked(self._workload(trial), above_share, above_bytes)):
            return reason
        self._record.append(Retried(number, reason, grant.gpu_fraction, room))
        self._unfinished.append(number, self._cost(number))
        return None

    def lost(self, number: int, error: str) -> None:
        """A trial was lost by a fault that can pass: it is tried again, `search.retries` times."""
        tries = self.state.trials[number].retries
        if number not in self._live:
            return
        if self.end_reason in _AT_ONCE:  # a signal to the whole group ends trial processes too
            self.interrupted(number, error)
            return
        if tries >= self.space.search.retries:
            self.failed(number, f"{error} (tried {tries + 1} times)" if tries else error)
            return
        self._record.append(Retried(number, error))
        self._unfinished.append(number, self._cost(number))

    def displaced(self, number: int, reason: str) -> None:
        """The node that a trial was on has left: the trial goes on elsewhere, and no try is charged.

        Unless that has happened too often: it may be the trial that ends the nodes.
        """
        if number not in self._live:
            return
        self._displaced[number] = self._displaced.get(number, 0) + 1
        if self._displaced[number] > DISPLACED_BEFORE_CHARGED:
            self.lost(number, reason)
            return
        self.interrupted(number, reason)
        if self.end_reason not in _AT_ONCE:
            self._unfinished.append(number, self._cost(number))

    def storage_failed(self, number: int, error: str) -> None:
        """What a trial has learned can no longer be stored: nothing goes on until somebody makes room."""
        self._fail(error)
        self.interrupted(number, error)

    def ray_ended(self) -> int:
        """Ray is gone and no trial can go on in this session. The exit status that follows."""
        self._fail("Ray's processes on this machine have ended")
        return 130 if self.end_reason == "interrupted" else 1

    def interrupted(self, number: int, reason: str) -> None:
        """A trial ended with its session; the next one goes on with it."""
        if number in self.unended:
            self._record.append(Interrupted(number, reason))

    def interrupt(self) -> None:
        """The user wants to stop: no trial starts any more, running ones end after their epoch."""
        over = self.end_reason in ("finished", "exhausted") and not (self._live or self._unfinished)
        if self.end_reason != "failed" and not over:
            self.end_reason = "interrupted"

    def _look_at_failures(self) -> None:
        ended = [trial.status for trial in self.state.trials.values() if trial.status in FINAL]
        failed = ended.count("failed")
        most = self.space.search.max_failed_share
        if len(ended) >= ENDED_BEFORE_GIVING_UP and failed > most * len(ended):
            last = next(
                trial.error for trial in reversed(self.state.trials.values()) if trial.status == "failed"
            )
            self._fail(
                f"at most a share of {most:g} of the trials may fail (search.max_failed_share), "
                f"but {failed} of {len(ended)} did, the last one by: {last}"
            )

    def _fail(self, error: str) -> None:
        if self.end_reason not in ("interrupted", "failed"):
            self.end_reason, self.failure = "failed", error

    def _end(self, event: Diverged | Failed) -> None:
        """Ends a trial once; a second cause changes nothing."""
        if event.number in self._live:
            self._record.append(event)

    def look_at_clock(self) -> None:
        """Ends the search when its hours are over; may be called without an event, too."""
        left = self.seconds_left
        if left is None or left > 0:
            return
        # All may have been proposed already: the trials that still train must not go on either.
        if self.end_reason is None or (
            self.end_reason in ("finished", "exhausted") and (self._live or self._unfinished)
        ):
            self.end_reason = "max_hours"

    def _propose(self) -> int | None:
        """The next repeat of the last configuration, or the first of a new one: its number, once on record."""
        number = len(self.state.trials)
        configuration, repeat = divmod(number, self.space.search.repeats)
        if configuration >= self.space.trials:
            self.end_reason = "finished"
            return None
        proposal = self._proposal(configuration, repeat)
        if proposal is None:
            self._record.append(Exhausted(configuration - len(self._outside)))
            self.end_reason = "exhausted"
            return None
        hparams, config = proposal
        height, width, channels = self.facts.image_shape
        self._record.append(
            Proposed(
                number=number,
                trial_id=trial_id(number, config),
                configuration=configuration,
                repeat=repeat,
                hparams=hparams,
                config=config.to_dict(),
                num_params=num_params(config.architecture, self.facts.num_classes, channels),
                macs=macs(config.architecture, self.facts.num_classes, channels, (height, width)),
            )
        )
        return number

    def _proposal(self, configuration: int, repeat: int) -> tuple[Hparams, TrialConfig] | None:
        """What to train next; None when the space has run out."""
        seed = derived_seed(self.space.search.seed, "trial", configuration, repeat)
        if repeat:  # as its first one was trained, also when the space has changed since
            first = self.state.trials[len(self.state.trials) - 1]
            return first.hparams, dataclasses.replace(TrialConfig.from_dict(first.config), seed=seed)
        hparams = self._searcher.propose(configuration)
        if hparams is None:
            return None
        return hparams, self.space.trial_config(hparams, seed, **self._resolved)

    def _assignment(self, trial: TrialState, grant: Grant) -> Assignment:
        self._live.add(trial.number)
        # Where the images lie may change between sessions; what they are may not.
        config = TrialConfig.from_dict(trial.config)
        dataset = config.dataset.model_copy(update={"root": self.space.dataset.root})
        config = dataclasses.replace(config, dataset=dataset)
        return Assignment(trial.number, trial.trial_id, config, trial.epochs_done, grant)

    def _ends_at_last_report(self, number: int) -> bool:
        """Whether a trial ends with what it has reported, by its last epoch or by its rung; then that is on record."""
        trial = self.state.trials[number]
        if not trial.reports:
            return False
        epoch = trial.reports[-1][1].epoch
        if epoch >= self.space.training.epochs:
            return self._completed(number)
        stop = self._scheduler.decide(number, epoch)
        if stop is not None:
            self._record.append(Stopped(number, stop.rung, stop.reason))
        return stop is not None

    def _completed(self, number: int) -> bool:
        """A trial has reported its last epoch. Whether that is its end."""
        self._record.append(Completed(number))
        return True

    def _learn(self, moment: float, event: Event) -> None:
        """The one place where a written event changes what is known; live and replayed events alike."""
        self.state.apply(moment, event)
        match event:
            case Proposed():
                self._configurations.setdefault(event.configuration, []).append(event.number)
                if event.repeat == 0:
                    self._learn_proposal(event)
            case Known():
                hparams = searched_values(self.space, event.leaves)
                if hparams is not None:
                    curve = {int(epoch): float(error) for epoch, error in event.curve.items()}
                    self._searcher.known(event.source, hparams, curve, event.full)
            case Reported():
                if event.metrics.val_error is not None:
                    self._scheduler.observe(event.number, event.metrics.epoch, event.metrics.val_error)
            case Stopped() | Completed() | Diverged() | Failed():
                self._leaves(event.number)
                self._tell(self.state.trials[event.number].configuration)
            case Retried():
                self._leaves(event.number)
                self.places.learn(self._workload(self.state.trials[event.number]), event.memory_bytes)
            case Interrupted():
                self._leaves(event.number)
            case _:
                pass

    def _leaves(self, number: int) -> None:
        """A trial trains no longer."""
        self._live.discard(number)
        self.places.leave(number)

    def _learn_proposal(self, event: Proposed) -> None:
        """The searcher hears of what lies in its space; an earlier session may have had a wider one."""
        hparams = hparams_within(self.space, event.config)
        if hparams is None:
            self._outside.add(event.configuration)
        else:
            self._searcher.proposed(event.configuration, hparams)

    def _tell(self, configuration: int) -> None:
        """Tells the searcher of a configuration whose repeats have all ended."""
        if configuration in self._outside:
            return
        trials = [self.state.trials[number] for number in self._configurations[configuration]]
        if len(trials) == self.space.search.repeats and all(trial.status in FINAL for trial in trials):
            ended = [ended_trial(trial) for trial in trials]
            self._searcher.told(configuration, outcome_of(ended, self.facts.chance_error))


def trial_id(number: int, config: TrialConfig) -> str:
    """`00007-3f2a9c1d`: the number, and a hash of all that fixes the training but where its files lie."""
    identity: dict[str, Any] = config.to_dict()
    identity["dataset"] = {key: value for key, value in identity["dataset"].items() if key != "root"}
    text = json.dumps(identity, sort_keys=True)
    return f"{number:05d}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
