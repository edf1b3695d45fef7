"""A figure of the page: plotly's traces and layout as plain values, its caption and the table behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from wrn_search.analysis.findings import Findings
from wrn_search.analysis.quantities import Trial
from wrn_search.report.markup import plot_text

NONE = "\u2013"  # stands where a value is missing

MAX_POINTS = 2000  # of one scatter plot; more make a browser slow and a picture no clearer
MAX_ROWS = 1000  # of one table; all of them are in trials.parquet
_MOST_TICKS = 9
_VALUES_A_LINE = 2  # of a hover, so that it fits a telephone


@dataclass(frozen=True)
class Table:
    """What a figure was drawn from, as text."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    text_columns: int = 1  # the first so many hold text; numbers stand to the right
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """One figure. Colours are names of the palette (`@ink`); a trace's `trials` are places in `Findings.trials`,
    of which the page makes its `hovertext`.
    """

    key: str  # in the page's addresses: `report.html#error-map`
    title: str
    result: str  # the caption's first sentence: what the figure shows
    reading: str  # how it is to be read
    table: Table | None
    traces: tuple[dict[str, Any], ...] = ()  # none: there is nothing to draw, and `result` says why
    layout: dict[str, Any] = field(default_factory=dict)
    height: int = 380  # pixels
    min_width: int = 0  # pixels; a narrower screen scrolls
    wide: bool = False  # takes the whole width of the page


def layout(x: dict[str, Any], y: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What all figures share, with their axes."""
    return {
        "font": {
            "family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
            "size": 13,
            "color": "@ink",
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 58, "r": 16, "t": 12, "b": 48},
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": "@page",
            "bordercolor": "@axis",
            "font": {"color": "@ink", "size": 12},
            "align": "left",
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@axis", "activecolor": "@ink"},
        "xaxis": x,
        "yaxis": y,
        **more,
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with a title and quiet lines."""
    return {
        "title": {"text": title, "standoff": 8, "font": {"size": 13}},
        "automargin": True,
        "gridcolor": "@grid",
        "linecolor": "@axis",
        "tickcolor": "@axis",
        "ticks": "outside",
        "ticklen": 4,
        "showline": True,
        "zeroline": False,
        **more,
    }


def log_axis(title: str, values: Iterable[float], **more: Any) -> dict[str, Any]:
    """A logarithmic axis with whole labels at 1, 2 and 5, or at 1 where they would crowd."""
    positive = [value for value in values if value > 0]
    ticks = log_ticks(min(positive), max(positive)) if positive else []
    return axis(title, type="log", tickvals=ticks, ticktext=[short_count(tick) for tick in ticks], **more)


def log_ticks(low: float, high: float) -> list[float]:
    """Round values from just below `low` to just above `high`, at most about ten."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0,)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        inside = [tick for tick in ticks if low / 1.3 <= tick <= high * 1.3]
        if len(inside) <= _MOST_TICKS:
            return inside
    return inside[:: 1 + len(inside) // _MOST_TICKS]


def hover_text(trial: Trial, *, name_search: bool) -> str:
    """What a figure says of a trial: its name, its end, its configuration."""
    end = f"{trial.status} after {trial.epochs_done} of {trial.epochs} epochs"
    values = [f"{name} {shown(value)}" for name, value in trial.hparams.items()]
    lines = [values[start : start + _VALUES_A_LINE] for start in range(0, len(values), _VALUES_A_LINE)]
    return "<br>".join(
        [
            f"<b>{plot_text(trial.name)}</b>",
            *([plot_text(f"search {trial.search}")] if name_search else []),
            plot_text(end if trial.val_error is None else f"{end}: {trial.val_error:.2f} %"),
            *(plot_text(", ".join(line)) for line in lines),
            f"{trial.num_params:,} parameters",
        ]
    )


def hover_texts(findings: Findings) -> list[str]:
    """The hover of every trial, at its place."""
    several = len(findings.searches) > 1
    return [hover_text(trial, name_search=several) for trial in findings.trials]


def thinned(places: Sequence[int], keep: Sequence[bool], most: int = MAX_POINTS) -> list[int]:
    """At most `most` places: all that must be kept, of the others evenly many over the whole row."""
    kept = [place for place in places if keep[place]]
    others = [place for place in places if not keep[place]]
    room = max(0, most - len(kept))
    if len(others) > room:
        others = [others[index * len(others) // room] for index in range(room)]
    return sorted([*kept, *others])


def thinning(drawn: int, total: int) -> str:
    """The sentence that says so, if there is anything to say."""
    return "" if drawn == total else f" Drawn are {drawn:,} of {total:,} points, evenly chosen."


def percent(value: float | None) -> str:
    """An error in percent with two digits, or a dash."""
    return NONE if value is None else f"{value:.2f}"


def shown(value: object) -> str:
    """A hyperparameter's value or another number, with four significant digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return NONE if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def short_count(value: float) -> str:
    """`2.2 M`, `691 k`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def interval_text(interval: tuple[float, float] | None, digits: int = 2) -> str:
    """`-0.31 to +0.12`, or a dash."""
    return NONE if interval is None else f"{interval[0]:+.{digits}f} to {interval[1]:+.{digits}f}"


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 trial`, `2 trials`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
