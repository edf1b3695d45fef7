"""Findings by hand: a search that never ran, with every part filled, for looking at the page's parts one by one."""

from __future__ import annotations

from tests.report import made_model, made_parts
from tests.report.made_parts import DEPTHS, FACTORS, PLANNED
from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.answer import Answer
from wrn_search.analysis.curve_model.verdict_lines import Line
from wrn_search.analysis.depth_width_map import Cell, CellMap
from wrn_search.analysis.equal_parameters import Band, Bought, IsoParams, IsoPoint
from wrn_search.analysis.failures import Counts, Reason
from wrn_search.analysis.hyperparameter_importance import Importance
from wrn_search.analysis.hyperparameter_slices import Slice, SlicePoint
from wrn_search.analysis.input_tables.shared_values import Dataset, Estimate, Search, Trial
from wrn_search.analysis.learning_curves import BestSoFar
from wrn_search.analysis.paper_tables.paper_comparison import Paper, PaperRow
from wrn_search.analysis.pareto_fronts import Front, FrontPoint, Pareto

EPOCHS = 30
_STATUS = {4: "failed", 9: "diverged", 13: "running", 20: "interrupted", 30: "failed"}


def trials() -> tuple[Trial, ...]:
    """57 trials, three of each network, of which some ended badly."""
    made = []
    for number, (depth, factor) in enumerate(PLANNED):
        params = round(17_000 * (depth - 4) * factor**2)
        status = _STATUS.get(number, "stopped" if depth == 10 or number % 5 == 0 else "completed")
        done = {"completed": EPOCHS, "stopped": 9, "failed": 0, "diverged": 3}.get(status, 12)
        made.append(
            Trial(
                search="made",
                number=number,
                trial_id=f"made_{number:05d}",
                name=f"{number:03d}_WRN-{depth}-{factor:g}_p0.10_wd5e-4",
                network=f"WRN-{depth}-{factor:g}",
                status=status,
                configuration=number,
                repeat=0,
                depth=depth,
                widen_factor=factor,
                num_params=params,
                macs=params * 150,
                epochs_done=done,
                epochs=EPOCHS,
                val_error=made_parts.error_at(number, done) if done else None,
                seconds_per_epoch=params / 1e5 + 2 if done else None,
                hparams={
                    "depth": depth,
                    "widen_factor": factor,
                    "dropout": number % 7 / 14,
                    "weight_decay": 1e-5 * 1.12**number,
                },
                device="cpu",
                error="boom" if status in ("failed", "diverged") else None,
                seed=1000 + number,
                rung=9 if status == "stopped" else None,
                anchor=number % 10 == 1,
            )
        )
    return tuple(made)


def findings() -> Findings:
    """Everything that a page can show."""
    rows = trials()
    full = [trial.number for trial in rows if trial.status == "completed"]
    best = min(full, key=lambda place: rows[place].val_error or 0.0)
    return Findings(
        title="made",
        searches=(_search(len(rows)),),
        dataset=Dataset("cifar10", 5000, 45_000, 10, (32, 32, 3), 90.0, "abc", "meanstd", "flip_crop"),
        max_epochs=EPOCHS,
        trials=rows,
        counts=_counts(rows),
        answer=_answer(rows, best),
        model=made_model.model(rows, best),
        error_map=_cells(rows, "percent"),
        time_map=_cells(rows, "seconds"),
        iso_params=_iso_params(rows, full),
        pareto=_pareto(rows, full),
        objectives=None,
        slices=(
            _slice(rows, "dropout", log=False),
            _slice(rows, "weight_decay", log=True),
            _slice(rows, "depth", categorical=True),
            _slice(rows, "widen_factor", categorical=True),
        ),
        importance=Importance(
            {"widen_factor": 0.61, "depth": 0.22, "weight_decay": 0.12, "dropout": 0.05},
            len(full),
            "Fewer than 100 trials: shares may move by tens of percent.",
            6,
        ),
        curves=made_parts.curves(rows),
        rungs=made_parts.rungs(),
        edf=made_parts.edf(rows, full),
        best_so_far=BestSoFar(((90, 14.2, full[1]), (700, 9.0, best), (1180, 9.0, best)), 1180),
        failures=(
            Reason("failed", "RuntimeError: boom", 2, (4, 30)),
            Reason("diverged", "loss is nan", 1, (9,)),
        ),
        paper=Paper(
            (
                PaperRow(
                    "WRN-28-8",
                    "table 4",
                    None,
                    4.81,
                    "median of 5",
                    _estimate(rows, best),
                    None,
                    ("30 epochs instead of 200", "validation split of 5,000 images"),
                ),
            ),
            "Validation errors beside test errors.",
        ),
        confirm=made_parts.confirm(rows, best),
        provenance=(made_parts.provenance(),),
        notes=("The search is still running: 1 trial is not finished.",),
    )


def _search(count: int) -> Search:
    searched = ("depth", "widen_factor", "dropout", "weight_decay")
    return Search("made", "results/made", "tpe", "asha", 1, True, "running", count, 60, searched, (9, 18, 24))


