"""Early stopping: what each rung stopped and saved, and how well its ranking foretold the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wrn_search.analysis.input_tables.joined_tables import Material

LEAST = 3  # trials that a rank correlation is taken from
MAX_EPOCHS = 200  # of `tau_by_epoch`
MAX_TRIALS = 1000  # in a rank correlation, an even choice by error


@dataclass(frozen=True)
class Rung:
    """What one rung did and how well its ranking foretold the end."""

    epoch: int
    reached: int
    stopped: int
    tau: float | None  # Kendall's tau-b of the ranking at the rung with that at the end
    n: int  # trials that `tau` was taken from: those that got to the end


@dataclass(frozen=True)
class Rungs:
    """Early stopping: what it saved and what it may have cost."""

    rungs: tuple[Rung, ...]
    epochs_done: int
    epochs_planned: int  # if every trial had run to its last epoch
    epochs_saved: int  # of trials that the scheduler stopped
    tau_by_epoch: tuple[tuple[int, float], ...]  # (epoch, tau) at every epoch, at most 200 of them
    n: int  # trials behind `tau_by_epoch`
    note: str  # that only survivors are compared; or why there is nothing


def rungs_of(material: Material) -> Rungs:
    """Rungs of all searches, by epoch. Correlations are among the trials that got to the end, which n counts.

    Those that a rung stopped have no end to compare with, so correlations say how well the survivors were ranked, not
    whether the stopped ones deserved it.
    """
    trials = material.trials
    stopped = trials[trials["status"] == "stopped"]
    epochs, errors = _curves_to_the_end(material)
    final = errors[:, -1] if errors.size else np.array([])
    taus = {epoch: tau(errors[:, place], final) for place, epoch in enumerate(epochs)}
    rungs = [
        Rung(
            epoch=rung,
            reached=int(((trials["epochs_done"] >= rung) & trials["source"].isin(places)).sum()),
            stopped=int((stopped["epochs_done"] == rung).sum()),
            tau=taus.get(rung),
            n=len(final),
        )
        for rung, places in _rungs_of_sources(material).items()
    ]
    shown = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), MAX_EPOCHS)).round().astype(int))
    by_epoch = [(epochs[place], taus[epochs[place]]) for place in shown] if epochs else []
    return Rungs(
        rungs=tuple(rungs),
        epochs_done=int(trials["epochs_done"].sum()),
        epochs_planned=int(trials["epochs"].sum()),
        epochs_saved=int((stopped["epochs"] - stopped["epochs_done"]).sum()),
        tau_by_epoch=tuple((epoch, value) for epoch, value in by_epoch if value is not None),
        n=len(final),
        note=_note(rungs, len(final)),
    )


def tau(early: NDArray[np.float64], final: NDArray[np.float64]) -> float | None:
    """Kendall's tau-b of two rankings of the same trials, (n,) each; None for fewer than three or only ties."""
    known = np.isfinite(early) & np.isfinite(final)
    if known.sum() < LEAST:
        return None
    from scipy.stats import kendalltau  # takes half a second to import

    value = float(kendalltau(early[known], final[known]).statistic)
    return None if np.isnan(value) else value


def _curves_to_the_end(material: Material) -> tuple[list[int], NDArray[np.float64]]:
    """(epochs, errors (n, epochs)) of completed trials; an epoch that is not on record is NaN."""
    full = material.completed.sort_values("val_error").index.to_numpy()
    if len(full) > MAX_TRIALS:
        full = full[np.unique(np.linspace(0, len(full) - 1, MAX_TRIALS).round().astype(int))]
    rows = material.epochs[material.epochs["trial"].isin(full)]
    table = rows.pivot_table(index="trial", columns="epoch", values="val_error", aggfunc="last")
    return [int(epoch) for epoch in table.columns], table.to_numpy(dtype=np.float64)


def rungs_on_record(material: Material) -> list[int]:
    """By the manifests; without one, where trials were stopped."""
    return list(_rungs_of_sources(material))


def _rungs_of_sources(material: Material) -> dict[int, list[int]]:
    """Rung -> places of the sources that have it, rising; trials of others pass no rung there."""
    told: dict[int, list[int]] = {}
    for place, source in enumerate(material.sources):
        rungs = source.fact("rungs")
        if isinstance(rungs, list) and all(type(rung) is int for rung in rungs):
            found = set(rungs)
        else:
            own = material.trials[material.trials["source"] == place]
            found = {int(epochs) for epochs in own.loc[own["status"] == "stopped", "epochs_done"]}
        for rung in found:
            told.setdefault(rung, []).append(place)
    return dict(sorted(told.items()))


def _note(rungs: list[Rung], n: int) -> str:
    if not rungs:
        return "No trial could be stopped early: the searches have no rungs."
    if n < LEAST:
        return f"A rank correlation takes at least {LEAST} trials that reached their last epoch, but there are {n}."
    return (
        f"Correlations are among the {n} trials that reached their last epoch; those that a rung stopped have no end "
        "to compare with."
    )
