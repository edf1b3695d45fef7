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
    bounds = {name: found.intervals.get(name, (share, share)) for name, share in found.shares.items()}
    rows = [
        (name, f"{share:.2f}", f"{bounds[name][0]:.2f} to {bounds[name][1]:.2f}")
        for name, share in found.shares.items()
    ]
    left_out = f" {plural(found.others, 'trial')} that learned nothing are not in it." if found.others else ""
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [plot_text(name) for name in names[::-1]],
        "x": [found.shares[name] for name in names[::-1]],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [bounds[name][1] - found.shares[name] for name in names[::-1]],
            "arrayminus": [found.shares[name] - bounds[name][0] for name in names[::-1]],
            "color": "@ink",
            "thickness": 1,
        },
        "marker": {"color": "@blue"},
        "hoverinfo": "skip",
    }
    return Figure(
        key="importance",
        title="Importance of each hyperparameter",
        result=_importance_result(found),
        reading="Share of the variance of the log-odds of an error that each explains alone when it is drawn evenly "
        f"over the values tried, by the curve model, with 95 % intervals.{left_out}{_products(found)}",
        table=Table(("hyperparameter", "share", "95 % interval"), rows) if names else None,
        traces=(trace,) if names else (),
        layout=layout(
            axis(
                "share of the variance",
                tickformat=".0%",
                range=[0, 1.05 * max([0.01, *(high for _, high in bounds.values())])],
            ),
            axis("", type="category", showgrid=False, ticks=""),
        ),
        height=90 + 34 * max(2, len(names)),
        wide=len(findings.model.curves or findings.slices) % 2 == 0,  # else it stands beside the last of them
    )


def _products(found: Importance) -> str:
    """What products tell, beside the shares."""
    told = []
    for each in found.products:
        one, other = each.factors
        share = f"{100 * each.share:.0f} % ({100 * each.low:.0f} to {100 * each.high:.0f})"
        told.append(
            f"beside them {each.name}, {one} x {other}, tells alone {share} of what the two do together; {one} tells "
            f"{100 * each.alone[0]:.0f} %, {other} {100 * each.alone[1]:.0f} %: it is no further share"
        )
    return f" {sentences_of(*told)}" if told else ""


def _importance_result(found: Importance) -> str:
    if not found.shares:
        return sentences_of("importance cannot be told", found.warning)
    told = ", ".join(
        f"{name} {100 * share:.0f} %"
        + " ({:.0f} to {:.0f})".format(*(100 * end for end in found.intervals[name]))
        for name, share in list(found.shares.items())[:3]
        if name in found.intervals
    )
    variance = f"of what hyperparameters do to the error: {told} (n = {plural(found.n, 'trial')})"
    return sentences_of(variance, found.warning)
