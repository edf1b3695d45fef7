"""The figure of learning curves, and that of early stopping: how well each epoch's ranking foretold the end."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.details import Curve, Rungs
from wrn_search.analysis.findings import Findings
from wrn_search.report.axes import axis, layout, log_axis
from wrn_search.report.figure import Figure, Table
from wrn_search.report.markup import plot_text
from wrn_search.report.palette import SERIES
from wrn_search.report.wording import NONE, percent, plural, sentence

_NAMED = 5  # curves with a colour and a name
_LAST_ROWS = 200  # of the table


def learning_curves(findings: Findings) -> Figure:
    """Validation error by epoch; the best curves in colour, drops of the learning rate marked."""
    found = findings.curves
    best, others = found.curves[:_NAMED], found.curves[_NAMED:]
    traces = [_others(others)] if others else []
    traces += [_named(findings, curve, place) for place, curve in reversed(list(enumerate(best)))]
    errors = [value for curve in found.curves for value in curve.val_error]
    title = "validation error (%)"
    scale = log_axis(title, errors) if all(error > 0 for error in errors) else axis(title)
    if best:
        result = (
            f"The best trial went from {percent(best[0].val_error[0])} % after epoch {best[0].epochs[0]} to "
            f"{percent(best[0].val_error[-1])} % after epoch {best[0].epochs[-1]}"
            + (f"; {_drop_words(best[0], found.drops)}." if found.drops else ".")
        )
    else:
        result = "No trial has completed an epoch yet."
    drops = (
        f" Dotted: first epochs at a lower learning rate ({', '.join(map(str, found.drops))})."
        if found.drops
        else ""
    )
    drawn = (
        f" Drawn are {len(found.curves):,} of {found.total:,} curves or thinned points, the best first."
        if found.thinned
        else ""
    )
    return Figure(
        key="learning-curves",
        title="Learning curves",
        result=result,
        reading=f"Validation error after each epoch; in colour the {plural(len(best), 'best trial')}, in grey the "
        f"others.{drops}{drawn}",
        table=_curve_table(findings) if best else None,
        traces=tuple(traces),
        layout=layout(axis("epoch"), scale, shapes=[_vertical(drop) for drop in found.drops]),
        height=440,
        wide=True,
    )


def early_stopping(findings: Findings) -> Figure:
    """Kendall's tau of each epoch's ranking with that at the end, rungs marked."""
    found = findings.rungs
    saved = 100 * found.epochs_saved / found.epochs_planned if found.epochs_planned else 0.0
    result = (
        f"Early stopping saved {found.epochs_saved:,} of {found.epochs_planned:,} planned epochs ({saved:.0f} %)"
        if found.epochs_saved
        else f"No trial was stopped early; {found.epochs_done:,} of {found.epochs_planned:,} epochs were trained"
    )
    taus = [
        f"{rung.tau:.2f} at epoch {rung.epoch} (n = {rung.n})" for rung in found.rungs if rung.tau is not None
    ]
    result += f"; rank correlation of the rungs with the end: {', '.join(taus)}." if taus else "."
    drops = [_vertical(drop) for drop in findings.curves.drops]
    return Figure(
        key="early-stopping",
        title="How early rankings foretell the end",
        result=result,
        reading="Kendall's tau-b between the ranking of trials after an epoch and at the end, among the "
        f"{plural(found.n, 'trial')} that got there; 1 = the same order, 0 = no relation. Diamonds: rungs. "
        f"{sentence(found.note)}".strip(),
        table=_rung_table(findings),
        traces=_tau_traces(findings),
        layout=layout(
            axis("epoch"),
            axis("rank correlation with the end", range=[_lowest(found) - 0.05, 1.06]),
            shapes=drops,
        ),
        height=340,
        wide=True,
    )


def _lowest(found: Rungs) -> float:
    """Of all correlations that are drawn, and 0."""
    rungs = [rung.tau for rung in found.rungs if rung.tau is not None]
    return min(0.0, *rungs, *(tau for _, tau in found.tau_by_epoch), 0.0)


def _others(curves: tuple[Curve, ...]) -> dict[str, Any]:
    """All other curves as one trace, with gaps between them."""
    x: list[int | None] = []
    y: list[float | None] = []
    trials: list[int | None] = []
    for curve in curves:
        x += [*curve.epochs, None]
        y += [*curve.val_error, None]
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


def _named(findings: Findings, curve: Curve, place: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines" if len(curve.epochs) > 1 else "markers",
        "name": plot_text(findings.trials[curve.trial].name),
        "legendrank": 1000 + place,
        "x": list(curve.epochs),
        "y": list(curve.val_error),
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
    change = f"from {percent(before[-1])} % to {percent(after[0])} %"
    return f"{change} at the first drop of the learning rate (epoch {drops[0]})"


def _vertical(epoch: int) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": epoch,
        "x1": epoch,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "layer": "below",
        "line": {"color": "@axis", "width": 1, "dash": "dot"},
    }


def _curve_table(findings: Findings) -> Table:
    rows = [
        (
            findings.trials[curve.trial].name,
            findings.trials[curve.trial].status,
            str(curve.epochs[-1]),
            percent(curve.val_error[0]),
            percent(min(curve.val_error)),
            percent(curve.val_error[-1]),
            percent(curve.train_error[-1]),
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
    )


def _rung_table(findings: Findings) -> Table | None:
    found = findings.rungs
    rows = [
        (
            str(rung.epoch),
            str(rung.reached),
            str(rung.stopped),
            NONE if rung.tau is None else f"{rung.tau:.2f}",
            str(rung.n),
        )
        for rung in found.rungs
    ]
    if rows:
        return Table(("rung (epoch)", "reached", "stopped", "tau with the end", "n"), rows, text_columns=0)
    taus = [(str(epoch), f"{tau:.2f}") for epoch, tau in found.tau_by_epoch]
    return Table(("epoch", "tau with the end"), taus, text_columns=0) if taus else None


def _tau_traces(findings: Findings) -> tuple[dict[str, Any], ...]:
    found = findings.rungs
    rungs = [rung for rung in found.rungs if rung.tau is not None]
    by_epoch = {
        "type": "scatter",
        "mode": "lines",
        "name": "every epoch",
        "x": [epoch for epoch, _ in found.tau_by_epoch],
        "y": [tau for _, tau in found.tau_by_epoch],
        "line": {"color": "@blue", "width": 2},
        "hovertemplate": f"epoch %{{x}}: tau %{{y:.2f}} (n = {found.n})<extra></extra>",
    }
    at_rungs = {
        "type": "scatter",
        "mode": "markers",
        "name": "rungs",
        "x": [rung.epoch for rung in rungs],
        "y": [rung.tau for rung in rungs],
        "customdata": [[rung.n, rung.reached, rung.stopped] for rung in rungs],
        "marker": {"color": "@orange", "size": 11, "symbol": "diamond"},
        "hovertemplate": "rung at epoch %{x}: tau %{y:.2f} (n = %{customdata[0]})<br>"
        "%{customdata[1]} reached it, %{customdata[2]} were stopped<extra></extra>",
    }
    return tuple(trace for trace in (by_epoch, at_rungs) if trace["x"])
