"""Findings: everything that the report says, as one frozen value, from one or several results directories.

`findings_of` reads; `to_json` gives the numbers for `report --json`. The page draws this value and computes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from wrn_search.analysis.answer import Answer, answer_of
from wrn_search.analysis.confirmation import Confirm, confirm_of
from wrn_search.analysis.curve_model.model_of_curves import model_of
from wrn_search.analysis.curve_model.model_values import CurveModel, Margin
from wrn_search.analysis.depth_width_map import CellMap, error_map_of, time_map_of, untried
from wrn_search.analysis.early_stopping import Rungs, rungs_of
from wrn_search.analysis.equal_parameters import IsoParams, bought_of, evidence_of, iso_params_of
from wrn_search.analysis.error_distributions import Edf, edf_of
from wrn_search.analysis.failures import Counts, Reason, counts_of, failures_of
from wrn_search.analysis.hyperparameter_importance import Importance, importance_of
from wrn_search.analysis.hyperparameter_slices import Slice, native, slices_of
from wrn_search.analysis.input_tables.configurations import (
    configurations_of,
    pooled_seed_deviation,
    seconds_per_epoch,
)
from wrn_search.analysis.input_tables.joined_tables import Material, material_of
from wrn_search.analysis.input_tables.shared_values import Dataset, Estimate, Search, Trial
from wrn_search.analysis.learning_curves import BestSoFar, Curves, best_so_far_of, curves_of
from wrn_search.analysis.paper_tables.paper_comparison import Paper, paper_of
from wrn_search.analysis.pareto_fronts import Pareto, pareto_of
from wrn_search.analysis.provenance import Provenance, provenance_of, searches_of
from wrn_search.analysis.several_objectives import SeveralObjectives, several_objectives_of
from wrn_search.wording import answers_text, plural

_TRIAL_COLUMNS = (
    *("search", "number", "trial_id", "name", "network", "status", "configuration", "repeat", "depth"),
    *("widen_factor", "num_params", "macs", "epochs_done", "epochs", "val_error", "device", "error"),
    *("seed", "rung", "anchor"),
)


@dataclass(frozen=True)
class Findings:
    """What one or several searches over the same images found; each part is defined where it is computed."""

    title: str  # the searches' names
    searches: tuple[Search, ...]
    dataset: Dataset
    max_epochs: int
    trials: tuple[Trial, ...]  # all rows of all searches, directory by directory, by number
    counts: Counts
    answer: Answer
    model: CurveModel
    error_map: CellMap
    time_map: CellMap
    iso_params: IsoParams
    pareto: Pareto
    objectives: SeveralObjectives | None  # of searches that minimise several
    slices: tuple[Slice, ...]  # dropout and weight decay first
    importance: Importance
    curves: Curves
    rungs: Rungs
    edf: Edf
    best_so_far: BestSoFar
    failures: tuple[Reason, ...]  # the most frequent first
    paper: Paper
    confirm: Confirm | None
    provenance: tuple[Provenance, ...]  # one a search
    notes: tuple[str, ...]  # what is missing or unfinished, a sentence each


def findings_of(*directories: Path | str) -> Findings:
    """The findings of results directories, which may be running, dead or half-written.

    Raises:
        InputError: no readable results, no trial at all, or searches whose errors cannot be compared (other data,
            split, epochs or precision).
    """
    return findings_from(material_of(directories))


def findings_from(material: Material, margin: Margin | None = None, why_no_model: str = "") -> Findings:
    """All statistics once over the same material.

    Args:
        material: of the searches.
        margin: within what a smaller network is as good.
        why_no_model: not empty: the curve model, nine tenths of the time, is not fitted, for this reason.
    """
    seconds = seconds_per_epoch(material)
    configurations = configurations_of(material, seconds)
    trials = _trials(material, seconds)
    evidence = evidence_of(material, configurations)
    fits = iso_params_of(evidence), bought_of(evidence)
    error_map = error_map_of(material, configurations)
    confirm, confirm_notes = confirm_of(material)
    deviation = pooled_seed_deviation(configurations)[0]
    model = CurveModel(why_not=why_no_model, margin=margin or Margin())
    if not why_no_model:
        model = model_of(material, configurations, error_map, seconds, margin)
    searches = searches_of(material)
    return Findings(
        title=" + ".join(dict.fromkeys(search.name for search in searches)),
        searches=searches,
        dataset=material.dataset,
        max_epochs=material.max_epochs,
        trials=trials,
        counts=counts_of(material),
        answer=answer_of(material, trials, configurations, fits, model),
        model=model,
        error_map=error_map,
        time_map=time_map_of(material, seconds),
        iso_params=fits[0],
        pareto=pareto_of(material, configurations),
        objectives=several_objectives_of(material, configurations),
        slices=slices_of(material),
        importance=importance_of(material, model),
        curves=curves_of(material),
        rungs=rungs_of(material),
        edf=edf_of(material),
        best_so_far=best_so_far_of(material),
        failures=failures_of(material),
        paper=paper_of(material, configurations, deviation, confirm),
        confirm=confirm,
        provenance=provenance_of(material),
        notes=(*_notes(material), *model.remarks, *confirm_notes),
    )


def to_json(findings: Findings) -> dict[str, Any]:
    """The findings as plain values for JSON.

    Documented keys: `verdicts`, `best`, `smallest_equivalent`, `cells`, `audit`, `next`, `iso_params`, `pareto`,
    `objectives`, `importance`, `rungs`, `counts` and `provenance`; every other part stands under its own name. `trial`
    is a place in `trials`.
    """
    answer, model = findings.answer, findings.model
    parts = {field.name: _plain(getattr(findings, field.name)) for field in fields(findings)}
    parts["answer"]["sentences"] = list(answer.sentences)
    ends = {end.trial: end for end in model.ends}
    for place, trial in enumerate(parts["trials"]):
        end = ends.get(place)
        trial["predicted_end"] = end.estimate if end else None
        trial["predicted_low"], trial["predicted_high"] = (end.low, end.high) if end else (None, None)
    best, winner = _estimate(findings, answer.best), model.winner
    if best is not None:
        best["expected"] = winner.expected if winner else None
        best["expected_low"], best["expected_high"] = (winner.low, winner.high) if winner else (None, None)
    return {
        "verdicts": parts["model"].pop("verdicts"),
        "best": best,
        "smallest_equivalent": _estimate(findings, answer.smallest_equivalent),
        "cells": _cells(findings, parts["model"].pop("cells")),
        "audit": parts["model"].pop("audit"),
        "next": parts["model"].pop("next"),
        **parts,
    }


def _cells(findings: Findings, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every cell of the space: what was measured in it, and what the model expects of it.

    `low` and `high` are the interval of `estimate`; the range of the repeats is `lowest` and `highest`. Without a model
    the cells are those tried, and `estimate` is null.
    """
    times = {(cell.depth, cell.widen_factor): cell.value for cell in findings.time_map.cells}
    measured = {(cell.depth, cell.widen_factor): cell for cell in findings.error_map.cells}
    models = {(cell["depth"], cell["widen_factor"]): cell for cell in told}
    found = []
    for pair in sorted({*measured, *models}):
        cell = measured.get(pair) or untried(*pair)
        plain = {**_plain(cell), "lowest": cell.low, "highest": cell.high, "total": cell.total}
        expected = models.get(pair, {})
        names = ("estimate", "low", "high", "kind", "at", "reached", "standing")
        plain |= {name: expected.get(name) for name in names}
        found.append({**plain, "epoch": findings.model.epoch, "seconds_per_epoch": times.get(pair)})
    return found


