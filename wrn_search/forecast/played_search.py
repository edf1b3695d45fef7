"""How many trials a search will train to their ends, by playing its scheduler on made-up curves.

The conductor itself decides, for trials without training and without Ray, on a clock of its own. Stretches between two
rungs are played as one report each: decisions fall at rungs alone.
"""

from __future__ import annotations

import heapq
import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from wrn_search.decisions.gpu_packing import Places
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.decisions.unwritten_record import UnwrittenRecord
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.forecast.drawn_plan import DrawnPlan
from wrn_search.forecast.width_of_the_answer import intervals_of
from wrn_search.hardware.machine import Node
from wrn_search.results.events import SearchStarted
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import TrialState
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.space.domains import finite_values
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig

PLAYS = 10
_MOST_TRIALS = 2_000  # of a search that is played at all: a second or two
_MOST_IN_ALL = 640  # trials of all plays together
_SLOWER_BY_CURVES = (
    10  # a decision of a scheduler that goes by curves is: so many times fewer trials are played
)
ASSUMPTION = "made-up curves, whose order at a rung is that at the end but for noise"
_MOST_CELLS = 10_000  # networks of a space whose cells are counted
_ANSWERED = 4  # plays of which intervals are computed
_NOISE = (
    0.35  # of the deviation over configurations, at the first rung: Kendall's tau with the end of about 0.7
)
# Of a training, given the multiply-adds of one image and its share of a GPU (0 on a CPU).
SecondsPerEpoch = Callable[[TrialConfig, int, float], float]


@dataclass(frozen=True)
class Forecast:
    """What is to be expected of a search, in the middle of many plays."""

    trials: int  # configurations times repeats; under a budget those that will begin
    completed: float  # trials that reach their last epoch
    cells: int | None  # networks by depth and width that can be proposed; None where they are not finite
    cells_reached: float  # with a trial at its last epoch
    epochs: float  # of all trials
    epochs_share: float  # of all epochs if no trial were stopped
    by_rung: tuple[
        tuple[int, float, float], ...
    ]  # (epoch, trials that reach it, epochs spent on the way there)
    seconds: float | None  # of wall time; None where no pace is known
    gpu_hours: float | None  # shares of GPUs times wall hours; None without GPUs, or where no pace is known
    plays: int
    # question -> the factor by which its answer, itself a factor on the odds of an error, is known at 95 %
    within: Mapping[str, float] = field(default_factory=dict)


