"""Searches with several objectives: the front of them all at full epochs, and how it grew while they ran.

The hypervolume is the share of a box, each axis by its logarithm, that the front dominates. The box is stated, and the
same from the first trial on: up to the error of chance and the largest network of the space, down to half of one
validation image and the smallest network; of what is measured, which nobody knows before, from the lowest to the
highest.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wrn_search.analysis.input_tables.configurations import Configuration
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.pareto_fronts import ended_in_time
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.objectives.dominance import is_on_front
from wrn_search.objectives.hypervolume import Box
from wrn_search.objectives.objective_table import OBJECTIVE_TABLE, VAL_ERROR
from wrn_search.space.search_explanation import network_range

MAX_STEPS = 200  # of the front over time
_OF_AN_IMAGE = 50.0  # percent: half of one image is the lowest error that is told apart


@dataclass(frozen=True)
class AtFullEpochs:
    """One configuration with all its values."""

    trial: int
    network: str
    values: tuple[float, ...]  # in the order of the objectives; of repeats the median
    on_front: bool


@dataclass(frozen=True)
class FrontSoFar:
    """The front after a trial had ended."""

    hours: float  # of search, pauses left out
    epochs: int  # of all trials that had ended
    ended: int  # trials
    share: float | None  # of the box; None without one
    front: tuple[int, ...]  # trials on it, by rising error


@dataclass(frozen=True)
class SeveralObjectives:
    """The front of searches that minimise several values."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    points: tuple[AtFullEpochs, ...]  # by rising error
    steps: tuple[FrontSoFar, ...]  # whenever the front changed, and at the end
    reference: tuple[float, ...] | None  # the worst corner of the box, in the order of the objectives
    ideal: tuple[float, ...] | None  # its best one
    why_no_hypervolume: str  # empty where there is one

    @property
    def front(self) -> tuple[AtFullEpochs, ...]:
        """Configurations that no other dominates, by rising error."""
        return tuple(point for point in self.points if point.on_front)


def several_objectives_of(
    material: Material, configurations: Sequence[Configuration]
) -> SeveralObjectives | None:
    """The front of the objectives; None where the searches minimise one, or not the same ones."""
    told = {source.space.objectives for source in material.sources if source.space is not None}
    names = next(iter(told), ())
    if len(told) != 1 or len(names) < 2:
        return None
    chance, error = material.dataset.chance_error, names.index(VAL_ERROR)
    valued = {
        c.number: (c, values) for c in configurations if (values := _values(c, names, chance)) is not None
    }
    on_front = is_on_front([values for _, values in valued.values()])
    points = {
        number: AtFullEpochs(c.trial, c.network, values, on)
        for (number, (c, values)), on in zip(valued.items(), on_front, strict=True)
    }
    box, why = _box(material, names, [point.values for point in points.values()])
    return SeveralObjectives(
        names,
        tuple(OBJECTIVE_TABLE[name].unit for name in names),
        tuple(sorted(points.values(), key=lambda point: (point.values[error], point.values, point.trial))),
        _steps(material, points, box, error),
        None if box is None else box.reference,
        None if box is None else box.ideal,
        why,
    )


def _values(
    configuration: Configuration, names: Sequence[str], chance_error: float | None
) -> tuple[float, ...] | None:
    """In the order of the objectives; None where one of them is not on record."""
    found = [
        statistics.median(configuration.values(chance_error))
        if name == VAL_ERROR
        else getattr(configuration, name)
        for name in names
    ]
    return None if any(value is None for value in found) else tuple(map(float, found))


def _box(
    material: Material, names: Sequence[str], outcomes: Sequence[tuple[float, ...]]
) -> tuple[Box | None, str]:
    """The box, or why there is none."""
    dataset = material.dataset
    if not dataset.chance_error or not dataset.validation_images:
        return None, "the error of chance, or the number of validation images, is not known or 0"
    if not outcomes:
        return None, "no trial has reached its last epoch"
    ideal, reference = [], []
    for place, name in enumerate(names):
        seen = [outcome[place] for outcome in outcomes]
        if name == VAL_ERROR:
            low, high = _OF_AN_IMAGE / dataset.validation_images, dataset.chance_error
        else:
            seen += [] if OBJECTIVE_TABLE[name].measured else _of_networks(material, name)
            low, high = min(seen), max(seen)
        if not 0 < low < high:
            return None, f"all networks have the same {name}"
        ideal.append(low)
        reference.append(high)
    return Box(tuple(ideal), tuple(reference)), ""


def _of_networks(material: Material, name: str) -> list[float]:
    """num_params or macs of all networks that were tried, and of the ends of the spaces."""
    found = [float(value) for value in material.trials[name]]
    dataset = material.dataset
    if not dataset.num_classes or not dataset.image_shape:
        return found
    height, width, channels = dataset.image_shape

    def size(network: Architecture) -> float:
        if name == "num_params":
            return float(num_params(network, dataset.num_classes or 0, channels))
        return float(macs(network, dataset.num_classes or 0, channels, (height, width)))

    spaces = [source.space for source in material.sources if source.space is not None]
    return found + [size(network) for space in spaces for network in network_range(space)]


def _steps(
    material: Material, points: Mapping[int, AtFullEpochs], box: Box | None, error: int
) -> tuple[FrontSoFar, ...]:
    """The front each time when a configuration came to its end, with its last repeat, and changed it.

    Args:
        points: by configuration.
        error: the place of the error among the values.
    """
    ended = ended_in_time(material)
    configuration = {trial: int(material.trials["configuration"].iloc[trial]) for _, trial in ended}
    last = {configuration[trial]: count for count, (_, trial) in enumerate(ended)}
    front: list[AtFullEpochs] = []
    epochs, steps = 0, list[FrontSoFar]()
    for count, (hours, trial) in enumerate(ended):
        epochs += int(material.trials["epochs_done"].iloc[trial])
        point = points.get(configuration[trial])
        if point is not None and last[configuration[trial]] == count:
            grown = [*front, point]
            kept = is_on_front([each.values for each in grown])
            grown = [each for each, on in zip(grown, kept, strict=True) if on]
            if grown != front:
                front = sorted(grown, key=lambda each: (each.values[error], each.values, each.trial))
                steps.append(_so_far(hours, epochs, count + 1, front, box))
    if steps and len(ended) > steps[-1].ended:
        steps.append(_so_far(ended[-1][0], epochs, len(ended), front, box))
    return tuple(_thinned(steps))


def _so_far(
    hours: float, epochs: int, ended: int, front: Sequence[AtFullEpochs], box: Box | None
) -> FrontSoFar:
    share = None if box is None else box.share([each.values for each in front])
    return FrontSoFar(hours, epochs, ended, share, tuple(each.trial for each in front))


def _thinned(steps: Sequence[FrontSoFar]) -> list[FrontSoFar]:
    """At most `MAX_STEPS` of them, the first and the last among them."""
    if len(steps) <= MAX_STEPS:
        return list(steps)
    return [steps[round(place * (len(steps) - 1) / (MAX_STEPS - 1))] for place in range(MAX_STEPS)]
