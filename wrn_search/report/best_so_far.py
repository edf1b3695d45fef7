"""The figure of the lowest error so far over the epochs spent."""

from __future__ import annotations

from wrn_search.analysis.all_findings import Findings
from wrn_search.report.html.axes import axis, layout
from wrn_search.report.html.figure import Figure, Table
from wrn_search.wording import plural, two_digits


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
        table=Table(("trial", "epochs spent", "lowest error (%)"), rows),
        traces=(trace,),
        layout=layout(axis("epochs spent", rangemode="tozero"), axis("validation error (%)")),
        height=400,
    )
