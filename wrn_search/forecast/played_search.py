"""How many trials a search will train to their ends, by playing its scheduler on made-up curves.

The conductor itself decides, for trials without training and without Ray, on a clock of its own. Stretches between two
rungs are played as one report each: decisions fall at rungs alone.
"""

from __future__ import annotations

import heapq
import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wrn_search.decisions.gpu_packing import Places
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.decisions.unwritten_record import UnwrittenRecord
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.hardware.machine import Node
from wrn_search.results.events import Event, Proposed, SearchStarted
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import TrialState
from wrn_search.searchers.anchors import Anchors
from wrn_search.searchers.grid_search import GridSearcher
from wrn_search.searchers.searcher import Hparams
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar, finite_values
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig

PLAYS = 10
_MOST_TRIALS = 2_000  # of a search that is played at all: a second or two
_MOST_IN_ALL = 640  # trials of all plays together
ASSUMPTION = "made-up curves, whose order at a rung is that at the end but for noise"
_MOST_CELLS = 10_000  # networks of a space whose cells are counted
_NOISE = (
    0.35  # of the deviation over configurations, at the first rung: Kendall's tau with the end of about 0.7
)
# Of a training, given the multiply-adds of one image and its share of a GPU (0 on a CPU).
SecondsPerEpoch = Callable[[TrialConfig, int, float], float]


@dataclass(frozen=True)
class Forecast:
    """What is to be expected of a search, in the middle of many plays."""

    trials: int  # configurations times repeats
    completed: float  # trials that reach their last epoch
    cells: int | None  # networks by depth and width that can be proposed; None where they are not finite
    cells_reached: float  # with a trial at its last epoch
    epochs_share: float  # of all epochs if no trial were stopped
    seconds: float | None  # of wall time; None where no pace is known
    plays: int


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
    if rows > _MOST_TRIALS:
        return None
    plays = max(1, min(PLAYS, _MOST_IN_ALL // max(1, rows)))
    found = [_play(space, facts, rows, allotment, seconds_per_epoch, nodes, seed) for seed in range(plays)]
    completed, reached, shares, seconds = (list(column) for column in zip(*found, strict=True))
    return Forecast(
        trials=rows,
        completed=statistics.fmean(completed),
        cells=_cells(space),
        cells_reached=statistics.fmean(reached),
        epochs_share=statistics.fmean(shares),
        seconds=statistics.median(seconds) if seconds_per_epoch is not None else None,
        plays=plays,
    )


def _cells(space: Space) -> int | None:
    if space.networks is not None and len(space.networks) > _MOST_CELLS:
        return None
    if space.networks is not None:
        return len({(network.depth, network.widen_factor) for network in space.networks})
    depths, widths = finite_values(space.model.depth), finite_values(space.model.widen_factor)
    return None if depths is None or widths is None else len(depths) * len(widths)


def _play(
    space: Space,
    facts: DataFacts,
    rows: int,
    allotment: Allotment,
    seconds_per_epoch: SecondsPerEpoch | None,
    nodes: Sequence[Node],
    seed: int,
) -> tuple[int, int, float, float]:
    """(completed trials, cells that they lie in, share of the epochs, seconds) of one play."""
    ends = (*rungs_of(space), space.training.epochs)  # epochs at which the stretches end
    record = UnwrittenRecord(SearchStarted(space.name, "played", len(ends), facts.chance_error, "", ""))
    plan = _DrawnPlan(space, rows, random.Random(seed))
    places = Places(nodes, allotment) if nodes else None
    played = _of_stretches(space, len(ends))
    conductor = Conductor(played, facts, allotment, record, plan=plan, places=places)
    curves = _Curves(facts.chance_error, len(ends), random.Random(f"curves {seed}"))
    running: list[tuple[float, int, int]] = []  # (when it ends, trial, stretch from 1)
    now, epochs = 0.0, 0

    def begin(number: int, stretch: int, config: TrialConfig) -> None:
        nonlocal epochs
        many = ends[stretch - 1] - (ends[stretch - 2] if stretch > 1 else 0)
        epochs += many
        macs = conductor.state.trials[number].macs
        share = conductor.places.grant_of(number).gpu_fraction
        each = 1.0 if seconds_per_epoch is None else seconds_per_epoch(config, macs, share)
        heapq.heappush(running, (now + many * each, number, stretch))

    configs: dict[int, TrialConfig] = {}
    while True:
        while isinstance(answer := conductor.next_trial(), Assignment):
            conductor.started(answer.number)
            configs[answer.number] = answer.config
            begin(answer.number, answer.epochs_done + 1, answer.config)
        if not running:
            break
        now, number, stretch = heapq.heappop(running)
        error = curves.at(conductor.state.trials[number], stretch)
        if conductor.reported(number, _metrics(stretch, error), "", "") and stretch < len(ends):
            begin(number, stretch + 1, configs[number])
    done = [trial for trial in conductor.state.trials.values() if trial.status == "completed"]
    cells = {(trial.config["depth"], trial.config["widen_factor"]) for trial in done}
    return len(done), len(cells), epochs / (rows * space.training.epochs), now


def _of_stretches(space: Space, stretches: int) -> Space:
    """The same search with an epoch for each stretch between rungs."""
    rungs = tuple(range(1, stretches)) or "schedule"
    search = space.search.model_copy(
        update={"rungs": rungs, "grace_period": 1, "max_hours": None, "stop_when": None}
    )
    training = space.training.model_copy(update={"epochs": stretches, "lr_drops": ()})
    return space.model_copy(update={"search": search, "training": training})


class _Curves:
    """Validation errors that fall towards each configuration's own, which seeds and rungs blur."""

    def __init__(self, chance_error: float, stretches: int, generator: random.Random):
        self._chance = chance_error
        self._stretches = stretches
        self._generator = generator
        self._ends: dict[int, float] = {}  # configuration -> error at the end, as a share of chance

    def at(self, trial: TrialState, stretch: int) -> float:
        """Percent, at the end of a stretch."""
        if trial.configuration not in self._ends:
            self._ends[trial.configuration] = self._generator.uniform(0.1, 0.4)
        left = 1 - stretch / self._stretches
        blur = _NOISE * (0.3 / math.sqrt(12)) * (0.3 + left) * self._generator.gauss(0, 1)
        return self._chance * min(0.8, max(0.01, self._ends[trial.configuration] + 0.3 * left + blur))


class _DrawnPlan:
    """Proposes at random, or the points of a space that is tried as a whole.

    Which configurations a searcher that learns finds, nobody knows before.
    """

    reads_test_split = False
    outside = 0

    def __init__(self, space: Space, rows: int, generator: random.Random):
        self._space = space
        self._configurations = rows // space.search.repeats
        self._generator = generator
        self._searched = space.searched
        self._anchors = Anchors(self._searched, space.search.anchors)
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


def _metrics(epoch: int, val_error: float) -> EpochMetrics:
    return EpochMetrics(epoch, 0.0, 1.0, val_error, 1.0, val_error, 1.0, 1.0, 0)