def forecast(
    space: Space,
    facts: DataFacts,
    rows: int,
    allotment: Allotment,
    seconds_per_epoch: SecondsPerEpoch | None,
    nodes: Sequence[Node] = (),
) -> Forecast | None:
    """The forecast for a search that begins; None where it is too large to be played.

    Args:
        space: the search.
        facts: of its images.
        rows: trials at most.
        allotment: how many train at once and what each gets; on GPUs of known memory that follows from its network.
        seconds_per_epoch: the pace of a trial beside the others.
        nodes: that train; default those that the allotment describes.
    """
    slower = _SLOWER_BY_CURVES if SCHEDULERS[space.search.scheduler].by_curves else 1
    if rows > _MOST_TRIALS // slower:
        return None
    plays = max(1, min(PLAYS, _MOST_IN_ALL // slower // max(1, rows)))
    found = [
        _Playing(space, facts, rows, allotment, seconds_per_epoch, nodes, seed).run() for seed in range(plays)
    ]
    begun = statistics.fmean(len(each.state.trials) for each in found)
    trials = round(begun) if space.search.budget else rows
    epochs = statistics.fmean(each.epochs for each in found)
    return Forecast(
        trials=trials,
        completed=statistics.fmean(len(each.completed) for each in found),
        cells=_cells(space),
        cells_reached=statistics.fmean(len(each.cells) for each in found),
        epochs=epochs,
        epochs_share=epochs / (max(1, trials) * space.training.epochs),
        by_rung=_by_rung(found),
        seconds=statistics.median(each.seconds for each in found) if seconds_per_epoch else None,
        gpu_hours=statistics.median(each.gpu_hours for each in found)
        if seconds_per_epoch and allotment.gpus_per_trial
        else None,
        plays=plays,
        within=_within([intervals_of(each.state, space, facts) for each in found[:_ANSWERED]]),
    )


def _within(answers: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The geometric mean of each question's factor over the plays that answer it."""
    told: dict[str, list[float]] = {}
    for answer in answers:
        for question, factor in answer.items():
            told.setdefault(question, []).append(factor)
    return {question: statistics.geometric_mean(factors) for question, factors in told.items()}


def _by_rung(found: Sequence[_Played]) -> tuple[tuple[int, float, float], ...]:
    reached = {}
    for end in found[0].ends:
        before = max((each for each in found[0].ends if each < end), default=0)
        many = statistics.fmean(play.reached.get(end, 0) for play in found)
        reached[end] = (end, many, many * (end - before))
    return tuple(reached.values())


def _cells(space: Space) -> int | None:
    if space.networks is not None and len(space.networks) > _MOST_CELLS:
        return None
    if space.networks is not None:
        return len({(network.depth, network.widen_factor) for network in space.networks})
    depths, widths = finite_values(space.model.depth), finite_values(space.model.widen_factor)
    return None if depths is None or widths is None else len(depths) * len(widths)


@dataclass(frozen=True)
class _Played:
    """What one play came to."""

    state: SearchState
    ends: tuple[int, ...]  # epochs at which the stretches end
    reached: Mapping[int, int]  # such an epoch -> trials
    seconds: float
    gpu_hours: float
    epochs: int

    @property
    def completed(self) -> list[TrialState]:
        """The trials that reached their last epoch."""
        return [trial for trial in self.state.trials.values() if trial.status == "completed"]

    @property
    def cells(self) -> set[tuple[int, float]]:
        """Networks that they have."""
        return {(trial.config["depth"], trial.config["widen_factor"]) for trial in self.completed}


class _Playing:
    """One play: an event queue with an entry for each trial that trains, at the end of its stretch."""

    def __init__(
        self,
        space: Space,
        facts: DataFacts,
        rows: int,
        allotment: Allotment,
        seconds_per_epoch: SecondsPerEpoch | None,
        nodes: Sequence[Node],
        seed: int,
    ):
        self._ends = (*rungs_of(space), space.training.epochs)
        self._pace = seconds_per_epoch
        self._now = 0.0
        started = SearchStarted(space.name, "played", space.training.epochs, facts.chance_error, "", "")
        search = space.search.model_copy(update={"max_hours": None, "stop_when": None})
        self._conductor = Conductor(
            space.model_copy(update={"search": search}),
            facts,
            allotment,
            UnwrittenRecord(started, lambda: self._now),
            plan=DrawnPlan(space, rows, random.Random(seed)),
            places=Places(nodes, allotment) if nodes else None,
            clock=lambda: self._now,
        )
        self._curves = _Curves(facts.chance_error, self._ends, random.Random(f"curves {seed}"))
        self._configs: dict[int, TrialConfig] = {}
        # (when it ends, trial, epoch at its end, seconds of each of its epochs)
        self._running: list[tuple[float, int, int, float]] = []

    def run(self) -> _Played:
        conductor, ends = self._conductor, self._ends
        reached: dict[int, int] = {}
        while True:
            while isinstance(answer := conductor.next_trial(), Assignment):
                conductor.started(answer.number)
                self._configs[answer.number] = answer.config
                last = conductor.state.trials[answer.number].last
                self._begin(answer.number, 0 if last is None else last.epoch)
            if not self._running:
                break
            self._now, number, epoch, each = heapq.heappop(self._running)
            reached[epoch] = reached.get(epoch, 0) + 1
            error = self._curves.at(conductor.state.trials[number], epoch)
            if conductor.reported(number, _metrics(epoch, error, each), "", "") and epoch < ends[-1]:
                self._begin(number, epoch)
        spent = conductor.funds.spent
        epochs, gpu_hours = int(spent["epochs"]), spent["gpu_hours"]
        return _Played(conductor.state, ends, reached, self._now, gpu_hours, epochs)

    def _begin(self, number: int, epoch: int) -> None:
        """A trial trains from an epoch on to the end of its stretch."""
        end = next(each for each in self._ends if each > epoch)
        share = self._conductor.places.grant_of(number).gpu_fraction
        macs = self._conductor.state.trials[number].macs
        each = 1.0 if self._pace is None else self._pace(self._configs[number], macs, share)
        heapq.heappush(self._running, (self._now + (end - epoch) * each, number, end, each))


class _Curves:
    """Validation errors that fall towards each configuration's own, which seeds and rungs blur."""

    def __init__(self, chance_error: float, ends: tuple[int, ...], generator: random.Random):
        self._chance = chance_error
        self._left = {end: 1 - place / len(ends) for place, end in enumerate(ends, start=1)}
        self._generator = generator
        self._ends: dict[int, float] = {}  # configuration -> error at the end, as a share of chance

    def at(self, trial: TrialState, epoch: int) -> float:
        """Percent, at the end of a stretch."""
        if trial.configuration not in self._ends:
            self._ends[trial.configuration] = self._generator.uniform(0.1, 0.4)
        left = self._left[epoch]
        blur = _NOISE * (0.3 / math.sqrt(12)) * (0.3 + left) * self._generator.gauss(0, 1)
        return self._chance * min(0.8, max(0.01, self._ends[trial.configuration] + 0.3 * left + blur))


def _metrics(epoch: int, val_error: float, seconds: float) -> EpochMetrics:
    return EpochMetrics(epoch, 0.0, 1.0, val_error, 1.0, val_error, seconds, 1.0, 0)
