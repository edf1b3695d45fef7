"""Tables of recorded learning curves, and searches with early stopping replayed on them.

A table is one row a training. `RecordedCurves` says which columns are hyperparameters and on what scale; a further
table needs one entry in `tables`, or a Parquet file beside a YAML file of the same fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves, Scale


@dataclass(frozen=True)
class RecordedCurves:
    """Full curves of one task.

    Attributes:
        group: of tables that are judged together.
        tuning: whether the model was tuned on it; the others were held out.
        full: every trial to its end.
        rungs: lists of epochs at which replayed searches stop trials.
    """

    name: str
    group: str
    tuning: bool
    full: ObservedCurves
    rungs: tuple[tuple[int, ...], ...]


def recorded(
    frame: pd.DataFrame, hyperparameters: Mapping[str, Scale], curve: str, images: float, chance: float | None
) -> ObservedCurves:
    """The trials of a table whose column `curve` holds errors in percent from epoch 1 on; NaN where it diverged."""
    trials = []
    last = max(len(values) for values in frame[curve])
    for number, row in enumerate(frame.to_dict("records")):
        errors = np.array(row[curve], dtype=float)
        good = int(np.argmin(np.isfinite(errors))) if not np.isfinite(errors).all() else len(errors)
        setting = {
            name: str(row[name]) if scale == "categorical" else float(row[name])
            for name, scale in hyperparameters.items()
        }
        trials.append(
            CurveTrial(
                str(number),
                repr(sorted(setting.items())),
                setting,
                tuple(range(1, good + 1)),
                tuple((np.clip(errors[:good], 0, 100) / 100 * images).tolist()),
                "completed" if good == last else "diverged",
            )
        )
    return ObservedCurves(tuple(trials), images, last, hyperparameters, (), chance)


def tables(folder: Path) -> Iterator[RecordedCurves]:
    """The tables of a folder that are there (`lcbench_surrogate`, `deepobs`, `step_back`, `taskset`)."""
    for name, read in _READERS.items():
        path = folder / f"{name}.parquet"
        if path.exists():
            yield from read(pd.read_parquet(path))


def _lcbench(frame: pd.DataFrame) -> Iterator[RecordedCurves]:
    """Fully connected networks (Zimmer et al. 2021, surrogate by Pfisterer et al. 2022): cosine, 52 epochs."""
    frame = frame.rename(columns={"num_layers": "depth", "max_units": "widen_factor"})
    scales: dict[str, Scale] = {
        **{"depth": "log2", "widen_factor": "log2", "dropout": "linear", "weight_decay": "log10"},
        **{"learning_rate": "log10", "momentum": "linear", "batch_size": "log2"},
    }
    for task, rows in frame.groupby("task", observed=True):
        table = recorded(rows, scales, "val_error", 10_000, None)
        tuning = int(str(task)) % 2 == 0
        yield RecordedCurves(f"LCBench {task}", "LCBench", tuning, table, ((3, 9, 27), (26, 39)))


def _deepobs(frame: pd.DataFrame) -> Iterator[RecordedCurves]:
    """WRN-16-4 on SVHN (Schneider et al. 2019): constant learning rates over 7 decades, 160 epochs."""
    rows = frame[frame.problem == "svhn_wrn164"].copy()
    rows["learning_rate"] = rows.lr
    rows["test_error"] = [values[1:] for values in rows.test_error]  # the first is before training
    scales: dict[str, Scale] = {"learning_rate": "log10", "optimizer": "categorical"}
    table = recorded(rows, scales, "test_error", 26_032, 80.4)
    yield RecordedCurves("DeepOBS WRN-16-4 SVHN", "DeepOBS", False, table, ((3, 9, 27, 81), (10, 40)))


def _step_back(frame: pd.DataFrame) -> Iterator[RecordedCurves]:
    """ResNets and VGG over optimisers, learning rates and weight decay (fabian-sp/step-back)."""
    chance = {"cifar10": 90.0, "cifar100": 99.0, "imagenet32": 99.9}
    for (data, model, _), rows in frame.groupby(["dataset", "model", "schedule"]):
        if len(rows) < 40:
            continue
        rows = rows[rows.val_error.map(len) == rows.val_error.map(len).max()].copy()
        rows["learning_rate"] = rows.lr
        scales: dict[str, Scale] = {"learning_rate": "log10", "optimizer": "categorical"}
        if rows.weight_decay.nunique() > 1:
            rows["decayed"] = (rows.weight_decay > 0).map({True: "yes", False: "no"})
            scales["decayed"] = "categorical"
        images = 50_000 if data == "imagenet32" else 10_000
        table = recorded(rows, scales, "val_error", images, chance[data])
        yield RecordedCurves(f"step-back {model} {data}", "step-back", True, table, ((3, 9, 27),))


def _taskset(frame: pd.DataFrame) -> Iterator[RecordedCurves]:
    """Recurrent networks over eight hyperparameters of Adam (Metz et al. 2020); losses as odds: loss / (1 + loss)."""
    scales: dict[str, Scale] = {"learning_rate": "log10", "epsilon": "log10", "l1": "log10", "l2": "log10"}
    scales |= {"linear_decay": "log10", "exponential_decay": "log10", "beta1": "linear", "beta2": "linear"}
    for number, (task, rows) in enumerate(frame.groupby("task", observed=True)):
        rows = rows.copy()
        for name in ("beta1", "beta2"):  # as log10(1 - beta)
            rows[name] = np.log10(np.maximum(1 - rows[name], 1e-7))
        for name in ("l1", "l2", "linear_decay", "exponential_decay", "epsilon"):
            rows[name] = np.maximum(rows[name], 1e-10)
        losses = [np.array(each, dtype=float) for each in rows.valid_loss]
        rows["val_error"] = [100 * each / (1 + each) for each in losses]
        table = recorded(rows, scales, "val_error", 1_000_000, None)
        yield RecordedCurves(f"TaskSet {task}", "TaskSet", number % 2 == 0, table, ((3, 9, 27),))


_READERS = {"lcbench_surrogate": _lcbench, "deepobs": _deepobs, "step_back": _step_back, "taskset": _taskset}


def replayed(
    table: ObservedCurves, rungs: tuple[int, ...], trials: int, seed: int, eta: int = 3, anchors: float = 0.0
) -> tuple[ObservedCurves, dict[str, float]]:
    """A search of `trials` drawn from a table, one in `eta` going on at each rung (synchronous successive halving).

    Returns the table as the search would have recorded it, and the hidden ends (percent) of those that it stopped.
    """
    generator = np.random.default_rng(seed)
    count = min(trials, len(table.trials) * 2 // 3)
    chosen = [table.trials[each] for each in generator.choice(len(table.trials), count, replace=False)]
    exempt = {each.trial for each in chosen[: round(anchors * count)]}
    alive = {each.trial for each in chosen if each.epochs}
    seen = {each.trial: each.epochs[-1] if each.epochs else 0 for each in chosen}
    by_name = {each.trial: each for each in chosen}
    for rung in rungs:
        at = {
            name: by_name[name].wrong[rung - 1] for name in sorted(alive) if len(by_name[name].epochs) >= rung
        }
        places = max(1, len(at) // eta)
        cutoff = sorted(at.values())[places - 1] if at else 0.0
        for name, value in at.items():
            if value > cutoff and name not in exempt:
                seen[name] = rung
                alive.discard(name)
    cut = [_stopped(each, seen[each.trial], each.trial not in alive) for each in chosen]
    hidden = {
        each.trial: 100 * each.wrong[-1] / table.images
        for each in chosen
        if each.status == "completed" and each.trial not in alive
    }
    return replace(table, trials=tuple(cut), rungs=rungs), hidden


def _stopped(trial: CurveTrial, epochs: int, stopped: bool) -> CurveTrial:
    if not stopped or epochs >= len(trial.epochs):
        return trial
    return replace(trial, epochs=trial.epochs[:epochs], wrong=trial.wrong[:epochs], status="stopped")
