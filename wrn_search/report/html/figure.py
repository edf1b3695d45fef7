"""A figure of the page: plotly's traces and layout as plain values, its caption and the table behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.input_tables.shared_values import Trial
from wrn_search.report.html.markup import plot_text
from wrn_search.wording import shown

MAX_POINTS = 2000  # of one scatter plot; more make a browser slow and a picture no clearer
MAX_ROWS = 1000  # of one table; all of them are in trials.parquet
_VALUES_A_LINE = 2  # of a hover, so that it fits a telephone


@dataclass(frozen=True)
class Table:
    """What a figure was drawn from, as text."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    text_columns: int = 1  # the first so many hold text; numbers stand to the right
    note: str = ""
    trials: Sequence[
        int | None
    ] = ()  # of each row the trial that its first text names, which leads to its row


@dataclass(frozen=True)
class Figure:
    """One figure. Colours are names of the palette (`@ink`); a trace's `trials` are places in `Findings.trials`,
    of which the page makes its `hovertext` and what a click leads to; the `choose` of a map names the trials of a cell.
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
    return (
        ""
        if drawn == total
        else f" Drawn are {drawn:,} of {total:,} points: the best, and an even choice of the others."
    )
