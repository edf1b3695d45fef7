"""What the design of a search cannot tell (rule 5 of an honest search), a sentence each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wrn_search.analysis.curve_model.model_values import CurveModel
from wrn_search.analysis.equal_parameters import IsoParams
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.statistics.networks_not_told_apart import Comparison
from wrn_search.networks.architecture import smallest_depth
from wrn_search.wording import plural

_NEAR = 0.05  # of a hyperparameter's range: what is best there may lie beyond
_NO_LESS = {"dropout": 0.0}  # values below which there is nothing


def limits_of(
    material: Material, comparison: Comparison | None, iso_params: IsoParams, edges: Sequence[Edge]
) -> tuple[str, ...]:
    """The limits that hold here, the gravest first."""
    rules = (
        _adaptive(material),
        _unfinished(material),
        _one_seed(material, comparison),
        _luck(material, comparison),
        _edges(edges),
        _bands(iso_params),
        _images(material),
    )
    return tuple(sentence for sentences in rules for sentence in sentences)


def _adaptive(material: Material) -> Iterator[str]:
    kinds = [source.adaptive for source in material.sources]
    if True in kinds:
        which = "This search is" if len(kinds) == 1 else f"{kinds.count(True)} of {len(kinds)} searches are"
        yield (
            f"{which} adaptive: cells hold unequal numbers of trials with other hyperparameters each, and slow "
            "starters were stopped. So intervals are predicted by the curve model, which uses every epoch of every "
            "trial, and none is measured; `report --follow-up FILE` writes a grid that can give measured ones."
        )
    if None in kinds:
        yield "How the trials were chosen is not known (resolved.yaml cannot be read), so no interval is given."


def _unfinished(material: Material) -> Iterator[str]:
    statuses = material.trials["status"].value_counts()
    open_trials = int(statuses.get("running", 0) + statuses.get("interrupted", 0))
    planned = [source.trials_planned for source in material.sources]
    to_come = sum(total for total in planned if total is not None) - len(material.trials)
    ended = all(source.state in ("finished", "exhausted", "decided") for source in material.sources)
    if open_trials and not ended:
        yield (
            f"{plural(open_trials, 'trial')} have not ended: the answer may change."
            if open_trials > 1
            else ("1 trial has not ended: the answer may change.")
        )
    if to_come > 0 and not ended and None not in planned:
        yield f"{plural(to_come, 'trial')} of the {sum(p or 0 for p in planned):,} asked for have not begun."


def _one_seed(material: Material, comparison: Comparison | None) -> Iterator[str]:
    if comparison is not None and comparison.seed_deviation is None:
        yield (
            "Every configuration was trained with one seed: how far seeds differ was not measured beside what other "
            "hyperparameters do."
        )


def _luck(material: Material, comparison: Comparison | None) -> Iterator[str]:
    if comparison is not None and comparison.candidates > 1:
        tried = material.trials["configuration"].nunique()
        chosen = f", those that {tried:,} became," if tried > comparison.candidates else ""
        yield (
            f"The lowest of {comparison.candidates:,} errors at full epochs{chosen} is lucky: a retrained winner is "
            "usually a little worse, and its test error another. `confirm` measures both."
        )


@dataclass(frozen=True)
class Edge:
    """A hyperparameter whose best value lies at an end of what was tried: beyond it may be a better one."""

    name: str
    value: float  # the best
    is_upper: bool
    expected: bool  # by the curve model, not by the best network


def edges_of(material: Material, comparison: Comparison | None, model: CurveModel) -> tuple[Edge, ...]:
    """Of depth and width by the best network; of the others by where the model expects the lowest error."""
    if comparison is None:
        return ()
    matters = {each.question for each in model.verdicts if each.verdict in ("helps", "hurts")}
    found: dict[str, Any] = {curve.name: curve.best for curve in model.curves if curve.name in matters}
    if model.epoch is None:
        row = material.trials.loc[comparison.best.trial]
        found |= {name: row[name] for name in material.hyperparameters if name not in row["left_out"]}
    found |= {"depth": comparison.best.depth, "widen_factor": comparison.best.widen_factor}
    block, family = material.trials[["block", "family"]].loc[comparison.best.trial]
    least = _NO_LESS | {"depth": smallest_depth(block, family)}
    edges = []
    for name, value in found.items():
        tried = [each for each in set(material.trials[name].dropna()) if _is_number(each)]
        if len(tried) < 2 or not _is_number(value):
            continue
        place = _place(float(value), min(tried), max(tried))
        nothing_below = least.get(
            name, -math.inf if value else 0.0
        )  # no hyperparameter is below 0, where it is off
        expected = name in matters and name not in ("depth", "widen_factor")
        if place >= 1 - _NEAR:
            edges.append(Edge(name, float(value), True, expected))
        elif place <= _NEAR and _place(nothing_below, min(tried), max(tried)) < -_NEAR:
            edges.append(Edge(name, float(value), False, expected))
    return tuple(edges)


def _is_number(value: Any) -> bool:
    """Text and true or false have no edge; what does not apply to a trial is null, NaN in a column of numbers."""
    return value is not None and value == value and not isinstance(value, str | bool | np.bool_)


def _edges(edges: Iterable[Edge]) -> Iterator[str]:
    for each in edges:
        whose = "The lowest error is expected at" if each.expected else "The best network has"
        kind, other = ("largest", "more") if each.is_upper else ("smallest", "less")
        yield f"{whose} the {kind} {each.name} of the search ({each.value:.4g}): {other} was not tried."


def _place(value: float, low: float, high: float) -> float:
    """0 at the lowest, 1 at the highest; by ratio where all are positive and decades apart."""
    if low > 0 and high > 10 * low and value > 0:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


def _bands(iso_params: IsoParams) -> Iterator[str]:
    if not iso_params.bands:
        yield "No two networks with an error at full epochs have nearly equal parameters and another depth:width ratio."


def _images(material: Material) -> Iterator[str]:
    if material.dataset.validation_images is None:
        yield "The number of validation images is not on record, so the counting error of an error is not known."
