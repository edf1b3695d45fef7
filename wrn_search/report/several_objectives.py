"""Figures of a search with several objectives: its front, and the hypervolume over what was spent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.several_objectives import AtFullEpochs, SeveralObjectives
from wrn_search.objectives.objective_table import OBJECTIVE_TABLE, VAL_ERROR
from wrn_search.report.html.axes import axis, layout, log_axis
from wrn_search.report.html.figure import Figure, Table, thinned, thinning
from wrn_search.wording import plural, short_count, two_digits


def objective_figures(findings: Findings) -> list[Figure]:
    """The front against each cost, and its hypervolume; none where the searches minimise one value."""
    found = findings.objectives
    if found is None:
        return []
    costs = [name for name in found.names if name != VAL_ERROR]
    return [*(_front_figure(findings, found, name) for name in costs), _hypervolume_figure(findings, found)]


def _front_figure(findings: Findings, found: SeveralObjectives, cost: str) -> Figure:
    drawn = [
        found.points[place]
        for place in thinned(range(len(found.points)), [point.on_front for point in found.points])
    ]
    title = OBJECTIVE_TABLE[cost].title
    several = len(found.names) > 2
    of_all = f" The front is that of {' and '.join(found.names)} together." if several else ""
    return Figure(
        key=f"objectives-{cost.replace('_', '-')}",
        title=f"What was minimised: error against {title}",
        result=_ends(found),
        reading=f"On the front: no other configuration at full epochs is as good in every objective and better in one."
        f"{of_all} The errors on a front are the luckiest of many: confirm --pareto trains it again."
        f"{thinning(len(drawn), len(found.points))}",
        table=_front_table(findings, found) if found.points else None,
        traces=_front_traces(found, drawn, cost) if found.points else (),
        layout=layout(
            log_axis(title, (point.values[found.names.index(cost)] for point in found.points)),
            axis("validation error (%)"),
        ),
        height=420,
    )


def _ends(found: SeveralObjectives) -> str:
    if not found.points:
        return "No trial got to full epochs, so there is no front yet."
    number = len(found.front)
    best = found.front[0]
    of = plural(len(found.points), "configuration")
    are = "is" if number == 1 else "are"
    lowest = f"{best.network} ({_told(found, best)})"
    return f"Of {of} at full epochs {number} {are} on the front, the lowest error at {lowest}."


def _told(found: SeveralObjectives, point: AtFullEpochs) -> str:
    return ", ".join(
        f"{two_digits(value)} %" if name == VAL_ERROR else f"{short_count(value)} {unit}"
        for name, unit, value in zip(found.names, found.units, point.values, strict=True)
    )


def _front_traces(
    found: SeveralObjectives, drawn: Sequence[AtFullEpochs], cost: str
) -> tuple[dict[str, Any], ...]:
    others = [point for point in drawn if not point.on_front]
    place = found.names.index(cost)
    front = sorted(found.front, key=lambda point: point.values[place])
    line = {"mode": "lines+markers", "line": {"shape": "hv", "color": "@blue", "width": 1.5}}
    return (
        {
            **_points(found, others, cost),
            "name": "other configurations",
            "mode": "markers",
            "marker": {"color": "@pale", "size": 6, "opacity": 0.65},
        },
        {
            **_points(found, front, cost),
            "name": "front",
            **(line if len(found.names) == 2 else {"mode": "markers"}),
            "marker": {"color": "@blue", "size": 9},
        },
    )


def _points(found: SeveralObjectives, points: Sequence[AtFullEpochs], cost: str) -> dict[str, Any]:
    x, y = found.names.index(cost), found.names.index(VAL_ERROR)
    return {
        "type": "scatter",
        "x": [point.values[x] for point in points],
        "y": [point.values[y] for point in points],
        "trials": [point.trial for point in points],
        "hovertemplate": f"%{{hovertext}}<br>%{{x:.4s}} {found.units[x]}, error %{{y:.2f}} %<extra></extra>",
    }


def _front_table(findings: Findings, found: SeveralObjectives) -> Table:
    rows = [
        (
            findings.trials[point.trial].name,
            *(
                f"{value:.2f}" if name == VAL_ERROR else f"{value:,.6g}"
                for name, value in zip(found.names, point.values, strict=True)
            ),
        )
        for point in found.front
    ]
    head = ("trial", *(OBJECTIVE_TABLE[name].title for name in found.names))
    return Table(
        head, rows, note="The front, by rising error.", trials=[point.trial for point in found.front]
    )


def _hypervolume_figure(findings: Findings, found: SeveralObjectives) -> Figure:
    steps = [step for step in found.steps if step.share is not None]
    title = "Hypervolume of the front over the epochs spent"
    if not steps or found.reference is None or found.ideal is None:
        why = found.why_no_hypervolume or "no trial has reached its last epoch"
        return Figure("hypervolume", title, f"There is no hypervolume: {why}.", "", None)
    corners = ", ".join(
        f"{name} from {short_count(low)} to {short_count(high)}"
        for name, low, high in zip(found.names, found.ideal, found.reference, strict=True)
    )
    last = steps[-1]
    return Figure(
        key="hypervolume",
        title=title,
        result=f"At the end the front dominates {100 * (last.share or 0):.0f} % of the box, after "
        f"{plural(last.epochs, 'epoch')} of {plural(last.ended, 'trial')}.",
        reading=f"The box, each axis by its logarithm: {corners}. The second value of each is the reference point: "
        "the error of chance and the largest network, of times the slowest. Epochs of all trials that had ended by "
        "then, whatever became of them.",
        table=Table(
            ("trials ended", "hours", "epochs spent", "on the front", "share of the box (%)"),
            [
                (
                    f"{step.ended}",
                    two_digits(step.hours),
                    f"{step.epochs:,}",
                    f"{len(step.front)}",
                    f"{100 * (step.share or 0):.1f}",
                )
                for step in steps
            ],
            text_columns=0,
        ),
        traces=(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [step.epochs for step in steps],
                "y": [100 * (step.share or 0) for step in steps],
                "line": {"shape": "hv", "color": "@blue", "width": 2},
                "marker": {"color": "@blue", "size": 5},
                "hovertemplate": "after %{x} epochs of all trials: %{y:.1f} %<extra></extra>",
            },
        ),
        layout=layout(
            axis("epochs spent", rangemode="tozero"), axis("share of the box (%)", rangemode="tozero")
        ),
        height=400,
    )
