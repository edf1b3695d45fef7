"""Step 1, without extrapolation: every trial at the first epoch that trials share, told as "after epoch e"."""

from __future__ import annotations

from dataclasses import replace

from wrn_search.curves.curve_fit import CurveFit, fit
from wrn_search.curves.curve_table import CurveTable, CurveTrial
from wrn_search.curves.shared_epochs import first_rung


def fit_at_first_rung(table: CurveTable, seed: int = 0, draws: int = 300) -> CurveFit:
    """The same regression on the errors of all trials at the first rung alone; its `table.last_epoch` is that rung.

    Every answer of the fit (cells, effects, standings) then holds after that epoch, and extrapolates nothing.

    Raises:
        ValueError: no trial that learned and reached it.
    """
    epoch = first_rung(table)
    trials = tuple(_only(each, epoch) for each in table.trials)
    return fit(replace(table, trials=trials, last_epoch=epoch, rungs=()), seed, draws)


def _only(trial: CurveTrial, epoch: int) -> CurveTrial:
    if epoch not in trial.epochs:
        return replace(trial, epochs=(), wrong=())
    status = "completed" if trial.status in ("stopped", "running") else trial.status
    return replace(trial, epochs=(epoch,), wrong=(trial.wrong[trial.epochs.index(epoch)],), status=status)
