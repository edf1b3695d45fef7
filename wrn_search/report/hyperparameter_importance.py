"""The figure of importance: the share of the variance of the error that each hyperparameter explains alone."""

from __future__ import annotations

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.hyperparameter_importance import Importance
from wrn_search.report.html.axes import axis, layout
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import plot_text
from wrn_search.wording import plural, sentences_of


def importance(findings: Findings) -> Figure:
    """Shares of the variance of the error that each hyperparameter explains alone."""
    found = findings.importance
    names = list(found.shares)
    rows = [(name, f"{share:.4f}") for name, share in found.shares.items()]
    uncounted = plural(found.others, "trial")
    left_out = f" {uncounted} without an error at full epochs could not be counted." if found.others else ""
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [plot_text(name) for name in names[::-1]],
        "x": [found.shares[name] for name in names[::-1]],
        "text": [f"{100 * found.shares[name]:.1f} %" for name in names[::-1]],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": "@blue"},
        "hoverinfo": "skip",
    }
    return Figure(
        key="importance",
        title="Importance of each hyperparameter",
        result=_importance_result(found),
        reading="Share of the variance that each explains alone, fANOVA over a forest fitted to the completed trials; "
        f"it says where this search saw errors differ, not why.{left_out}",
        table=Table(("hyperparameter", "share"), rows) if names else None,
        traces=(trace,) if names else (),
        layout=layout(
            axis(
                "share of the variance",
                tickformat=".0%",
                range=[0, 1.2 * max([0.01, *found.shares.values()])],
            ),
            axis("", type="category", showgrid=False, ticks=""),
        ),
        height=90 + 34 * max(2, len(names)),
        wide=len(findings.slices) % 2 == 0,  # else it stands beside the last slice
    )


def _importance_result(found: Importance) -> str:
    if not found.shares:
        return sentences_of("importance cannot be told", found.warning)
    told = ", ".join(f"{name} {100 * share:.0f} %" for name, share in list(found.shares.items())[:3])
    variance = f"of the variance of the error at full epochs: {told} (n = {plural(found.n, 'trial')})"
    return sentences_of(variance, found.warning)
