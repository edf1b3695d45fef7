"""Figures of how errors and ends are spread over all trials: error distributions, and the statuses."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from wrn_search.analysis.details import EdfCurve
from wrn_search.analysis.findings import Findings
from wrn_search.report.axes import LEGEND, axis, layout
from wrn_search.report.figure import Figure, Table
from wrn_search.report.markup import plot_text
from wrn_search.report.palette import SERIES, ramp
from wrn_search.report.wording import percent, plural, sentence

_STATUSES = {
    "completed": "blue",
    "stopped": "sky",
    "running": "green",
    "interrupted": "pale",
    "diverged": "yellow",
    "failed": "orange",
}
_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of the table


def distribution(findings: Findings) -> Figure:
    """Share of all ended trials with an error of at most e, and the same in bands of parameters."""
    found = findings.edf
    whole = found.all
    middle = _quantile(whole, 0.5)
    half = (
        "less than half, so the distribution has no median"
        if middle is None
        else f"half of all have an error of at most {percent(middle)} %"
    )
    end = _end((whole, *found.bands))
    traces = [_step(band, end, ramp(place, len(found.bands)), 1.5) for place, band in enumerate(found.bands)]
    return Figure(
        key="edf",
        title="Error distribution of all trials",
        result=f"Of {plural(whole.n, 'ended trial')} {whole.reached} got to full epochs; {half}.",
        reading="Share of all trials that ended, failures included, with a full-epoch error of at most e. "
        "Thick: all; in colour: bands of parameters with equally many trials each.",
        table=_table((whole, *found.bands)) if whole.errors else None,
        traces=(*traces, _step(whole, end, "@ink", 2.5)) if whole.errors else (),
        layout=_share_layout(),
        height=400,
    )


def halves(findings: Findings) -> Figure:
    """The same for the deeper and the wider networks at equal parameters."""
    found = findings.edf
    medians = [(curve.label, _quantile(curve, 0.5)) for curve in found.halves]
    if found.halves and all(value is not None for _, value in medians):
        told = ", ".join(f"{label} {percent(value)} %" for label, value in medians)
        result = f"Median error at equal parameters: {told}."
    elif found.halves:
        result = (
            "Less than half of the deeper or of the wider trials got to full epochs, so one has no median."
        )
    else:
        result = "The deeper and the wider networks cannot be told apart."
    end = _end(found.halves)
    traces = [_step(curve, end, f"@{SERIES[place]}", 2) for place, curve in enumerate(found.halves)]
    return Figure(
        key="edf-halves",
        title="Error distribution at equal complexity",
        result=result,
        reading="Each band of parameters is parted into a deeper and a wider half, weighted so that both halves "
        f"have the same share of each band (Radosavovic et al., 2019). {sentence(found.note)}".strip(),
        table=_table(found.halves) if found.halves else None,
        traces=tuple(traces),
        layout=_share_layout(),
        height=400,
    )


def statuses(findings: Findings) -> Figure:
    """How all trials ended, a bar a search."""
    counts = findings.counts
    bad = counts.by_status.get("failed", 0) + counts.by_status.get("diverged", 0)
    share = 100 * bad / max(1, counts.trials)
    by_search, labels = _statuses_by_search(findings), search_labels(findings)
    names = [plot_text(label) for label in labels]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": status,
            "y": names,
            "x": [ends.count(status) for ends in by_search],
            "marker": {"color": f"@{colour}"},
            "hovertemplate": f"%{{y}}: %{{x}} {status}<extra></extra>",
        }
        for status, colour in _STATUSES.items()
        if counts.by_status.get(status)
    ]
    rows = [
        (label, *(str(ends.count(status)) for status in _STATUSES), str(len(ends)))
        for label, ends in zip(labels, by_search, strict=True)
    ]
    return Figure(
        key="statuses",
        title="How the trials ended",
        result=f"{bad} of {plural(counts.trials, 'trial')} failed or diverged ({share:.1f} %).",
        reading="Every trial ends in one status and is counted in every denominator of this page.",
        table=Table(("search", *_STATUSES, "all"), rows),
        traces=tuple(traces),
        layout=layout(
            axis("trials", rangemode="tozero"),
            axis("", type="category", showgrid=False, ticks=""),
            barmode="stack",
            legend=LEGEND | {"traceorder": "normal"},
        ),
        height=130 + 36 * len(names),
        wide=True,
    )


def search_labels(findings: Findings) -> list[str]:
    """The names of the searches, with their paths where two share one."""
    names = [search.name for search in findings.searches]
    return [
        search.name if names.count(search.name) == 1 else f"{search.name} ({search.path})"
        for search in findings.searches
    ]


def _statuses_by_search(findings: Findings) -> list[list[str]]:
    """The statuses of each search's trials, which stand one search after the other."""
    statuses = [trial.status for trial in findings.trials]
    ends = list(accumulate(search.trials for search in findings.searches))
    return [statuses[end - search.trials : end] for search, end in zip(findings.searches, ends, strict=True)]


def _share_layout() -> dict[str, Any]:
    return layout(
        axis("validation error e at full epochs (%)"),
        axis("share of trials with error ≤ e", tickformat=".0%", range=[0, 1.02]),
    )


def _end(curves: tuple[EdfCurve, ...]) -> float:
    """Where all steps end, a little right of the highest error."""
    errors = [error for curve in curves for error in curve.errors]
    return max(errors) + 0.03 * ((max(errors) - min(errors)) or 1.0) if errors else 0.0


def _step(curve: EdfCurve, end: float, colour: str, width: float) -> dict[str, Any]:
    """From nothing at the lowest error to what was reached, which lasts to the end."""
    label = f"{curve.label} (n = {curve.n})"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plot_text(label),
        "x": [*curve.errors[:1], *curve.errors, end],
        "y": [0.0, *curve.shares, *curve.shares[-1:]],
        "line": {"shape": "hv", "color": colour, "width": width},
        "hovertemplate": "%{y:.0%} of trials have at most %{x:.2f} %",
    }


def _quantile(curve: EdfCurve, share: float) -> float | None:
    """The lowest error that so many have at most."""
    reached = (
        error for error, so_far in zip(curve.errors, curve.shares, strict=True) if so_far >= share - 1e-9
    )
    return next(reached, None)


def _table(curves: tuple[EdfCurve, ...]) -> Table:
    head = ("trials", "ended", "at full epochs", *(f"{share:.0%} have at most (%)" for share in _SHARES))
    rows = [
        (
            curve.label,
            str(curve.n),
            str(curve.reached),
            *(percent(_quantile(curve, share)) for share in _SHARES),
        )
        for curve in curves
    ]
    return Table(head, rows, note="A dash: fewer trials than that got to full epochs.")
