"""The figures of learning curves, and of the lowest error so far over the epochs spent."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.learning_curves import Curve
from wrn_search.report.html.axes import axis, layout, log_axis, log_floor
from wrn_search.report.html.colours import SERIES
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import plot_text
from wrn_search.wording import plural, two_digits

_NAMED = 5  # curves with a colour and a name
_LAST_ROWS = 200  # of the table


def learning_curves(findings: Findings) -> Figure:
    """Validation error by epoch; the best curves in colour, drops of the learning rate marked."""
    found = findings.curves
    best, others = found.curves[:_NAMED], found.curves[_NAMED:]
    errors = [value for curve in found.curves for value in curve.val_error]
    title = "validation error (%)"
    floor = log_floor(errors) or 0.0
    scale = log_axis(title, (max(error, floor) for error in errors)) if floor else axis(title)
    traces = [_others(others, floor)] if others else []
    traces += [_named(findings, curve, place, floor) for place, curve in reversed(list(enumerate(best)))]
    drawn_at = f" Errors of 0 are drawn at {floor:.2g} %." if min(errors, default=1.0) <= 0 < floor else ""
    if best:
        result = (
            f"The best trial went from {two_digits(best[0].val_error[0])} % after epoch {best[0].epochs[0]} to "
            f"{two_digits(best[0].val_error[-1])} % after epoch {best[0].epochs[-1]}"
            + (f"; {_drop_words(best[0], found.drops)}." if found.drops else ".")
        )
    else:
        result = "No trial has completed an epoch yet."
    drops = (
        f" Dotted: first epochs at a lower learning rate ({', '.join(map(str, found.drops))})."
        if found.drops
        else ""
    )
    chosen = (
        f" Drawn are {len(found.curves):,} of {found.total:,} curves"
        if len(found.curves) < found.total
        else ""
    )
    drawn = f"{chosen or ' Drawn are all curves'}, long ones with fewer points." if found.thinned else ""
    return Figure(
        key="learning-curves",
        title="Learning curves",
        result=result,
        reading=f"Validation error after each epoch; in colour the {plural(len(best), 'best trial')}, in grey the "
        f"others.{drops}{drawn}{drawn_at}",
        table=_curve_table(findings) if best else None,
        traces=tuple(traces),
        layout=layout(axis("epoch"), scale, shapes=[_vertical(drop) for drop in found.drops]),
        height=440,
        wide=True,
    )


def _others(curves: tuple[Curve, ...], floor: float) -> dict[str, Any]:
    """All other curves as one trace, with gaps between them."""
    x: list[int | None] = []
    y: list[float | None] = []
    trials: list[int | None] = []
    for curve in curves:
        x += [*curve.epochs, None]
        y += [*(max(error, floor) for error in curve.val_error), None]
        trials += [curve.trial] * len(curve.epochs) + [None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "other trials",
        "x": x,
        "y": y,
        "trials": trials,
        "connectgaps": False,
        "line": {"color": "@pale", "width": 1},
        "opacity": 0.6 if len(curves) < 100 else 0.4,
        "hovertemplate": "%{hovertext}<br>epoch %{x}: %{y:.2f} %<extra></extra>",
    }


def _named(findings: Findings, curve: Curve, place: int, floor: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines" if len(curve.epochs) > 1 else "markers",
        "name": plot_text(findings.trials[curve.trial].name),
        "legendrank": 1000 + place,
        "x": list(curve.epochs),
        "y": [max(error, floor) for error in curve.val_error],
        "trials": [curve.trial] * len(curve.epochs),
        "customdata": list(curve.train_error),
        "line": {"color": f"@{SERIES[place % len(SERIES)]}", "width": 2},
        "marker": {"color": f"@{SERIES[place % len(SERIES)]}"},
        "hovertemplate": "%{hovertext}<br>epoch %{x}: %{y:.2f} % (training %{customdata:.2f} %)<extra></extra>",
    }


def _drop_words(curve: Curve, drops: tuple[int, ...]) -> str:
    """What the first drop of the learning rate did to the best curve."""
    before = [error for epoch, error in zip(curve.epochs, curve.val_error, strict=True) if epoch < drops[0]]
    after = [error for epoch, error in zip(curve.epochs, curve.val_error, strict=True) if epoch >= drops[0]]
    if not before or not after:
        return f"the learning rate dropped first at epoch {drops[0]}"
    change = f"from {two_digits(before[-1])} % to {two_digits(after[0])} %"
    return f"{change} at the first drop of the learning rate (epoch {drops[0]})"


def _vertical(epoch: int) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": epoch,
        "x1": epoch,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "layer": "between",
        "line": {"color": "@axis", "width": 1, "dash": "dot"},
    }


def _curve_table(findings: Findings) -> Table:
    rows = [
        (
            findings.trials[curve.trial].name,
            findings.trials[curve.trial].status,
            str(curve.epochs[-1]),
            two_digits(curve.val_error[0]),
            two_digits(min(curve.val_error)),
            two_digits(curve.val_error[-1]),
            two_digits(curve.train_error[-1]),
        )
        for curve in findings.curves.curves[:_LAST_ROWS]
    ]
    head = ("trial", "status", "epochs", "first error (%)", "lowest (%)", "last (%)", "last in training (%)")
    total = findings.curves.total
    note = f"The best {len(rows)} of {plural(total, 'trial')} with an epoch." if len(rows) < total else ""
    return Table(
        head,
        rows,
        text_columns=2,
        note=f"{note} Every epoch is in the folder epochs/ of the results.".strip(),
        trials=[curve.trial for curve in findings.curves.curves[:_LAST_ROWS]],
    )


def best_so_far(findings: Findings) -> Figure | None:
    """A step wherever a trial at full epochs was better than all before; None where none got there."""
    found = findings.best_so_far
    if not found.steps:
        return None
    spent, lowest, _ = found.steps[-1]
    reached = next(epochs for epochs, error, _ in found.steps if error == lowest)
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [epochs for epochs, _, _ in found.steps],
        "y": [error for _, error, _ in found.steps],
        "trials": [trial for _, _, trial in found.steps],
        "line": {"shape": "hv", "color": "@blue", "width": 2},
        "marker": {"color": "@blue", "size": 5},
        "hovertemplate": "%{hovertext}<br>after %{x} epochs of all trials: %{y:.2f} %<extra></extra>",
    }
    rows = [
        (findings.trials[trial].name, f"{epochs:,}", two_digits(error))
        for epochs, error, trial in found.steps
    ]
    return Figure(
        key="best-so-far",
        title="Lowest error so far over the epochs spent",
        result=f"The lowest measured error, {two_digits(lowest)} %, was there after {plural(reached, 'epoch')} of "
        f"{spent:,}.",
        reading="Epochs of all trials that had ended by then, whatever became of them. The lowest of many is lucky: "
        "the curve falls even where nothing is learnt of the networks.",
        table=Table(
            ("trial", "epochs spent", "lowest error (%)"), rows, trials=[trial for _, _, trial in found.steps]
        ),
        traces=(trace,),
        layout=layout(axis("epochs spent", rangemode="tozero"), axis("validation error (%)")),
        height=400,
    )
