"""The page of a comparison: figures with their captions and tables, as in the report of a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wrn_search.replay.all_plays import Asked
from wrn_search.replay.comparison import Comparison, Quartiles
from wrn_search.replay.comparison_in_words import (
    REGRET,
    cell,
    label,
    pair_sentence,
    quarter_points,
    settings_of,
)
from wrn_search.report.html.axes import axis, layout
from wrn_search.report.html.blocks import figures_block, sentences, table_block
from wrn_search.report.html.colours import SERIES
from wrn_search.report.html.document import page
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import Html, element, plot_text
from wrn_search.wording import NONE, plural, shown

_DASHES = ("solid", "dash", "dot", "dashdot")
_BAND = 0.12  # opacity of the quartiles


def page_of(asked: Asked, found: Comparison) -> str:
    """The whole page."""
    pairs = [pair_sentence(asked, found, pair) for pair in found.pairs]
    figures = [_over(asked, found, [float(epoch) for epoch in found.epochs], "epochs")]
    if found.hours:
        figures.append(_over(asked, found, list(found.hours), "hours"))
    sections = [
        ("regret", "Regret", figures_block(figures)),
        ("pairs", "Methods against each other", sentences(pairs) if pairs else _only_one()),
        ("rungs", "What the rungs stopped", table_block(_rungs(asked, found))),
        ("methods", "Methods and tables", _about(asked, found)),
    ]
    title = f"Replay of {', '.join(table.name for table in asked.tables[:3])}"
    facts = [
        plural(len(asked.tables), "table"),
        plural(len(asked.methods), "method"),
        plural(asked.seeds, "seed"),
        f"{asked.budget:,} epochs",
        " and ".join(plural(workers, "worker") for workers in asked.workers),
    ]
    header = element("header", element("h1", title), element("p", " · ".join(facts), class_="facts"))
    return page(header, sections, title, {})


def _only_one() -> Html:
    return element("p", "There is one method: nothing to compare it with.")


def _over(asked: Asked, found: Comparison, moments: list[float], unit: str) -> Figure:
    """Median and quartiles over epochs spent, or over simulated hours."""
    rows: list[tuple[str, ...]] = []
    traces: list[dict[str, Any]] = []
    places = quarter_points(found) if unit == "epochs" else _quarters(len(moments))
    for place, result in enumerate(found.results):
        regret = result.regret if unit == "epochs" else result.by_hours
        if regret is None:
            continue
        name = label(asked, result)
        traces += _traces(name, regret, moments, place)
        rows.append((name, *(cell(regret, each) for each in places)))
    head = ("method", *(f"at {shown(float(f'{moments[each]:.3g}'))} {unit}" for each in places))
    return Figure(
        key=f"regret-{unit}",
        title=f"Regret over {'epochs spent' if unit == 'epochs' else 'simulated hours'}",
        result=_result(asked, found, unit),
        reading=f"{REGRET[0].upper()}{REGRET[1:]}, of the configuration that a method would name best at each moment. "
        f"Lines: medians over {plural(asked.seeds, 'seed')} and {plural(len(asked.tables), 'table')}; "
        "bands: quartiles. Named best is the lowest error at equal epochs.",
        table=Table(head, rows),
        traces=tuple(traces),
        layout=layout(
            axis(
                "epochs spent by all workers" if unit == "epochs" else "simulated hours", rangemode="tozero"
            ),
            axis("regret", rangemode="tozero"),
        ),
        height=460,
        wide=True,
    )


def _quarters(count: int) -> list[int]:
    return sorted({max(0, round(count * share) - 1) for share in (0.25, 0.5, 1.0)})


def _traces(name: str, regret: Quartiles, moments: Sequence[float], place: int) -> list[dict[str, Any]]:
    colour = f"@{SERIES[place % len(SERIES)]}"
    dash = _DASHES[place // len(SERIES) % len(_DASHES)]
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": [*moments, *reversed(moments)],
        "y": [*map(float, regret.q75), *map(float, regret.q25[::-1])],
        "fill": "toself",
        "fillcolor": colour,
        "opacity": _BAND,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": name,
    }
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": plot_text(name),
        "legendgroup": name,
        "x": list(moments),
        "y": list(map(float, regret.median)),
        "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": f"{plot_text(name)}<br>%{{x:.4g}}: regret %{{y:.3f}}<extra></extra>",
    }
    return [band, line]


def _result(asked: Asked, found: Comparison, unit: str) -> str:
    """The caption's first sentence: who is lowest at the end."""
    last: list[tuple[float, str]] = []
    for result in found.results:
        regret = result.regret if unit == "epochs" else result.by_hours
        if regret is not None:
            last.append((float(regret.median[-1]), label(asked, result)))
    lowest, name = min(last)
    where = f"after {asked.budget:,} epochs" if unit == "epochs" else "at the end of the simulated time"
    same = [other for value, other in last if value == lowest]
    if len(same) > 1:
        return f"{where[0].upper()}{where[1:]} {', '.join(same)} share the lowest median, {lowest:.2f}."
    return f"{where[0].upper()}{where[1:]} {name} has the lowest median, {lowest:.2f}."


def _rungs(asked: Asked, found: Comparison) -> Table:
    rows = [
        (
            label(asked, result),
            str(rung.epoch),
            f"{rung.stopped:,} of {rung.arrived:,}",
            f"{rung.best_stopped:,} of {rung.best_arrived:,}",
            f"{100 * rung.best_stopped / rung.best_arrived:.0f} %" if rung.best_arrived else NONE,
            NONE if rung.kendall_tau is None else f"{rung.kendall_tau:.2f}",
        )
        for result in found.results
        for rung in result.rungs
    ]
    head = ("method", "epoch", "stopped", "of the best 5 %", "share", "Kendall's tau with the end")
    note = "Of the best 5 %: trials whose recorded ends are among the lowest 5 % of their table. All seeds together."
    return Table(head, rows, note=note if rows else "No trial was stopped early.")


def _about(asked: Asked, found: Comparison) -> Html:
    methods = Table(
        ("method", "settings", "completed", "stopped", "diverged", "unfinished", "decisions a CPU second"),
        [
            (
                label(asked, result),
                ", ".join(f"{key}={value}" for key, value in settings_of(asked, result).items()) or NONE,
                *(
                    f"{result.trials[kind]:.1f}"
                    for kind in ("completed", "stopped", "diverged", "unfinished")
                ),
                f"{result.decisions_per_second:,.0f}",
            )
            for result in found.results
        ],
        text_columns=2,
        note="Trials: mean of a play.",
    )
    tables = Table(
        ("table", "configurations", "seeds", "epochs", "best end", "median end"),
        [
            (
                table.name,
                str(len(table.configurations)),
                str(table.seeds),
                str(table.epochs),
                f"{min(end for end in table.ends if end == end):.2f}",
                f"{sorted(end for end in table.ends if end == end)[len(table.ends) // 2]:.2f}",
            )
            for table in asked.tables
        ],
        note="Ends in percent; those of losses scaled to 0 to 100.",
    )
    return element("div", table_block(methods), table_block(tables))
