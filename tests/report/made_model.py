"""What the curve model would say of the made search (see `made`), by hand."""

from __future__ import annotations

from itertools import product
from math import log2

from tests.report.made_parts import DEPTHS, FACTORS, final_error
from wrn_search.analysis.curve_model.model_values import (
    Audit,
    CurveModel,
    DivergenceRate,
    EffectCurve,
    EffectPlane,
    EffectPoint,
    ModelCell,
    NextTraining,
    PlanePoint,
    Share,
    TrialEnd,
    Verdict,
    Winner,
)
from wrn_search.analysis.input_tables.shared_values import Trial

_UNIT = "a doubling of the parameters by depth rather than by width"


def model(rows: tuple[Trial, ...], best: int) -> CurveModel:
    """Every part filled."""
    cells = tuple(_cell(rows, depth, factor, 30) for depth in DEPTHS for factor in FACTORS)
    error = rows[best].val_error or 0.0
    return CurveModel(
        epoch=30,
        at_end=True,
        trials=55,
        of=len(rows),
        verdicts=(
            Verdict("depth", "a doubling of the blocks", 0.97, 0.85, 1.11, "predicted", "undecided", 9),
            Verdict("width", "a doubling of the widening factor", 0.72, 0.66, 0.79, "predicted", "helps", 0),
            Verdict("depth_vs_width", _UNIT, 1.2, 1.1, 1.3, "predicted", "hurts", 0),
            Verdict("dropout", "+0.1", 1.01, 0.97, 1.06, "predicted", "no difference", 0),
            Verdict("weight_decay", "a factor of 10", 0.9, 0.6, 1.3, "predicted", "undecided", None),
        ),
        cells=cells,
        early=tuple(_cell(rows, depth, factor, 9) for depth in DEPTHS for factor in FACTORS),
        early_epoch=9,
        winner=Winner(
            trial=best,
            configuration=rows[best].configuration,
            network=rows[best].network,
            num_params=rows[best].num_params,
            measured=error,
            n=1,
            expected=error + 0.4,
            low=error - 0.1,
            high=error + 1.1,
        ),
        smallest=next(cell for cell in cells if cell.standing == "as good"),
        ends=tuple(
            TrialEnd(trial.number, final_error(trial.number), 5.0, 40.0)
            for trial in rows
            if trial.status == "stopped"
        ),
        curves=(_curve(rows, "dropout", log=False), _curve(rows, "weight_decay", log=True)),
        plane=_plane(rows),
        importance=(
            Share("widen_factor", 0.61, 0.5, 0.7),
            Share("depth", 0.27, 0.2, 0.4),
            Share("weight_decay", 0.12, 0.0, 0.2),
        ),
        next=(
            NextTraining(
                "depth", "WRN-40-8", {"depth": 40, "widen_factor": 8.0, "dropout": 0.1}, 0.31, 0.86, 1.1
            ),
            NextTraining(
                "depth", "WRN-10-8", {"depth": 10, "widen_factor": 8.0, "dropout": 0.1}, 0.02, 0.88, 1.08
            ),
        ),
        diverging=(DivergenceRate(22, 8.0, 12.0, 3.0, 38.0, 1, 3),),
        audit=Audit(8, 7, 7, True),
    )


def _cell(rows: tuple[Trial, ...], depth: int, factor: float, epoch: int) -> ModelCell:
    here = [trial for trial in rows if (trial.depth, trial.widen_factor) == (depth, factor)]
    params = round(17_000 * (depth - 4) * factor**2)
    estimate = _expected(depth, factor) + (30 - epoch) / 5
    n = sum(trial.status == "completed" for trial in here) if epoch == 30 else len(here)
    above = _expected(depth, factor) - min(_expected(*pair) for pair in product(DEPTHS, FACTORS))
    return ModelCell(
        depth=depth,
        widen_factor=factor,
        network=f"WRN-{depth}-{factor:g}",
        num_params=params,
        at={"dropout": 0.1, "weight_decay": 5e-4},
        estimate=estimate,
        low=0.9 * estimate,
        high=1.2 * estimate,
        kind="measured" if n else "predicted",
        n=n,
        reached=((9, len(here)), (epoch, n)),
        best=0.1,
        difference=max(0.0, above),
        difference_low=max(0.0, above - 0.5),
        difference_high=above + 0.5,
        standing="as good" if above < 1 else "undecided" if above < 2 else "worse",
    )


def _expected(depth: int, factor: float) -> float:
    params = round(17_000 * (depth - 4) * factor**2)
    return 4 + 30 * (params / 1e5) ** -0.35 + 0.4 * log2(depth / factor)


def _curve(rows: tuple[Trial, ...], name: str, *, log: bool) -> EffectCurve:
    tried = sorted(float(trial.hparams[name]) for trial in rows)
    ends = (tried[0], tried[len(tried) // 2], tried[-1])
    points = tuple((value, 8.0 + place, 7.0 + place, 9.5 + place) for place, value in enumerate(ends))
    seen = tuple(
        EffectPoint(trial.number, trial.hparams[name], final_error(trial.number), trial.status == "completed")
        for trial in rows
        if trial.epochs_done
    )
    at = {"depth": 40, "widen_factor": 8.0}
    span = (ends[0], ends[-1], 1.3, 1.1, 1.6)
    return EffectCurve(name, log, False, at, points, seen, ends[0], ends[0], ends[1], span)


def _plane(rows: tuple[Trial, ...]) -> EffectPlane:
    """Best at dropout 0.1 and weight decay 1e-4."""
    x_values = tuple(place / 48 for place in range(25))
    y_values = tuple(10 ** (-5 + place / 8) for place in range(25))
    errors = tuple(
        tuple(8 + 20 * (x - 0.1) ** 2 + log2(y / 1e-4) ** 2 / 10 for x in x_values) for y in y_values
    )
    points = tuple(
        PlanePoint(
            trial.number,
            float(trial.hparams["dropout"]),
            float(trial.hparams["weight_decay"]),
            final_error(trial.number),
            trial.status == "completed",
        )
        for trial in rows
        if trial.epochs_done
    )
    return EffectPlane(
        x="dropout",
        y="weight_decay",
        x_log=False,
        y_log=True,
        at={"depth": 40, "widen_factor": 8.0},
        x_values=x_values,
        y_values=y_values,
        errors=errors,
        lows=tuple(tuple(error - 1 for error in line) for line in errors),
        highs=tuple(tuple(error + 2 for error in line) for line in errors),
        above=tuple(tuple(error - 9 for error in line) for line in errors),
        trials=points,
    )
