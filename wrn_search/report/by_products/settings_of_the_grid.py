"""How a follow-up grid regularises its networks: as each wants it, and beyond the edges that the limits complain about.

A grid multiplies every list, so a list is short: one value where the networks agree, the lowest and the highest where
they do not, and one value beyond an edge.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.curve_model.model_values import ModelCell
from wrn_search.analysis.hyperparameter_slices import is_log
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.networks.architecture import Architecture

_MOST = {
    "dropout": 0.9,
    "momentum": 0.99,
    "lr_drop_factor": 1.0,
    "learning_rate": 100.0,
    "weight_decay": 10.0,
    "label_smoothing": 0.9,
    "mixup": 100.0,
    "cutmix": 100.0,
}
_BEYOND, _APART = 3.0, 2.0  # on a logarithm: the step beyond an edge, and how far networks must differ
_STEP, _PART = 0.2, 0.25  # the same of the range tried, where the scale is even


@dataclass(frozen=True)
class Settings:
    """The values of one hyperparameter in the grid, rising, and in words why there are several."""

    name: str
    values: tuple[float, ...]
    why: str = ""


def settings_of(material: Material, findings: Findings, networks: Sequence[Architecture]) -> list[Settings]:
    """Of each numeric hyperparameter that was searched, beside depth and width; the others keep the best trial's."""
    found = []
    for name in material.hyperparameters:
        if name not in _MOST:
            continue
        tried = [float(value) for value in material.trials[name].dropna().unique()]
        if len(tried) > 1:
            found.append(_settings(name, tried, is_log(material, name), findings, networks))
    return [each for each in found if each.values]


def _settings(
    name: str, tried: list[float], log: bool, findings: Findings, networks: Sequence[Architecture]
) -> Settings:
    log = log and min(tried) > 0
    own = _own_values(name, findings, networks)
    values, why = own, ""
    if own:
        low, high = min(own), max(own)
        far = high / low > _APART if log else high - low > _PART * (max(tried) - min(tried))
        values = [low, high] if far else [_middle(own, log)]
        why = (
            f"{name} {_short(low)} and {_short(high)}: larger and smaller networks want other values"
            if far
            else ""
        )
    edge = next((each for each in findings.answer.edges if each.name == name), None)
    if edge is not None:
        beyond = _beyond(edge.value, max(tried) - min(tried), log, upwards=edge.is_upper)
        beyond = min(beyond, _MOST[name])
        values = [*values, edge.value, beyond]
        kind = "largest" if edge.is_upper else "smallest"
        why = f"{name} {_short(beyond)} too: {_short(edge.value)}, the {kind} tried, was the best"
    return Settings(name, tuple(sorted({float(_short(value)) for value in values})), why)


def _own_values(name: str, findings: Findings, networks: Sequence[Architecture]) -> list[float]:
    """What each network is expected to be best with: that of the nearest cell of the space.

    Nothing where the search does not know it: without a model of the end, or where no effect of it was told.
    """
    if not any(
        each.question == name and each.verdict in ("helps", "hurts") for each in findings.model.verdicts
    ):
        return []
    cells = [cell for cell in findings.model.cells if isinstance(cell.at.get(name), int | float)]
    if not (findings.model.at_end and cells):
        return []
    return [float(min(cells, key=lambda cell: _distance(cell, network)).at[name]) for network in networks]


def _distance(cell: ModelCell, network: Architecture) -> float:
    """In doublings of the parameters."""
    blocks = abs(math.log2(max(cell.depth - 4, 1) / max(network.depth - 4, 1)))
    return blocks + 2 * abs(math.log2(cell.widen_factor / network.widen_factor))


def _middle(values: Sequence[float], log: bool) -> float:
    if log:
        return math.exp(statistics.median(math.log(value) for value in values))
    return statistics.median(values)


def _beyond(value: float, span: float, log: bool, *, upwards: bool) -> float:
    if log:
        return value * _BEYOND if upwards else value / _BEYOND
    return value + _STEP * span if upwards else max(0.0, value - _STEP * span)


def _short(value: float) -> str:
    """Two significant digits: more would tell of nothing."""
    return f"{value:.2g}"
