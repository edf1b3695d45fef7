"""A figure of the report as one of plotly's, in the colours of a light page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.report.html.colours import LIGHT, resolved
from wrn_search.report.html.figure import Figure, hover_texts
from wrn_search.report.html.markup import plot_text

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TOP = 70  # pixels: the title stands there, and the legend below it
_OURS = ("trials", "choose")  # what the page's own script makes of a trace


def plotly_figure(figure: Figure, findings: Findings) -> go.Figure:
    """The figure with its title; its points tell their trials when a pointer rests on them."""
    import plotly.graph_objects as go

    hovers = hover_texts(findings)
    layout = dict(figure.layout)
    layout["margin"] = {**layout.get("margin", {}), "t": _TOP}
    layout["title"] = {
        "text": plot_text(figure.title),
        "x": 0,
        "xref": "paper",
        "y": 0.98,
        "yref": "container",
    }
    traces = [_trace(trace, hovers) for trace in figure.traces]
    return go.Figure(
        data=[resolved(trace, LIGHT) for trace in traces],
        layout=resolved({**layout, "height": figure.height + _TOP, "plot_bgcolor": "@page"}, LIGHT),
    )


def _trace(trace: dict[str, Any], hovers: list[str]) -> dict[str, Any]:
    kept = {name: value for name, value in trace.items() if name not in _OURS}
    if trials := trace.get("trials"):
        kept["hovertext"] = ["" if place is None else hovers[place] for place in trials]
    return kept
