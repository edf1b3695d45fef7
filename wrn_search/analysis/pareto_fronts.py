"""Pareto fronts of error against cost, and the hypervolume that the front of parameters dominates over time."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wrn_search.analysis.input_tables.configurations import (
    Configuration,
    are_all_shared,
    pooled_seed_deviation,
    reach_of,
)
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.objectives.dominance import is_on_front
from wrn_search.objectives.hypervolume import hypervolume as volume
from wrn_search.objectives.objective_table import INFERENCE_IMAGES, OBJECTIVE_TABLE
from wrn_search.seconds_alone import NONE_ALONE
from wrn_search.space.search_explanation import network_range
from wrn_search.wording import plural

UNITS = {"num_params": "parameters", "macs": "multiply-adds", "seconds_per_epoch": "seconds"}
WHERE_MEASURED = {name: OBJECTIVE_TABLE[name].unit for name in (*INFERENCE_IMAGES, "energy_kwh")}
_SHARED = (
    f"As {NONE_ALONE}, the seconds of none are its own and no front of them is told: give each trial a whole GPU "
    "(resources.gpus_per_trial: 1), or train one at a time (resources.concurrent: 1)."
)
MAX_STEPS = 1000  # of the hypervolume's trajectory


@dataclass(frozen=True)
class FrontPoint:
    """One trial at full epochs on the plane of cost and error."""

    trial: int
    network: str
    cost: float
    val_error: float  # percent; with repeats their median
    on_front: bool
    reach: float | None = None  # half of the error's 95 % interval, points: counting and seeds


@dataclass(frozen=True)
class Front:
    """Error against one cost, both to be low."""

    cost: str  # num_params | macs | seconds_per_epoch | inference_ms | inference_ms_64 | energy_kwh
    unit: str  # parameters | multiply-adds | seconds | ms | kWh
    points: tuple[FrontPoint, ...]  # one a configuration, by rising cost
    note: str  # such as that several devices are mixed in the times; empty if there is nothing to say

    @property
    def front(self) -> tuple[FrontPoint, ...]:
        """Points that no other dominates."""
        return tuple(point for point in self.points if point.on_front)


@dataclass(frozen=True)
class Pareto:
    """The fronts, and how the first of them grew."""

    fronts: tuple[Front, ...]  # by num_params, macs, seconds_per_epoch, and by what else was measured
    hypervolume: tuple[
        tuple[float, int, float], ...
    ]  # (hours of search, trials ended, share of the reference box)
    reference: tuple[float, float] | None  # (parameters of the largest network of the space, error of chance)
    reference_network: str
    why_no_hypervolume: str


def pareto_of(material: Material, configurations: Sequence[Configuration]) -> Pareto:
    """The fronts and the hypervolume of the first."""
    reference, network, why = _reference(material)
    steps = () if reference is None else _trajectory(material, reference)
    measured = {
        cost: unit
        for cost, unit in WHERE_MEASURED.items()
        if any(getattr(each, cost) is not None for each in configurations)
    }
    return Pareto(
        fronts=tuple(
            _front(cost, unit, material, configurations) for cost, unit in {**UNITS, **measured}.items()
        ),
        hypervolume=steps,
        reference=reference,
        reference_network=network,
        why_no_hypervolume=why or ("" if steps else "no trial has reached its last epoch"),
    )


def pareto_front(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points no other dominates; both coordinates to be low. Of equal points all are on the front.

    Args:
        points: (n, 2), finite.
    """
    return np.array(is_on_front(points.tolist()), dtype=bool)


def hypervolume(points: NDArray[np.float64], reference: tuple[float, float]) -> float:
    """Area that the points dominate up to the reference point, both coordinates to be low.

    Points beyond the reference point dominate nothing of the box.

    Args:
        points: (n, 2), finite.
        reference: the worst corner.
    """
    return volume(points.tolist(), reference)


def _front(cost: str, unit: str, material: Material, configurations: Sequence[Configuration]) -> Front:
    """One point a configuration, at the median of its repeats; of what is measured one a network."""
    chance, images = material.dataset.chance_error, material.dataset.validation_images
    measured = OBJECTIVE_TABLE[cost].measured
    timed = cost == "seconds_per_epoch"
    if timed and are_all_shared(material):
        return Front(cost, unit, (), _SHARED)
    deviation = pooled_seed_deviation(configurations)[0]
    known = [c for c in configurations if getattr(c, cost) is not None]
    costs = _of_networks(cost, known) if measured else {}
    if measured:
        known = _lowest_of_networks(known, chance)
    errors = [statistics.median(c.values(chance)) for c in known]
    values = [costs.get(c.network, float(getattr(c, cost))) for c in known]
    plane = np.array(list(zip(values, errors, strict=True)), dtype=float)
    on_front = pareto_front(plane.reshape(-1, 2))
    points = [
        FrontPoint(c.trial, c.network, value, error, bool(on), reach_of(c, images, deviation))
        for c, value, error, on in zip(known, values, errors, on_front, strict=True)
    ]
    return Front(
        cost=cost,
        unit=unit,
        points=tuple(sorted(points, key=lambda point: (point.cost, point.val_error, point.trial))),
        note=" ".join(
            filter(None, (_beside_others(configurations) if timed else "", _mixed_devices(material)))
        )
        if measured
        else "",
    )


