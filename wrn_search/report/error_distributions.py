"""Figures of how errors are spread over all trials, at equal parameters too."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.error_distributions import EdfCurve
from wrn_search.report.html.axes import axis, layout
from wrn_search.report.html.colours import SERIES, ramp
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import plot_text
from wrn_search.wording import plural, sentence, two_digits

_CHOICE = {
    "choose": {"equal": {"end_kind": "measured"}, "most": "end"}
}  # of a click: trials with at most that error
_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of the table


def distribution(findings: Findings) -> Figure:
    """Share of all ended trials with an error of at most e, and the same in bands of parameters."""
    found = findings.edf
    whole = found.all
    middle = _quantile(whole, 0.5)
    half = (
        "less than half, so the distribution has no median"
        if middle is None
        else f"half of all have an error of at most {two_digits(middle)} %"
    )
    end = _end((whole, *found.bands))
    traces = [_step(band, end, ramp(place, len(found.bands)), 1.5) for place, band in enumerate(found.bands)]
    return Figure(
        key="edf",
        title="Error distribution of all trials",
        result=f"Of {plural(whole.n, 'ended trial')} {whole.reached} got to full epochs; {half}.",
        reading="Share of all trials that ended, failures included, with a full-epoch error of at most e. "
        f"Thick: all; in colour: bands of parameters.{_halves_left_out(findings)}",
        table=_table((whole, *found.bands)) if whole.errors else None,
        traces=(*traces, _step(whole, end, "@ink", 2.5) | _CHOICE) if whole.errors else (),
        layout=_share_layout(),
        height=400,
    )


def _halves_left_out(findings: Findings) -> str:
    if not any(search.adaptive is not False for search in findings.searches):
        return ""
    return (
        " Deeper and wider networks are not set against each other here: an adaptive search gave them unequal trials, "
        "other hyperparameters and stopped the worse ones."
    )


def halves(findings: Findings) -> Figure | None:
    """The same for the deeper and the wider networks at equal parameters; None where a search chose by results."""
    if _halves_left_out(findings):
        return None
    found = findings.edf
    medians = [(curve.label, _quantile(curve, 0.5)) for curve in found.halves]
    if found.halves and all(value is not None for _, value in medians):
        told = ", ".join(f"{label} {two_digits(value)} %" for label, value in medians)
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
            *(two_digits(_quantile(curve, share)) for share in _SHARES),
        )
        for curve in curves
    ]
    return Table(head, rows, note="A dash: fewer trials than that got to full epochs.")
