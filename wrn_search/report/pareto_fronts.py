"""Figures of Pareto fronts: error against what it costs."""

from __future__ import annotations

import math
from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.pareto_fronts import Front, FrontPoint
from wrn_search.objectives.objective_table import OBJECTIVE_TABLE
from wrn_search.report.html.axes import axis, error_bars, layout, log_axis
from wrn_search.report.html.figure import Figure, Table, thinned, thinning
from wrn_search.report.html.markup import plot_text
from wrn_search.wording import plural, sentence, short_count, shown, two_digits

_MOST_BARS = 40  # of one colour; more hide one another
_APART = 0.09  # of the plot's width or height between two names


def front_figures(findings: Findings) -> list[Figure]:
    """One figure a cost."""
    return [_front_figure(findings, front) for front in findings.pareto.fronts]


def _front_figure(findings: Findings, front: Front) -> Figure:
    title = OBJECTIVE_TABLE[front.cost].title
    drawn = thinned(range(len(front.points)), [point.on_front for point in front.points])
    note = f" {sentence(front.note)}" if front.note else ""
    return Figure(
        key=f"pareto-{front.cost.replace('_', '-')}",
        title=f"Error against {title}",
        result=_ends(front),
        reading="On the front: no other configuration is both cheaper and better. Bars: 95 % of counting and of seeds, "
        f"where any were repeated and points are few. Names where there is room; all are in the table.{note}"
        f"{thinning(len(drawn), len(front.points))}",
        table=_table(findings, front) if front.points else None,
        traces=_traces(front, [front.points[place] for place in drawn]) if front.points else (),
        layout=layout(log_axis(title, (point.cost for point in front.points)), axis("validation error (%)")),
        height=420,
    )


def _ends(front: Front) -> str:
    if not front.points:
        return sentence(front.note) or "No trial got to full epochs, so there is no front yet."
    first, last = front.front[0], front.front[-1]
    number = len(front.front)
    cheapest = f"{first.network} ({short_count(first.cost)} {front.unit}, {two_digits(first.val_error)} %)"
    best = f"{last.network} ({short_count(last.cost)}, {two_digits(last.val_error)} %)"
    where = f"from {cheapest} to {best}" if number > 1 else cheapest
    of = plural(len(front.points), "configuration")
    return f"Of {of} at full epochs {number} {'is' if number == 1 else 'are'} on the front: {where}."


def _traces(front: Front, drawn: list[FrontPoint]) -> tuple[dict[str, Any], ...]:
    others = [point for point in drawn if not point.on_front]
    hover = f"%{{hovertext}}<br>%{{x:.4s}} {front.unit}, error %{{y:.2f}} %<extra></extra>"
    return (
        {
            **_points(others, hover),
            "name": "other configurations",
            "mode": "markers",
            "marker": {"color": "@pale", "size": 6, "opacity": 0.65},
        },
        {
            **_points(list(front.front), hover),
            "name": "Pareto front",
            "mode": "lines+markers+text",
            "text": _names(front),
            "textposition": _sides(front),
            "textfont": {"size": 11, "color": "@ink"},
            "cliponaxis": False,
            "line": {"shape": "hv", "color": "@blue", "width": 1.5},
            "marker": {"color": "@blue", "size": 9},
        },
    )


def _points(points: list[FrontPoint], hover: str) -> dict[str, Any]:
    errors = [point.val_error for point in points]
    return {
        "type": "scatter",
        "x": [point.cost for point in points],
        "y": errors,
        "trials": [point.trial for point in points],
        "hovertemplate": hover,
        **(error_bars(errors, [point.reach for point in points]) if len(points) <= _MOST_BARS else {}),
    }


def _names(front: Front) -> list[str]:
    """Names of the points on the front, left out where they would stand on one another."""
    costs = [math.log10(point.cost) if point.cost > 0 else 0.0 for point in front.points]
    errors = [point.val_error for point in front.points]
    width = (max(costs) - min(costs)) or 1.0
    height = (max(errors) - min(errors)) or 1.0
    named: list[tuple[float, float]] = []
    names = []
    for point in reversed(front.front):  # the best error always has its name
        cost = math.log10(point.cost) if point.cost > 0 else 0.0
        place = (cost / width, point.val_error / height)
        room = all(abs(place[0] - x) > 2 * _APART or abs(place[1] - y) > _APART for x, y in named)
        names.append(plot_text(point.network) if room else "")
        named += [place] if room else []
    return names[::-1]


def _sides(front: Front) -> list[str]:
    """On which side of its point a name has room: to the left near the right edge."""
    low, high = front.points[0].cost, front.points[-1].cost
    right = [low > 0 and point.cost > low * (high / low) ** 0.7 for point in front.front]
    return ["bottom left" if near else "top right" for near in right]


def _table(findings: Findings, front: Front) -> Table:
    head = ("trial", "network", "on the front", front.unit, "validation error (%)")
    points = sorted(front.points, key=lambda point: (not point.on_front, point.cost))
    rows = [
        (
            findings.trials[point.trial].name,
            point.network,
            "yes" if point.on_front else "",
            shown(point.cost if OBJECTIVE_TABLE[front.cost].measured else int(point.cost)),
            two_digits(point.val_error),
        )
        for point in points
    ]
    note = "The front first, by rising cost."
    return Table(head, rows, text_columns=3, note=note, trials=[point.trial for point in points])
