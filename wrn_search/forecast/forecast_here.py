"""The forecast of a search, in words and as values, for `check` (on this machine) and `--dry-run`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.budget.most_trials import most_trials
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trials_at_once import Allotment, allot
from wrn_search.errors import InputError
from wrn_search.forecast.ends_of_a_space import ends_of
from wrn_search.forecast.facts_before_preparation import known_facts
from wrn_search.forecast.modelled_pace import modelled_pace
from wrn_search.forecast.pace import Pace, assumed_pace, pace_of_trials, probed_pace, recorded_pace
from wrn_search.forecast.played_search import ASSUMPTION, Forecast, forecast
from wrn_search.forecast.time_to_start import time_to_start
from wrn_search.hardware.detected_cores_and_gpus import gpu_names, local_node, usable_cores
from wrn_search.hardware.machine import Node
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.rules.across_keys.rules_of_search_budgets import least_passes
from wrn_search.space.search_explanation import network_range
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig
from wrn_search.wording import duration, plural

_USUAL = DatasetFacts(10, (32, 32, 3), 50_000)  # to play with, where only the files can tell
_INDENT = " " * 14  # of the plan's columns


@dataclass(frozen=True)
class ForecastHere:
    """A forecast with what it rests on."""

    expected: Forecast
    pace: Pace | None
    seconds_an_epoch: tuple[float, float] | None  # of the smallest and of the largest network
    max_hours: float | None
    start_seconds: float  # to the first epoch; `expected.seconds` holds them

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            **asdict(self.expected),
            "assumption": ASSUMPTION,
            "pace": self.pace.source if self.pace else None,
            "start_seconds": self.start_seconds,
            "seconds_an_epoch": list(self.seconds_an_epoch) if self.seconds_an_epoch else None,
        }

    def lines(self) -> list[str]:
        """For the plan."""
        found = self.expected
        parts = [f"about {found.completed:.0f} of {plural(found.trials, 'trial')} will reach the end"]
        if found.cells is not None:
            parts.append(f"in {found.cells_reached:.0f} of {plural(found.cells, 'cell')}")
        parts.append(f"{found.epochs:,.0f} epochs ({100 * found.epochs_share:.0f} % of all)")
        parts.append("time not known" if found.seconds is None else duration(found.seconds))
        if found.gpu_hours is not None:
            parts.append(f"{found.gpu_hours:.3g} GPU-hours")
        cut = self.max_hours is not None and (found.seconds or 0) > 3600 * self.max_hours
        ends = f"; search.max_hours ends it after {duration(3600 * (self.max_hours or 0))}" if cut else ""
        return [
            f"forecast      {', '.join(parts)}{ends}",
            *self._rung_lines(),
            f"{_INDENT}by {plural(found.plays, 'play')} of the scheduler on {ASSUMPTION};",
            f"{_INDENT}{self._pace_text()}",
            *self._answer_lines(),
        ]

    def _rung_lines(self) -> list[str]:
        """How many trials come how far, and where the epochs go."""
        rungs = self.expected.by_rung
        if len(rungs) < 2:
            return []
        told = ", ".join(f"{trials:.0f} reach {epoch} ({spent:,.0f})" for epoch, trials, spent in rungs)
        return [f"{_INDENT}trials by epoch, with the epochs on the way there: {told}"]

    def _answer_lines(self) -> list[str]:
        """How surely it will answer."""
        names = {
            "depth_vs_width": "depth against width",
            "depth": "a doubling of depth",
            "width": "a doubling of width",
        }
        told = [
            f"{names[each]} within a factor of {factor:.2f}" for each, factor in self.expected.within.items()
        ]
        if not told:
            return []
        return [
            f"answer        {', '.join(told)}",
            f"{_INDENT}of the odds of an error: 95 % intervals, as wide as the curve model expects them beforehand",
        ]

    def prediction(self) -> dict[str, Any]:
        """What is put on record when a search begins, to be held against what came."""
        found = self.expected
        return {
            "seconds": found.seconds,
            "epochs": round(found.epochs),
            "trials": found.trials,
            "completed": round(found.completed, 1),
            "gpu_hours": found.gpu_hours,
            "within": {question: round(factor, 3) for question, factor in found.within.items()},
            "pace": self.pace.source if self.pace else None,
        }

    def _pace_text(self) -> str:
        if self.pace is None or self.seconds_an_epoch is None:
            return "no earlier trial of such networks on this machine tells the time (--dry-run probes it)"
        fast, slow = map(_short, self.seconds_an_epoch)
        span = fast if fast == slow else f"{fast} to {slow}"
        return f"{duration(self.start_seconds)} to start, then {span} an epoch, {self.pace.source}"


def _short(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)


def forecast_here(space: Space, facts: DatasetFacts, results: Path) -> ForecastHere | None:
    """The forecast for this machine as it is, without a probe; None where it cannot hold the search."""
    rows = most_trials(space)
    learns = SEARCHERS[space.search.searcher].learns
    try:
        node = local_node()
        allotment = allot(space.resources, [node], space.trials_at_least, rows, learns)
    except InputError:
        return None
    return forecast_of(space, facts, rows, allotment, Machines((node,), results))


@dataclass(frozen=True)
class Machines:
    """Those that would train, and what may be asked of them."""

    nodes: Sequence[Node]
    results: Path  # where earlier results directories lie
    hosts: Sequence[str] | None = (
        None  # names of the nodes of a cluster; None: it is this machine that trains
    )
    simulated_gpus: bool = False  # trials with a share of one train on the CPU
    precision: str | None = None  # resolved; a probe may run on this machine. None: it may not

    def device(self, allotment: Allotment) -> str:
        """Where trials train: cpu or cuda."""
        return "cuda" if allotment.gpus_per_trial and not self.simulated_gpus else "cpu"


def forecast_of(
    space: Space,
    facts: DatasetFacts,
    rows: int,
    allotment: Allotment,
    machines: Machines,
) -> ForecastHere | None:
    """The forecast of a search that begins; None where it is too large to be played.

    Args:
        space: the search.
        facts: of its images.
        rows: trials at most.
        allotment: how many run at once.
        machines: those that train.
    """
    shape, classes = facts.image_shape, facts.num_classes
    pace, sizes = None, []
    if shape is not None and classes is not None:
        height, width, channels = shape
        sizes = [macs(each, classes, channels, (height, width)) for each in network_range(space)]
        pace = pace_for(space, facts, allotment, machines)
    train, validation = images_of_an_epoch(space, facts)
    seen = known_facts(space, facts) or DataFacts(
        classes or 10, shape or (32, 32, 3), validation, 100.0, train
    )
    seen = replace(seen, chance_error=100 * (1 - 1 / (classes or 10)), train_images=train)

    def seconds(config: TrialConfig, size: int, gpu_fraction: float) -> float:
        assert pace is not None
        return pace.seconds_per_epoch(size, train, validation, gpu_fraction)

    fastest = (
        min((pace.seconds_per_epoch(size, train, validation) for size in sizes), default=0.0) if pace else 0.0
    )
    rows = _as_paid_for(space, rows, allotment, fastest, least_passes(space) * min(sizes, default=0) * train)
    expected = forecast(space, seen, rows, allotment, seconds if pace else None, machines.nodes)
    if expected is None:
        return None
    span = None
    if pace is not None:
        fast, slow = sorted(pace.seconds_per_epoch(size, train, validation) for size in sizes)
        span = (fast, slow)
    start = time_to_start(machines.results, pace.waiting if pace else 1.0)
    if expected.seconds is not None:
        expected = replace(expected, seconds=start + expected.seconds)
    return ForecastHere(expected, pace, span, space.search.max_hours, start)


def _as_paid_for(space: Space, rows: int, allotment: Allotment, seconds: float, passes: int) -> int:
    """Trials at most under a budget, if all were of the fastest, or smallest, network and none passed the first rung.

    Args:
        space: the search.
        rows: trials at most for other reasons.
        allotment: how many run at once, and on what.
        seconds: of an epoch of the fastest network; 0 is not known.
        passes: of an epoch of the smallest network, multiply-adds x images in each pass; 0 is not known.
    """
    budget, first = space.search.budget or {}, (*rungs_of(space), space.training.epochs)[0]
    most = [float(rows)]
    if "hours" in budget and seconds:
        most.append(3600 * budget["hours"] * allotment.concurrent / (first * seconds))
    if "gpu_hours" in budget and seconds and allotment.gpus_per_trial:
        most.append(3600 * budget["gpu_hours"] / (first * seconds * allotment.gpus_per_trial))
    if "network_passes" in budget and passes:
        most.append(budget["network_passes"] / (first * passes))
    return max(space.search.repeats, int(min(most)) + allotment.concurrent if min(most) < rows else rows)


def pace_for(space: Space, facts: DatasetFacts, allotment: Allotment, machines: Machines) -> Pace | None:
    """The pace of the machines that train, for the networks of a space; None where nothing tells it."""
    if facts.image_shape is None or facts.num_classes is None:
        return None
    height, width, channels = facts.image_shape
    sizes = [macs(each, facts.num_classes, channels, (height, width)) for each in network_range(space)]
    pace = _pace(space, facts, allotment, machines, sizes)
    return pace_of_trials(pace, space, machines.device(allotment), allotment.cpus_per_trial)


def _pace(
    space: Space,
    facts: DatasetFacts,
    allotment: Allotment,
    machines: Machines,
    sizes: Sequence[int],
) -> Pace | None:
    """By earlier trials that were alone, else a probe if there may be one, else trials beside others, else assumed."""
    device, threads = machines.device(allotment), allotment.cpus_per_trial
    recorded = recorded_pace(machines.results, device, threads, machines.hosts)
    if recorded is not None and all(map(recorded.covers, sizes)):
        return recorded
    beside = recorded_pace(machines.results, device, threads, machines.hosts, shared=True)
    if beside is not None and not all(map(beside.covers, sizes)):
        beside = None
    if device == "cuda" and (machines.precision is None or machines.hosts is not None):
        return beside or _untold_pace(space, facts, machines)  # not at hand, or may not be used for it
    if machines.precision is None or (machines.hosts is not None and beside is not None):
        return beside
    assert facts.num_classes is not None
    assert facts.image_shape is not None
    ends = ends_of(space, machines.precision)
    try:
        probed = probed_pace(ends, facts.num_classes, facts.image_shape, min(threads, usable_cores()), device)
    except RuntimeError:  # a GPU that has no room for the largest network, or is another's
        if device == "cpu":
            raise
        return beside or _untold_pace(space, facts, machines)
    if machines.hosts is None:
        return probed
    return replace(probed, source=f"{probed.source} on this machine, as if the nodes' cores were as fast")


def _untold_pace(space: Space, facts: DatasetFacts, machines: Machines) -> Pace:
    """Of GPUs of which no trial and no probe tells: modelled where they are of a known kind, else assumed."""
    assert facts.num_classes is not None
    assert facts.image_shape is not None
    own = machines.hosts is None
    kinds = set(gpu_names()) if own else {node.accelerator for node in machines.nodes if node.gpus}
    asked = space.training.precision
    ends = ends_of(space, "bf16" if asked == "auto" else asked)  # what auto is on the kinds that are known
    return modelled_pace(ends, facts.num_classes, facts.image_shape, kinds) or assumed_pace()


def images_of_an_epoch(space: Space, facts: DatasetFacts) -> tuple[int, int]:
    """(images that are trained on, images that validate)."""
    known = facts if facts.train_images is not None else replace(facts, train_images=_USUAL.train_images)
    return space.dataset.trained_on(known) or 1, space.dataset.held_out(known) or 1
