"""The curve model's table from the tables of all searches: every trial of every source, at every epoch on record."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wrn_search.analysis.early_stopping import rungs_on_record
from wrn_search.analysis.hyperparameter_slices import is_log, native
from wrn_search.analysis.input_tables.joined_tables import KEY, Material, keyed
from wrn_search.curves.observed_curves import DEPTH, SCALES, WIDTH, CurveTrial, ObservedCurves, Scale, Status
from wrn_search.space.domains import Domain, applies
from wrn_search.space.section_keys import default_of

if TYPE_CHECKING:
    import pandas as pd

MOST = 1000  # trials of one fit, which takes 10 s; of more a sample is fitted
SEED = 0
_MOST_LEVELS = (
    6  # values of a hyperparameter that has one where its scale has none, such as a weight decay of 0
)
_STATUS: dict[str, Status] = {"interrupted": "running"}  # it can go on; the others are called the same


@dataclass(frozen=True)
class CurvesOnRecord:
    """The table, or why there is none.

    Attributes:
        table: a trial is named by its place in `Findings.trials`.
        why_not: empty where there is a table.
        of: trials that could be told, of which `table` may hold a sample.
        left_out: hyperparameters that vary and are not in it, since some trial has no value on record.
    """

    table: ObservedCurves | None
    why_not: str
    of: int
    left_out: tuple[str, ...]


def curves_on_record(material: Material, most: int | None = MOST) -> CurvesOnRecord:
    """All trials, or a simple random sample of `most` of them: a choice by results would not be ignorable."""
    images = material.dataset.validation_images
    rows = material.trials
    names, left_out = _names(material)
    if not images:
        why = "the number of validation images is not on record, so how surely an error was counted is not known"
        return CurvesOnRecord(None, why, len(rows), left_out)
    if most is not None and len(rows) > most:
        chosen = np.random.default_rng(SEED).choice(len(rows), most, replace=False)
        rows = rows.iloc[np.sort(chosen)]
    scales = {name: _scale(material, name) for name in names}
    try:
        table = ObservedCurves(
            trials=tuple(_trials(material, rows, scales, images)),
            images=images,
            last_epoch=material.max_epochs,
            scales=scales,
            rungs=tuple(each for each in rungs_on_record(material) if each < material.max_epochs),
            chance_error=material.dataset.chance_error,
            held=_held(material, scales),
        )
    except ValueError as error:
        return CurvesOnRecord(None, str(error), len(material.trials), left_out)
    return CurvesOnRecord(table, "", len(material.trials), left_out)


def _held(
    material: Material, scales: dict[str, Scale]
) -> Callable[[tuple[float, float]], dict[str, float | str]]:
    """Of a cell, the hyperparameters that its depth and width leave out, at what they are trained with there."""
    conditional: dict[str, tuple[Domain, Any]] = {}
    for source in material.sources:
        asked = source.space.training.optimizer if source.space else None
        optimizer = asked if isinstance(asked, str) else None  # which has rates of its own
        for name, domain in source.domains.items():
            if name in scales and domain.when and {key for key, _ in domain.when} <= {DEPTH, WIDTH}:
                conditional[name] = domain, default_of(name, optimizer)

    def held(cell: tuple[float, float]) -> dict[str, float | str]:
        values = dict(zip((DEPTH, WIDTH), cell, strict=True))
        return {
            name: _value(default, scales[name])
            for name, (domain, default) in conditional.items()
            if not applies(domain, values) and default is not None
        }

    return held


def _names(material: Material) -> tuple[list[str], tuple[str, ...]]:
    """(depth, width and all else that takes several values; those of which a value is missing)."""
    rows = material.trials
    varying = [name for name in material.hyperparameters if rows[name].map(keyed).nunique() > 1]
    missing = [name for name in varying if rows[name].isna().any()]
    names = dict.fromkeys([DEPTH, WIDTH, *varying])
    return [name for name in names if name not in missing], tuple(missing)


def _scale(material: Material, name: str) -> Scale:
    """The scale of a hyperparameter, where all its values lie on it."""
    values = [native(value) for value in material.trials[name].unique()]
    if any(isinstance(value, str) for value in values):
        return "categorical"
    scale = SCALES.get(name, "log10" if is_log(material, name) else "linear")
    if scale in ("log2", "log10") and min(float(value) for value in values) <= 0:
        return "categorical" if len(values) <= _MOST_LEVELS else "linear"
    return scale


def _trials(
    material: Material, rows: pd.DataFrame, scales: dict[str, Scale], images: int
) -> list[CurveTrial]:
    seen = _errors(material)
    columns = [*scales, *KEY, "status", "search", "repeat", "anchor", "val_error", "epochs_done"]
    numbers: dict[tuple[object, ...], int] = {}
    found = []
    for place, values in zip(rows.index, rows[list(dict.fromkeys(columns))].to_dict("records"), strict=True):
        # Unlike elsewhere, trials of adaptive searches are repeats too: the likelihood knows how they were chosen.
        key = tuple(keyed(values[name]) for name in KEY)
        errors = dict(seen.get(int(place), ()))
        last, done = values["val_error"], int(values["epochs_done"])
        if done and last is not None and math.isfinite(last):  # where the epochs are not there (yet)
            errors.setdefault(done, float(last))
        epochs = tuple(sorted(errors))
        found.append(
            CurveTrial(
                trial=str(place),
                configuration=str(numbers.setdefault(key, len(numbers))),
                hyperparameters={name: _value(values[name], scale) for name, scale in scales.items()},
                epochs=epochs,
                wrong=tuple(min(100.0, max(0.0, errors[epoch])) * images / 100 for epoch in epochs),
                status=_STATUS.get(values["status"], cast(Status, values["status"])),
                search=str(values["search"]),
                repeat=int(values["repeat"]),
                anchor=values["anchor"] is True or values["anchor"] == True,  # noqa: E712 - numpy's, and none
            )
        )
    return found


def _value(value: Any, scale: Scale) -> float | str:
    plain = native(value)
    if scale == "categorical":
        return plain if isinstance(plain, str) else f"{plain:g}"
    return float(plain)


def _errors(material: Material) -> dict[int, list[tuple[int, float]]]:
    """Place of a trial -> (epoch, validation error in percent) of those on record."""
    rows = material.epochs.dropna(subset=["val_error"])
    columns = (rows[name].to_numpy() for name in ("trial", "epoch", "val_error"))
    found: dict[int, list[tuple[int, float]]] = {}
    for trial, epoch, error in zip(*columns, strict=True):
        if math.isfinite(error):
            found.setdefault(int(trial), []).append((int(epoch), float(error)))
    return found
