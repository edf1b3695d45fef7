"""Parallel coordinates: a line a trial over all that was searched, to its end; the page's script draws and brushes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.curve_model.ends_of_all import BestTrials, best_trials, ends_of_all
from wrn_search.report.all_trials.trial_columns import Column
from wrn_search.report.html.axes import linear_ticks, log_floor, log_ticks
from wrn_search.report.html.blocks import prose
from wrn_search.report.html.markup import Html, element, join, script_json
from wrn_search.wording import plural, short_count, shown

AXIS_WIDTH = 112  # pixels that an axis with its labels needs
_HEIGHT = 400
_MOST_LEVELS = 12  # values that stand evenly apart on an axis; more lie where numbers lie
_WIDE_SPREAD = 5.0  # the highest error over the lowest, from which on their axis is logarithmic
_MOST_NAMED = 4  # hyperparameters in the caption


def parallel_coordinates(findings: Findings, columns: Sequence[Column]) -> Html | None:
    """The figure; None where nothing varies or no trial has an end."""
    axes = [each for each in _axes(findings, columns) if each is not None]
    if len(axes) < 2 or axes[-1]["key"] != "end":
        return None
    result = _result(best_trials(findings.trials, ends_of_all(findings.trials, findings.model)))
    reading = (
        "Each line is a trial, from axis to axis; its last point is its error at full epochs. In colour, the best "
        "the strongest: trials that were trained to their end. Pale: trials that were stopped, whose end is predicted, "
        "and those without an end. Draw along an axis to choose a range of it, click the axis to let it go: the table "
        "below shows what is chosen, and its filters choose here too. A click on a line leads to its row."
    )
    style = f"height:{_HEIGHT}px;min-width:{AXIS_WIDTH * len(axes)}px"
    drawing = element("div", class_="parallel", role="img", aria_label=result, style=style)
    return element(
        "figure",
        element("h3", "Every trial over all that was searched"),
        element("div", drawing, class_="scroll"),
        element("p", "Wider than this screen: scroll sideways to see the rest.", class_="hint"),
        element("p", class_="readout", aria_live="polite"),
        element("script", script_json({"axes": axes}), type="application/json", id="values-parallel"),
        element("figcaption", element("strong", result), f" {reading}"),
        id="parallel",
        class_="wide",
    )


def _result(best: BestTrials) -> str:
    """Where the best tenth lies, with what was tried."""
    said = [
        f"{each.name} {_span(each.low, each.high)} of {_span(each.lowest_tried, each.highest_tried)} tried"
        for each in best.ranges[:_MOST_NAMED]
    ]
    who = f"The best {best.count} of {plural(best.of, 'trial')} with an end have"
    return f"{who} {'; '.join(said)}." if said else f"{who} no number in common that varies."


def _span(low: float, high: float) -> str:
    return short_count(low) if low == high else f"{short_count(low)} to {short_count(high)}"


def _axes(findings: Findings, columns: Sequence[Column]) -> list[dict[str, Any] | None]:
    logarithmic = {each.name for each in findings.slices if each.log}
    searched = {name for trial in findings.trials for name in (*trial.hparams, *trial.products)}
    found = [_axis(each, log=each.key in logarithmic) for each in columns if each.key in searched]
    (end,) = (each for each in columns if each.key == "end")
    return [*found, _error_axis(end)]


def _axis(column: Column, *, log: bool) -> dict[str, Any] | None:
    """Levels stand evenly apart, numbers where they lie; None where nothing varies."""
    values = {value for value in column.values if value is not None}
    numbers = sorted(value for value in values if not isinstance(value, str))
    if len(values) < 2:
        return None
    if len(numbers) < len(values) or len(values) <= _MOST_LEVELS:
        levels = [*numbers, *sorted(value for value in values if isinstance(value, str))]
        step = 1 + (len(levels) - 1) // _MOST_LEVELS
        ticks = [(place / (len(levels) - 1), shown(levels[place])) for place in range(0, len(levels), step)]
        return {"key": column.key, "title": column.title, "scale": "levels", "levels": levels, "ticks": ticks}
    return _numeric(column, float(numbers[0]), float(numbers[-1]), log=log and numbers[0] > 0)


def _error_axis(column: Column) -> dict[str, Any] | None:
    """Logarithmic where errors differ much; one of 0 then stands at its low end."""
    errors = [float(value) for value in column.values if value is not None]
    if len(set(errors)) < 2:
        return None
    floor = min(errors) if min(errors) > 0 else log_floor(errors)
    log = floor is not None and max(errors) > _WIDE_SPREAD * floor
    return _numeric(column, floor if log and floor else min(errors), max(errors), log=log)


def _numeric(column: Column, low: float, high: float, *, log: bool) -> dict[str, Any]:
    ticks = log_ticks(low, high) if log else linear_ticks(low, high)
    inside = [tick for tick in ticks if low <= tick <= high]
    axis = {"key": column.key, "title": column.title, "scale": "log" if log else "linear"}
    return axis | {
        "low": low,
        "high": high,
        "ticks": [(value, short_count(value)) for value in (inside if len(inside) > 1 else (low, high))],
    }


def trials_block(columns: Sequence[Column], figure: Html | None, file_name: str) -> Html:
    """The figure, and the place where the page's script draws the table."""
    count = len(columns[0].values)
    said = (
        f"{plural(count, 'trial')}. A head sorts, the row below it filters: text by any part of it, or by several "
        "with `|`; numbers by `0.1..0.3`, `>5`, `<=2` or the value. End: the error at full epochs, measured, or "
        "predicted with its 95 % interval."
    )
    return join(
        [
            element("div", figure, class_="figures") if figure is not None else "",
            element("h3", "Table of all trials"),
            element("p", prose(said), class_="note"),
            element("div", id="trials-table", data_file=file_name),
            element(
                "noscript",
                element("p", "This table needs JavaScript; its rows are in trials.parquet.", class_="note"),
            ),
        ]
    )
