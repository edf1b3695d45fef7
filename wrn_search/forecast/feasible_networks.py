"""Which networks of a space keep to `constraints.seconds_per_epoch` and `peak_memory_bytes`, by prediction.

Only the machine that trains can tell: its pace by multiply-adds (`forecast/pace.py`), its arithmetic, its share of a
GPU. What is left goes into the space, as the least and the most widening factor of each block and depth, and so on
record: a resumed search has the same networks.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.image_facts import DataFacts, workload_of
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.errors import InputError, Problem
from wrn_search.forecast.forecast_here import Machines, images_of_an_epoch, pace_for
from wrn_search.forecast.pace import Pace
from wrn_search.memory.choice_of_probes import telling_values
from wrn_search.memory.gpu_shares import share_of
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.trial_on_cpu import trial_bytes_on_cpu
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.domains import Domain, Scalar
from wrn_search.space.network_budgets import predicted_budgets
from wrn_search.space.rules.across_keys.rules_across_keys import broken_rules
from wrn_search.space.rules.broken_rule import dotted
from wrn_search.space.rules.budget_rules import PredictedWidths, shown
from wrn_search.space.space import Space

_IN_WORDS = {"seconds_per_epoch": "{:.3g} s an epoch", "peak_memory_bytes": "{:,.0f} bytes"}
Predict = Callable[[Architecture], float]


@dataclass(frozen=True)
class Feasible:
    """A space of which only networks are left that are predicted to keep to its constraints."""

    space: Space
    kept: int  # networks
    of: int
    basis: str  # what the predictions rest on

    @property
    def line(self) -> str:
        """For the plan."""
        share = f"{self.kept:,} of {self.of:,} networks"
        return f"feasible      {share} are predicted to keep to the constraints ({self.basis})"


def feasible_space(
    space: Space,
    facts: DatasetFacts,
    data: DataFacts,
    allotment: Allotment,
    machines: Machines,
    precision: str,
) -> Feasible | None:
    """The space without what is predicted not to be feasible; None where nothing must be predicted.

    Args:
        space: the search.
        facts, data: of its images.
        allotment: what a trial gets.
        machines: that train.
        precision: resolved.

    Raises:
        InputError: no network is left, with the nearest; or a point of `search.points` is not feasible.
    """
    budgets = predicted_budgets(space.constraints)
    if not budgets:
        return None
    plain = space.model_copy(update={"constraints": space.constraints.model_copy(update={"predicted": None})})
    predictions, basis = _predictions(plain, facts, data, allotment, machines, precision)
    limits = [(predictions[name], low, high) for name, low, high in budgets]
    found: PredictedWidths = {}
    nearest: tuple[float, Architecture] | None = None
    kept = of = 0
    for block, depth, row in _rows(plain):
        of += len(row)
        low, high = _span(row, limits)
        kept += max(0, high - low)
        if low < high:
            found.setdefault(block, {})[str(depth)] = row[low].widen_factor, row[high - 1].widen_factor
        elif nearest is None or not found:
            candidates = {min(max(0, place), len(row) - 1) for place in (low, high, high - 1)}
            nearest = min(
                [
                    *([nearest] if nearest else []),
                    *((_miss(row[each], limits), row[each]) for each in candidates),
                ],
                key=lambda each: each[0],
            )
    if not kept or (kept < of and not _has_a_lattice(plain)):
        worst = None if nearest is None else nearest[1]
        raise InputError.of(f"constraints.{budgets[0][0]}", _none_text(plain, predictions, worst, of, basis))
    constraints = plain.constraints.model_copy(update={"predicted": found})
    left = plain.model_copy(update={"constraints": constraints})
    problems = [Problem(dotted(broken.at[:2]), broken.text) for broken in broken_rules(left)]
    if problems:  # such as a point of the file whose network is none of those that are left
        raise InputError(problems)
    return Feasible(left, kept, of, basis)


def _has_a_lattice(space: Space) -> bool:
    """Whether networks can be left out: not where the points of the file are the whole search."""
    return not isinstance(space.axes, ListedPoints)


def _rows(space: Space) -> Iterator[tuple[str, int, Sequence[Architecture]]]:
    """(block, depth, its networks by rising widening factor) of all networks of the space."""
    rows: dict[tuple[str, int], list[Architecture]] = {}
    for network in space.networks or (space.listed.networks if space.listed else ()):
        rows.setdefault((network.block, network.depth), []).append(network)
    for (block, depth), networks in rows.items():
        yield block, depth, sorted(networks, key=lambda each: each.widen_factor)


def _span(row: Sequence[Architecture], limits: Sequence[tuple[Predict, float, float]]) -> tuple[int, int]:
    """[first, last) of a row within all limits: what is predicted rises with the widening factor."""
    first, last = 0, len(row)
    for predict, low, high in limits:
        first = max(first, bisect.bisect_left(row, low, key=predict))
        last = min(last, bisect.bisect_right(row, high, key=predict))
    return first, last


def _miss(network: Architecture, limits: Sequence[tuple[Predict, float, float]]) -> float:
    """By how many powers of e a network misses all limits together."""
    total = 0.0
    for predict, low, high in limits:
        value = max(predict(network), 1e-300)
        total += max(
            0.0, math.log(max(low, 1e-300) / value), math.log(value / high) if high < math.inf else 0.0
        )
    return total


def _of_most_memory(name: str, domain: Domain) -> Scalar:
    """The value of a hyperparameter with which a network takes most."""
    values = telling_values(name, domain)
    if name == "gradient_accumulation":
        return values[0]
    return "adamw" if "adamw" in values else values[-1]


def _predictions(
    space: Space,
    facts: DatasetFacts,
    data: DataFacts,
    allotment: Allotment,
    machines: Machines,
    precision: str,
) -> tuple[dict[str, Predict], str]:
    """What is predicted of a network, by the name of its constraint; and what that rests on."""
    train, validation = images_of_an_epoch(space, facts)
    height, width, channels = data.image_shape
    on_gpu = machines.device(allotment) == "cuda"
    gpu_bytes = min((node.gpu_bytes for node in machines.nodes if node.gpus), default=0)
    largest = {name: _of_most_memory(name, domain) for name, domain in space.hyperparameters.items()}
    shape = space.shape_of(space.networks[0]) if space.networks else {}
    example = space.trial_config({**largest, **shape}, 0, precision=precision, compile="off")
    workload = replace(
        workload_of(example, data, allotment.gpus_per_trial), device="cuda" if on_gpu else "cpu"
    )

    def peak(network: Architecture) -> float:
        own = replace(workload, architecture=network)
        return trial_memory(own).allocated_bytes if on_gpu else trial_bytes_on_cpu(own)

    def seconds(network: Architecture) -> float:
        assert pace is not None
        size = macs(network, data.num_classes, channels, (height, width))
        share = allotment.gpus_per_trial
        if allotment.by_memory:
            own = replace(workload, architecture=network)
            share = share_of(own, int(peak(network)), gpu_bytes) or 1.0
        return pace.seconds_per_epoch(size, train, validation, share)

    predictions: dict[str, Predict] = {"peak_memory_bytes": peak}
    basis, pace = "memory in closed form", _pace_if_asked(space, facts, allotment, machines)
    if pace is not None:
        predictions["seconds_per_epoch"] = seconds
        basis = f"seconds {pace.source}"
    return predictions, basis


def _pace_if_asked(
    space: Space, facts: DatasetFacts, allotment: Allotment, machines: Machines
) -> Pace | None:
    if space.constraints.seconds_per_epoch is None:
        return None
    pace = pace_for(space, facts, allotment, machines)
    if pace is None:
        text = "must be predicted on the machine that trains, but nothing tells its pace"
        raise InputError.of("constraints.seconds_per_epoch", text)
    return pace


def _none_text(
    space: Space, predictions: dict[str, Predict], nearest: Architecture | None, of: int, basis: str
) -> str:
    names = [name for name, _, _ in predicted_budgets(space.constraints)]
    wanted = " and ".join(shown(name, getattr(space.constraints, name)) for name in names)
    if nearest is None:
        return f"every point must have {wanted}, but some have not"
    told = " and ".join(_IN_WORDS[name].format(predictions[name](nearest)) for name in names)
    which = f"none of {of} has by prediction: the nearest is"
    if not _has_a_lattice(space):
        which = "by prediction this one has not:"
    return f"some network of the space must have {wanted}, but {which} {exact_name(nearest)} with {told} ({basis})"