def _counts(rows: tuple[Trial, ...]) -> Counts:
    statuses = ("running", "completed", "stopped", "diverged", "failed", "interrupted")
    by_status = {status: sum(trial.status == status for trial in rows) for status in statuses}
    done = sum(trial.epochs_done for trial in rows)
    return Counts(len(rows), by_status, len(rows), 19, len(rows) - by_status["running"], done, 3.2)


def _estimate(rows: tuple[Trial, ...], place: int) -> Estimate:
    trial, error = rows[place], rows[place].val_error or 0.0
    return Estimate(
        place,
        trial.network,
        error,
        error,
        error,
        1,
        1,
        0.31,
        trial.num_params,
        trial.macs,
        trial.seconds_per_epoch,
    )


def _answer(rows: tuple[Trial, ...], best: int) -> Answer:
    like = [place for place in (37, 42, 44) if rows[place].status == "completed"]
    return Answer(
        lines=(
            Line(
                "Width", "doubling the width multiplies the odds of an error by 0.72 (0.66 to 0.79)", "helps"
            ),
            Line("Depth", "doubling the blocks multiplies them by 0.97 (0.85 to 1.11)", "undecided"),
            Line("Winner", f"{rows[best].network}: measured {rows[best].val_error:.2f} %"),
        ),
        best=_estimate(rows, best),
        smallest_equivalent=_estimate(rows, like[0]),
        equivalents=tuple(_estimate(rows, place) for place in like),
        seed_deviation=None,
        seed_freedom=0,
        bought=Bought(-0.8, -1.9, None, None, 40, "", "An adaptive search gives no intervals."),
        limits=("One seed each: the spread between seeds is not known.", "Slow starters were stopped."),
    )


def _cells(rows: tuple[Trial, ...], unit: str) -> CellMap:
    cells = []
    for depth, factor in sorted(set(PLANNED)):
        here = [trial for trial in rows if (trial.depth, trial.widen_factor) == (depth, factor)]
        full = [trial for trial in here if trial.status == "completed"]
        best = min(full, key=lambda trial: trial.val_error or 0.0, default=None)
        value = best and (best.val_error if unit == "percent" else best.seconds_per_epoch)
        ends = [trial.status for trial in here]
        cells.append(
            Cell(
                depth,
                factor,
                value,
                best.number if best else None,
                len(full),
                ends.count("stopped"),
                ends.count("failed"),
                ends.count("diverged"),
                ends.count("running") + ends.count("interrupted"),
                None,
                None,
                None,
                1,
            )
        )
    return CellMap(DEPTHS, FACTORS, tuple(cells), unit, repeated=False, binned=False)


def _iso_params(rows: tuple[Trial, ...], full: list[int]) -> IsoParams:
    bands = []
    for low, high in ((2.0e5, 4.2e5), (1.0e6, 1.7e6), (4.5e6, 7e6)):
        chosen = [rows[place] for place in full if low <= rows[place].num_params <= high]
        points = [
            IsoPoint(
                trial.number,
                trial.network,
                trial.depth / trial.widen_factor,
                trial.num_params,
                trial.val_error or 0.0,
                1,
            )
            for trial in chosen
        ]
        points.sort(key=lambda point: point.ratio)
        line = ((points[0].ratio, points[0].val_error), (points[-1].ratio, points[-1].val_error))
        bands.append(Band(int(low), int(high), tuple(points), line))
    return IsoParams(
        tuple(bands), 0.41, None, None, 20, ("made",), "", "An adaptive search gives no intervals."
    )


def _pareto(rows: tuple[Trial, ...], full: list[int]) -> Pareto:
    fronts = []
    for cost, unit in (
        ("num_params", "parameters"),
        ("macs", "multiply-adds"),
        ("seconds_per_epoch", "seconds"),
    ):
        pairs = sorted(
            (float(getattr(rows[place], cost)), rows[place].val_error or 0.0, place) for place in full
        )
        points, lowest = [], 100.0
        for value, error, place in pairs:
            points.append(FrontPoint(place, rows[place].network, value, error, error < lowest))
            lowest = min(lowest, error)
        fronts.append(Front(cost, unit, tuple(points), "Of one device." if unit == "seconds" else ""))
    steps = ((0.1, 1, 0.3), (0.4, 8, 0.55), (1.1, 22, 0.61), (3.0, 57, 0.63))
    return Pareto(tuple(fronts), steps, (26_500_000.0, 90.0), "WRN-40-8", "")


def _slice(rows: tuple[Trial, ...], name: str, *, log: bool = False, categorical: bool = False) -> Slice:
    points = tuple(
        SlicePoint(
            trial.number, trial.hparams[name], trial.val_error, trial.epochs_done, trial.status == "completed"
        )
        for trial in rows
        if trial.val_error is not None
    )
    values = sorted({point.value for point in points if point.completed and not isinstance(point.value, str)})
    summary = []
    for start in range(0, len(values), 1 if categorical else max(1, len(values) // 5)):
        chosen = values[start : start + (1 if categorical else max(1, len(values) // 5))]
        errors = sorted(point.val_error for point in points if point.completed and point.value in chosen)
        summary.append((chosen[len(chosen) // 2], errors[0], errors[len(errors) // 2], len(errors)))
    return Slice(name, log, categorical, points, tuple(summary), len(rows) - len(points))