def _of_networks(cost: str, configurations: Sequence[Configuration]) -> dict[str, float]:
    """Median of each network: single trials of one network differ by the noise of what is measured alone."""
    measured: dict[str, list[float]] = {}
    for c in configurations:
        measured.setdefault(c.network, []).append(getattr(c, cost) or 0.0)
    return {network: statistics.median(values) for network, values in measured.items()}


def _lowest_of_networks(configurations: Sequence[Configuration], chance: float | None) -> list[Configuration]:
    """The configuration with the lowest median of each network."""
    found: dict[str, Configuration] = {}
    for c in sorted(configurations, key=lambda c: c.order(chance)):
        found.setdefault(c.network, c)
    return list(found.values())


def _beside_others(configurations: Sequence[Configuration]) -> str:
    """Which networks are not here because no epoch of theirs had its device alone."""
    timed = {c.network for c in configurations if c.seconds_per_epoch is not None}
    lacking = {c.network for c in configurations} - timed
    if not timed or not lacking:
        return ""
    count = f"{plural(len(lacking), 'network')} of {len(timed | lacking)}"
    return f"Only epochs that had their device alone count: {count} had none and are not here."


def _mixed_devices(material: Material) -> str:
    rows = material.completed
    kinds = {
        (device, threads, share)
        for device, threads, share in zip(rows["device"], rows["threads"], rows["gpu_fraction"], strict=True)
        if isinstance(device, str)
    }
    if len(kinds) < 2:
        return ""
    return (
        f"These times are of {len(kinds)} kinds of hardware (device, threads, share of a GPU) and cannot be compared "
        "between them."
    )


def _reference(material: Material) -> tuple[tuple[float, float] | None, str, str]:
    """((parameters of the largest network of the spaces, error of chance), its name, why there is none)."""
    dataset = material.dataset
    if dataset.chance_error is None:
        return (
            None,
            "",
            "the error of chance is not known: neither the record nor the number of classes can be read",
        )
    if dataset.chance_error <= 0:  # a box without an area
        return None, "", "the error of chance is 0 %, because all validation images are of one class"
    largest = material.trials.loc[material.trials["num_params"].idxmax()]
    weights, name = int(largest["num_params"]), str(largest["network"])
    for source in material.sources:
        if source.space is not None and dataset.num_classes and dataset.image_shape:
            network = network_range(source.space)[1]
            count = num_params(network, dataset.num_classes, dataset.image_shape[2])
            weights, name = max((weights, name), (count, network.name))
    return (float(weights), dataset.chance_error), name, ""


def _trajectory(material: Material, reference: tuple[float, float]) -> tuple[tuple[float, int, float], ...]:
    """(hours of search so far, trials ended, share of the box from (0, 0) to the reference point) at each step up."""
    box = reference[0] * reference[1]
    ended = ended_in_time(material)
    columns = material.trials[["status", "num_params", "val_error"]]
    rows = columns.loc[[trial for _, trial in ended]].itertuples(index=False, name="Row")
    steps: list[tuple[float, int, float]] = []
    front = np.empty((0, 2))
    for count, ((hours, _), row) in enumerate(zip(ended, rows, strict=True), 1):
        if row.status != "completed":
            continue
        grown = np.vstack([front, [(float(row.num_params), float(row.val_error))]])
        grown = np.unique(grown[pareto_front(grown)], axis=0)
        if np.array_equal(grown, front):
            continue
        front = grown
        steps.append((hours, count, hypervolume(front, reference) / box))
    if steps and len(ended) > steps[-1][1]:
        steps.append((ended[-1][0], len(ended), steps[-1][2]))
    return tuple(_thinned(steps))


def ended_in_time(material: Material) -> list[tuple[float, int]]:
    """(hours, trial) of every ended one, by the time of its end.

    Hours of several searches are added up in the order in which they began, pauses between them left out.
    """
    rows = material.ended.dropna(subset=["finished_at"])
    hours_before, found = 0.0, []
    first = rows.groupby("source")["started_at"].min().sort_values()
    for source in first.index:
        own = rows[rows["source"] == source].sort_values("finished_at", kind="stable")
        begin = own["started_at"].min()
        hours = hours_before + (own["finished_at"] - begin).dt.total_seconds().clip(lower=0) / 3600
        found += list(zip(hours, own.index, strict=True))
        hours_before = max(float(hours.max()), hours_before) if len(own) else hours_before
    return [(float(hour), int(trial)) for hour, trial in found]


def _thinned(steps: list[tuple[float, int, float]]) -> list[tuple[float, int, float]]:
    """At most `MAX_STEPS` of them, the first and the last among them."""
    if len(steps) <= MAX_STEPS:
        return steps
    places = np.unique(np.linspace(0, len(steps) - 1, MAX_STEPS).round().astype(int))
    return [steps[place] for place in places]
