"""The figure of early stopping: how well each epoch's ranking foretold the end, and what each rung stopped."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.early_stopping import Rungs
from wrn_search.report.html.axes import axis, layout
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.learning_curves import _vertical
from wrn_search.wording import NONE, plural, sentence


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
        "reached by %{customdata[1]}, stopped there %{customdata[2]}<extra></extra>",
    }
    return tuple(trace for trace in (by_epoch, at_rungs) if trace["x"])
