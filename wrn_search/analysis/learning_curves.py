"""Learning curves, thinned for a page; drops of the learning rate; the lowest error so far over the epochs spent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wrn_search.analysis.input_tables.joined_tables import Material

MAX_CURVES = 200
MAX_CURVE_POINTS = 120
MAX_STEPS = 1000  # of the lowest error so far
BEST_KEPT = 50  # of those at full epochs, before the others are thinned


@dataclass(frozen=True)
class Curve:
    """The learning curve of one trial, perhaps thinned."""

    trial: int
    epochs: tuple[int, ...]
    val_error: tuple[float, ...]
    train_error: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """Learning curves: at most `MAX_CURVES` of them with at most `MAX_CURVE_POINTS` points each."""

    curves: tuple[Curve, ...]  # the best first
    drops: tuple[int, ...]  # first epochs at a lower learning rate, of a step schedule; every trial's
    total: int  # trials with at least one epoch
    thinned: bool


def curves_of(material: Material) -> Curves:
    """At most `MAX_CURVES` curves: the `BEST_KEPT` best at full epochs, and an even choice of all others."""
    chosen = _chosen(material)
    rows = material.epochs[material.epochs["trial"].isin(chosen)]
    drops = _drops(material)
    by_trial = dict(iter(rows.groupby("trial", sort=False)))
    curves = []
    for trial in chosen:
        own = by_trial[trial]
        kept = own.iloc[_places(own["epoch"].to_numpy(), drops)]
        curves.append(
            Curve(
                trial=int(trial),
                epochs=tuple(kept["epoch"].tolist()),
                val_error=tuple(kept["val_error"].tolist()),
                train_error=tuple(kept["train_error"].tolist()),
            )
        )
    total = int(material.epochs["trial"].nunique())
    longest = int(material.epochs.groupby("trial").size().max()) if total else 0
    return Curves(
        curves=tuple(curves),
        drops=drops,
        total=total,
        thinned=total > len(curves) or longest > MAX_CURVE_POINTS,
    )


def _chosen(material: Material) -> list[int]:
    """Trials by rank: those at full epochs by error, then the others by how far they got."""
    there = set(material.epochs["trial"].unique().tolist())
    rows = material.trials[material.trials.index.isin(there)]
    rows = rows.assign(unfinished=rows["status"] != "completed", left=-rows["epochs_done"])
    ranked = [int(trial) for trial in rows.sort_values(["unfinished", "left", "val_error", "number"]).index]
    if len(ranked) <= MAX_CURVES:
        return ranked
    rest = ranked[BEST_KEPT:]
    places = np.unique(np.linspace(0, len(rest) - 1, MAX_CURVES - BEST_KEPT).round().astype(int))
    return ranked[:BEST_KEPT] + [rest[place] for place in places]


def _drops(material: Material) -> tuple[int, ...]:
    """First epochs at a lower learning rate than the epoch before, of the trials with a step schedule.

    The tables tell: no schedule is computed again. Each trial's lr_drops are the same in one search; of several
    searches all are given.
    """
    step = material.trials.index[material.trials["lr_schedule"] == "step"]
    epochs = material.epochs[material.epochs["trial"].isin(step)]
    rate, trial = epochs["learning_rate"].to_numpy(), epochs["trial"].to_numpy()
    epoch = epochs["epoch"].to_numpy()
    if not len(epochs):
        return ()
    lower = (trial[1:] == trial[:-1]) & (rate[1:] < rate[:-1] * (1 - 1e-9))
    # A first epoch that already runs after a drop (f * epochs < 1) is no drop that a curve could show.
    return tuple(sorted(set(epoch[1:][lower].tolist())))


def _places(epochs: np.ndarray, drops: tuple[int, ...]) -> np.ndarray:
    """Which epochs of a curve stay: an even choice, the first and the last, and both sides of each drop."""
    if len(epochs) <= MAX_CURVE_POINTS:
        return np.arange(len(epochs))
    marked = np.flatnonzero(np.isin(epochs, [*drops, *(drop - 1 for drop in drops)]))[: MAX_CURVE_POINTS // 2]
    even = np.linspace(0, len(epochs) - 1, MAX_CURVE_POINTS - len(marked)).round().astype(int)
    return np.unique(np.concatenate([even, marked]))


@dataclass(frozen=True)
class BestSoFar:
    """Where the lowest error fell."""

    steps: tuple[
        tuple[int, float, int], ...
    ]  # (epochs spent, lowest error in percent, trial); the last one at the end
    epochs: int  # spent by all trials that ended


def best_so_far_of(material: Material) -> BestSoFar:
    """Trials in the order of their ends; those still running are not counted, those that failed are."""
    rows = material.ended.dropna(subset=["finished_at"]).sort_values(["finished_at", "number"], kind="stable")
    spent, lowest = 0, float("inf")
    steps: list[tuple[int, float, int]] = []
    columns = ["epochs_done", "status", "val_error"]
    for place, done, status, error in rows[columns].itertuples(name=None):
        spent += int(done)
        if status == "completed" and error < lowest:
            lowest = float(error)
            steps.append((spent, lowest, int(place)))
    if steps and steps[-1][0] < spent:
        steps.append((spent, lowest, steps[-1][2]))
    return BestSoFar(tuple(steps[-MAX_STEPS:]), spent)
