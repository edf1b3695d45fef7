"""The figure of equal parameters: error against the depth:width ratio in bands of equal `num_params`."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.equal_parameters import Band, Bought, IsoParams
from wrn_search.report.html.axes import axis, error_bars, layout, log_axis
from wrn_search.report.html.colours import ramp
from wrn_search.report.html.figure import Figure, Table
from wrn_search.wording import (
    interval_text,
    plural,
    sentence,
    sentences_of,
    short_count,
    shown,
    two_digits,
)

_NO_CHANGE = 0.005  # points: what two digits show as none
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "hexagon", "star")


def iso_params(findings: Findings) -> Figure:
    """Error against depth:width, a colour a band, with the trend that all bands share."""
    found = findings.iso_params
    traces: list[dict[str, Any]] = []
    for place, band in enumerate(found.bands):
        traces += _band_traces(band, place, len(found.bands), with_line=found.interval is not None)
    ratios = [point.ratio for band in found.bands for point in band.points]
    return Figure(
        key="iso-params",
        title="Error against depth:width at equal parameters",
        result=_result(found),
        reading=_reading(findings, found),
        table=_table(findings, found) if found.bands else None,
        traces=tuple(traces),
        layout=layout(
            log_axis("depth : widening factor", ratios),
            axis("validation error (%)"),
        ),
        height=460,
        wide=True,
    )


def _band_traces(band: Band, place: int, places: int, *, with_line: bool) -> list[dict[str, Any]]:
    colour = ramp(place, places)
    label = f"{short_count(band.low)} to {short_count(band.high)}"
    points = {
        "type": "scatter",
        "mode": "markers",
        "name": label,
        "legendgroup": label,
        "x": [point.ratio for point in band.points],
        "y": [point.val_error for point in band.points],
        "trials": [point.trial for point in band.points],
        "customdata": [[point.network, point.n] for point in band.points],
        "hovertemplate": "%{hovertext}<br>depth:width %{x:.3g}, error %{y:.2f} % (n = %{customdata[1]})<extra></extra>",
        "marker": {"color": colour, "size": 9, "symbol": _SYMBOLS[place % len(_SYMBOLS)]},
        **error_bars([point.val_error for point in band.points], [point.reach for point in band.points]),
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": label,
        "legendgroup": label,
        "showlegend": False,
        "hoverinfo": "skip",
        "x": [x for x, _ in band.line],
        "y": [y for _, y in band.line],
        "line": {"color": colour, "width": 1.5},
    }
    return [points, line] if band.line and with_line else [points]


def _result(found: IsoParams) -> str:
    if not found.bands:
        return sentences_of("No band of equal parameters holds two depth:width ratios", found.why_no_slope)
    if found.slope is None:
        return sentence(f"No trend was fitted: {found.why_no_slope}")
    side = "wider networks do better" if found.slope > 0 else "deeper networks do better"
    if abs(found.slope) < _NO_CHANGE:
        side = "neither deeper nor wider networks do better"
    if found.interval is None:
        return sentence(
            f"No trend is told at equal parameters, since it would have no interval: {found.why_no_interval}"
        )
    change = f"each doubling of depth:width goes with {found.slope:+.2f} points of error"
    sure = side if found.found else "which cannot be told from none"
    return f"At equal parameters {change} (95 % interval {interval_text(found.interval)}): {sure}."


def _reading(findings: Findings, found: IsoParams) -> str:
    of = f" of {', '.join(found.searches)}" if len(findings.searches) > 1 and found.searches else ""
    fit = ""
    if found.interval is not None:
        drawn = plural(sum(bool(band.line) for band in found.bands), "band")
        fit = f" Lines: one slope fitted to all bands, n = {found.n} points{of}, drawn in {drawn}."
    how = f" {interval_words(found)}" if found.interval else ""
    bands = "Each colour is a band of nearly equal numbers of parameters; to the right, deeper and narrower."
    return f"{bands}{fit}{how}"


def interval_words(found: IsoParams | Bought) -> str:
    """Where the interval comes from, and whether the curve fits the repeats."""
    lack = found.lack_of_fit
    tested = (
        f"lack of fit: F({lack.freedom[0]}, {lack.freedom[1]}) = {lack.statistic:.2g}, p = {lack.probability:.2g}"
        if lack
        else ""
    )
    if found.by_repeats:
        fits = (
            f"; the fitted curve misses their means by no more than chance explains ({tested})"
            if lack
            else ""
        )
        return f"The interval comes from the spread of the repeats{fits}."
    if lack is not None and lack.fails:
        return (
            f"The fitted curve misses the means by more than their repeats explain ({tested}), so an interval from "
            "their spread would not hold: it comes from how far configurations miss the curve."
        )
    return "The interval comes from how far configurations miss the curve."


def _table(findings: Findings, found: IsoParams) -> Table:
    rows = [
        (
            findings.trials[point.trial].name,
            point.network,
            f"{short_count(band.low)} to {short_count(band.high)}",
            shown(point.ratio),
            shown(point.num_params),
            two_digits(point.val_error),
            str(point.n),
        )
        for band in found.bands
        for point in band.points
    ]
    head = ("trial", "network", "band (parameters)", "depth:width", "parameters", "validation error (%)", "n")
    trials = [point.trial for band in found.bands for point in band.points]
    return Table(head, rows, text_columns=3, trials=trials)
