"""Figures of what each hyperparameter does, the network held fixed: a curve with its band, the trials moved there."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.curve_model.model_values import EffectCurve
from wrn_search.report.html.axes import axis, layout, log_axis
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import plot_text
from wrn_search.wording import plural, rounded, short_count, shown, two_significant


def effect_figures(findings: Findings) -> list[Figure]:
    """One figure a hyperparameter; none without a model."""
    return [_figure(findings, curve) for curve in findings.model.curves]


def _figure(findings: Findings, curve: EffectCurve) -> Figure:
    values = [point[0] for point in curve.points]
    when = "at full epochs" if findings.model.at_end else f"after epoch {findings.model.epoch}"
    x = axis(curve.name, type="category") if curve.categorical else axis(curve.name)
    if curve.log:
        x = log_axis(curve.name, [float(value) for value in values])
    ended = sum(point.ended for point in curve.trials)
    reading = (
        f"Line and band: expected validation error {when} with its 95 % interval, for {rounded(curve.at)}. Points: "
        f"{plural(len(curve.trials), 'trial')}, each moved by what the model says of its network and other settings; "
        f"full: {ended} measured, pale: predicted. A straight reading is not possible where few trials lie."
    )
    rows = [
        (shown(value), two_significant(mean), f"{two_significant(low)} to {two_significant(high)}")
        for value, mean, low, high in curve.points
    ]
    return Figure(
        key=f"effect-{curve.name.replace('_', '-')}",
        title=f"What {curve.name} does, adjusted for the network",
        result=_result(findings, curve),
        reading=reading,
        table=Table((curve.name, "expected error (%)", "95 % interval"), rows),
        traces=tuple(_traces(curve)),
        layout=layout(x, axis("validation error (%)", rangemode="tozero"), showlegend=False),
    )


def _result(findings: Findings, curve: EffectCurve) -> str:
    lowest = min(curve.points, key=lambda point: point[1])
    where = lowest[0] if isinstance(lowest[0], str) else short_count(lowest[0])
    low, high = two_significant(lowest[2]), two_significant(lowest[3])
    told = f"Lowest expected at {curve.name} {where}: {two_significant(lowest[1])} % ({low} to {high})"
    if curve.best_low is not None and curve.best_high is not None:
        told += f"; the lowest lies between {short_count(curve.best_low)} and {short_count(curve.best_high)} (95 %)"
    verdicts = [each.verdict for each in findings.model.verdicts if each.question == curve.name]
    return f"{told}. Its slope over the values tried: {verdicts[0]}." if verdicts else f"{told}."


def _traces(curve: EffectCurve) -> list[dict[str, Any]]:
    values = [point[0] for point in curve.points]
    means = [point[1] for point in curve.points]
    lows, highs = [point[2] for point in curve.points], [point[3] for point in curve.points]
    dots = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [point.value for point in curve.trials if point.ended is ended],
            "y": [point.error for point in curve.trials if point.ended is ended],
            "trials": [point.trial for point in curve.trials if point.ended is ended],
            "marker": {"size": 6, "color": "@orange" if ended else "@pale", "opacity": 0.8 if ended else 0.5},
            "hoverinfo": "text",
        }
        for ended in (False, True)
        if any(point.ended is ended for point in curve.trials)
    ]
    if curve.categorical:
        whiskers = {
            "type": "data",
            "symmetric": False,
            "array": [high - mean for high, mean in zip(highs, means, strict=True)],
            "arrayminus": [mean - low for low, mean in zip(lows, means, strict=True)],
            "color": "@blue",
        }
        shown_levels = [plot_text(value) for value in values]
        line = {"x": shown_levels, "y": means, "mode": "markers", "error_y": whiskers, "marker": {"size": 10}}
        for each in dots:
            each["x"] = [plot_text(value) for value in each["x"]]
        return [*dots, {"type": "scatter", "hoverinfo": "y", **line}]
    band = {
        "type": "scatter",
        "x": [*values, *values[::-1]],
        "y": [*highs, *lows[::-1]],
        "fill": "toself",
        "mode": "lines",
        "line": {"width": 0, "color": "@blue"},
        "fillcolor": "@band",
        "hoverinfo": "skip",
    }
    line = {"x": values, "y": means, "mode": "lines", "line": {"color": "@blue", "width": 2}}
    return [band, *dots, {"type": "scatter", "hoverinfo": "x+y", **line}]