def _trials(material: Material, seconds: Mapping[int, float]) -> tuple[Trial, ...]:
    columns = dict.fromkeys((*_TRIAL_COLUMNS, "left_out", *material.hyperparameters))
    found = []
    for place, row in enumerate(material.trials[list(columns)].to_dict("records")):
        values: dict[str, Any] = {name: _known(row[name]) for name in _TRIAL_COLUMNS}
        for name in ("seed", "rung"):  # a column with gaps comes as floats
            values[name] = None if values[name] is None else int(values[name])
        hparams = {
            name: native(row[name])
            for name in material.hyperparameters
            if _known(row[name]) is not None and name not in row["left_out"]
        }
        found.append(Trial(**values, seconds_per_epoch=seconds.get(place), hparams=hparams))
    return tuple(found)


def _known(value: object) -> object:
    """None for what a table lacks: NaN, NaT and pandas' NA are not equal to themselves."""
    if value is None or value != value:
        return None
    return native(value)


def _notes(material: Material) -> list[str]:
    """What is unfinished or missing, a sentence each."""
    notes = []
    for place, source in enumerate(material.sources):
        where = f"{source.directory.path}: " if len(material.sources) > 1 else ""
        if source.state == "unfinished":
            notes.append(
                f"{where}the search has no end on record: it is running, or it died and can be resumed."
            )
        elif source.decided is not None:
            told = f": {answers_text(source.decided)}" if source.decided else ""
            notes.append(
                f"{where}the search stopped because it was decided{told}. Each question was answered at 99 % in two "
                "looks in a row, as looks at a growing search are many tries; intervals below are those of one "
                "look, 95 %."
            )
        elif source.state == "budget":
            told = f": {source.spending}" if source.spending else ""
            notes.append(
                f"{where}the search spent its budget{told}. What waits at a rung can go on with a larger one."
            )
        elif source.state not in ("finished", "exhausted", "unknown"):
            notes.append(f"{where}the search ended early: {source.state}.")
        notes += [f"{where}{text}" for text in source.missing]
        rows = material.trials[material.trials["source"] == place]
        there = material.epochs["trial"].isin(rows.index).sum()
        lacking = int(rows["epochs_done"].sum()) - int(there)
        if lacking > 0:
            notes.append(
                f"{where}{plural(lacking, 'epoch')} of the trials are not in the epochs table (yet)."
            )
    return notes


def _estimate(findings: Findings, estimate: Estimate | None) -> dict[str, Any] | None:
    """An estimate with what its trial is."""
    if estimate is None:
        return None
    trial = findings.trials[estimate.trial]
    names = ("search", "number", "trial_id", "name", "depth", "widen_factor", "hparams")
    plain: dict[str, Any] = _plain(estimate)
    return {**plain, **{name: _plain(getattr(trial, name)) for name in names}}


def _plain(value: Any) -> Any:
    """Lists, mappings, numbers and texts for dataclasses and tuples."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    assert not isinstance(value, float) or math.isfinite(value), value
    return value
