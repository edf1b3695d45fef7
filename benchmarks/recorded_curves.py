"""Tables of recorded learning curves, and searches with early stopping replayed on them.

`tables` reads the public tables of a folder (`_READERS`: which columns are hyperparameters, and on what scale), results
directories, and whatever else `wrn_search replay` reads (`curves.parquet` beside a `curves.yaml`, as shipped tables).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.curve_table import TABLES
from wrn_search.curves.observed_curves import DEPTH, SCALES, WIDTH, CurveTrial, ObservedCurves, Scale, Status
from wrn_search.decisions.rung_epochs import geometric_rungs, schedule_rungs
from wrn_search.errors import InputError
from wrn_search.replay.curve_table import CurveTable, RecordedCurve
from wrn_search.replay.table_of_parquet import tables_of_parquet
from wrn_search.replay.table_of_results import table_of_results
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.space.domains import Domain, IntRange, LogUniform, finite_values

_MOST_LEVELS = 6  # of a hyperparameter that has one where its scale has none, such as a weight decay of 0
_GRACE = 3  # epochs before the first of geometric rungs
_DEEPOBS = {  # problem: in words, images, error of chance
    "svhn_wrn164": ("WRN-16-4 SVHN", 26_032, 80.4),
    "cifar10_3c3d": ("3c3d CIFAR-10", 10_000, 90.0),
    "cifar100_allcnnc": ("all-CNN-C CIFAR-100", 10_000, 99.0),
    "fmnist_2c2d": ("2c2d Fashion-MNIST", 10_000, 90.0),
}
_TUNED_ON = ("digits",)  # data sets of our own searches that the model was tuned on


@dataclass(frozen=True)
class RecordedCurves:
    """Full curves of one task.

    Attributes:
        group: of tables that are judged together.
        tuning: whether the model was tuned on it; the others were held out.
        full: every trial to its end.
        rungs: lists of epochs at which replayed searches stop trials.
        table: as `wrn_search replay` plays it, where it was read so.
    """

    name: str
    group: str
    tuning: bool
    full: ObservedCurves
    rungs: tuple[tuple[int, ...], ...]
    table: CurveTable | None = None


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


def tables(places: Sequence[Path]) -> Iterator[RecordedCurves]:
    """The shipped tables, then those of each place: a folder of public tables, a results directory, a described file.

    Raises:
        InputError: a place that holds none of them, or a search without whole trainings.
    """
    for file in sorted(TABLES.glob("*/curves.parquet")):
        yield from _described(file)
    for place in places:
        there = {name: place / f"{name}.parquet" for name in _READERS}
        if any(path.exists() for path in there.values()):
            for name, path in there.items():
                if path.exists():
                    yield from _READERS[name](pd.read_parquet(path))
        elif ResultsDirectory(place).exists():
            yield of_curve_table(table_of_results(place).table)
        elif place.is_file() or (place / "curves.parquet").exists():
            yield from _described(place if place.is_file() else place / "curves.parquet")
        else:
            known = ", ".join(f"{name}.parquet" for name in _READERS)
            text = (
                f"must hold {known}, a search with whole trainings, or `curves.parquet` with its description"
            )
            raise InputError.of("--curves", f"{text}, but holds none of them", str(place))


def _described(file: Path) -> Iterator[RecordedCurves]:
    """The tables of a Parquet file beside its description; a file called `curves` is named after its folder."""
    for table in tables_of_parquet(file):
        name = file.parent.name if file.stem == "curves" else file.stem
        yield of_curve_table(replace(table, name=table.name.replace(file.stem, name, 1)))


def of_curve_table(table: CurveTable) -> RecordedCurves:
    """A table as `wrn_search replay` plays it: stopped where its schedule says, and at geometric rungs."""
    scales = {_column(table, name): _scale(name, each) for name, each in table.hyperparameters.items()}
    trials = tuple(
        replace(_trial(table, number, curve, scales), trial=f"{number}.{repeat}", repeat=repeat)
        for number, curves in enumerate(table.curves)
        for repeat, curve in enumerate(curves)
    )
    chance = table.facts.chance_error if table.facts.chance_error < 100 else None
    full = ObservedCurves(trials, table.facts.validation_images, table.epochs, scales, (), chance)
    rungs = dict.fromkeys([scheduled_rungs(table), geometric_rungs(_GRACE, 3, table.epochs)])
    tuning = table.space.dataset.name in _TUNED_ON and table.in_seconds
    return RecordedCurves(table.name, table.name, tuning, full, tuple(each for each in rungs if each), table)


def scheduled_rungs(table: CurveTable) -> tuple[int, ...]:
    """Where the default of a search, `rungs: schedule`, would stop trials."""
    training = table.space.training
    return schedule_rungs(training.lr_schedule, training.lr_drops, table.epochs)


def _column(table: CurveTable, name: str) -> str:
    """Depth and width by their names in the model, all else by its own."""
    return {table.depth: DEPTH, table.width: WIDTH}.get(name, name)


def _scale(name: str, domain: Domain) -> Scale:
    """As the report has it: that of the hyperparameter, else of its domain; few values without a scale are levels."""
    values = finite_values(domain) or ()
    if any(isinstance(value, str) for value in values):
        return "categorical"
    is_log = isinstance(domain, LogUniform) or (isinstance(domain, IntRange) and domain.log)
    scale = SCALES.get(name, "log10" if is_log else "linear")
    low = min(map(float, values)) if values else float(getattr(domain, "low", 1.0))
    if scale in ("log2", "log10") and low <= 0:
        return "categorical" if 0 < len(values) <= _MOST_LEVELS else "linear"
    return scale


def _trial(
    table: CurveTable, configuration: int, curve: RecordedCurve, scales: Mapping[str, Scale]
) -> CurveTrial:
    """A whole training of the configuration at a place of a table."""
    hparams = {_column(table, name): value for name, value in table.configurations[configuration].items()}
    setting = {
        name: str(value) if scales[name] == "categorical" else float(value) for name, value in hparams.items()
    }
    wrong = tuple((np.clip(curve.errors, 0, 100) / 100 * table.facts.validation_images).tolist())
    epochs = tuple(range(1, len(wrong) + 1))
    status: Status = "diverged" if curve.diverged else "completed"
    return CurveTrial(str(configuration), str(configuration), setting, epochs, wrong, status)


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
    """Constant learning rates over 7 decades (Schneider et al. 2019): WRN-16-4 on SVHN, small networks elsewhere."""
    scales: dict[str, Scale] = {"learning_rate": "log10", "optimizer": "categorical"}
    for problem, (name, images, chance) in _DEEPOBS.items():
        rows = frame[frame.problem == problem].copy()
        rows["learning_rate"] = rows.lr
        rows["test_error"] = [values[1:] for values in rows.test_error]  # the first is before training
        table = recorded(rows, scales, "test_error", images, chance)
        rungs = ((3, 9, 27, 81), (10, 40))
        yield RecordedCurves(f"DeepOBS {name}", "DeepOBS", problem != "svhn_wrn164", table, rungs)


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
