"""Figures of depth x widening factor in which every cell of the space has an estimate: solid where measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wrn_search.analysis.all_findings import Findings
from wrn_search.analysis.curve_model.model_values import DivergenceRate, ModelCell
from wrn_search.analysis.curve_model.verdict_lines import hidden_words
from wrn_search.report.depth_width_map import cells_to_choose, colour_bar
from wrn_search.report.html.axes import axis, layout
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import plot_text
from wrn_search.wording import hparams, plural, shown, two_significant

_CELL_WIDTH = 78  # pixels that an interval needs
_ROW = 62
_MOST_COLUMNS = 5  # of a map that stands beside another
_HATCHES = 4  # lines across a predicted cell
_PLAIN = {"showgrid": False, "showline": False, "ticks": "", "type": "category"}


def expected_map(findings: Findings) -> Figure:
    """What each network would reach when trained again, at its own best setting of everything else."""
    model = findings.model
    when = "at full epochs" if model.at_end else "after epoch"
    predicted = sum(cell.kind == "predicted" for cell in model.cells)
    best = min(model.cells, key=lambda cell: cell.estimate)
    result = (
        f"Lowest expected error {_interval(best)} with {best.network}; {len(model.cells) - predicted} of "
        f"{plural(len(model.cells), 'network')} have a trial {when} ({model.epoch}), {predicted} "
        f"{'is' if predicted == 1 else 'are'} predicted."
    )
    reading = (
        "Expected validation error of a network trained again, with its 95 % interval, each at its own best setting of "
        "what else was searched. Solid: measured, n = trials there. Hatched: predicted from the epochs of other trials "
        f"and cells. {_audit(findings)}"
    )
    return _figure(
        "expected-map", "Expected error (%) of every network", result, reading, findings, model.cells
    )


def early_map(findings: Findings) -> Figure | None:
    """The same after the first rung, where all trials still ran: nothing is extrapolated. None where there is none."""
    model = findings.model
    if not model.early or model.early_epoch is None:
        return None
    best = min(model.early, key=lambda cell: cell.estimate)
    trials = sum(cell.n for cell in model.early)
    result = (
        f"After epoch {model.early_epoch} {best.network} has the lowest expected error, {_interval(best)}."
    )
    reading = (
        f"From all {plural(trials, 'trial')} that reached epoch {model.early_epoch}, before any was stopped there; "
        "what is ahead then need not be ahead at the end."
    )
    title = f"Expected error (%) after epoch {model.early_epoch}, all trials"
    return _figure("early-map", title, result, reading, findings, model.early)


def _audit(findings: Findings) -> str:
    audit = findings.model.audit
    if not audit.hidden_ends:
        return ""
    return (
        f"Audit: {audit.covered} of {hidden_words(audit, findings.model.trained_on)}, hidden from the model, lay in "
        "their intervals."
    )


def _figure(
    key: str, title: str, result: str, reading: str, findings: Findings, cells: Sequence[ModelCell]
) -> Figure:
    depths = sorted({cell.depth for cell in cells})
    widths = sorted({cell.widen_factor for cell in cells})
    place = {(cell.depth, cell.widen_factor): cell for cell in cells}
    rates = {(rate.depth, rate.widen_factor): rate for rate in findings.model.diverging}
    about = "\u2248" if findings.error_map.binned else ""
    rows = [[place.get((depth, width)) for width in widths] for depth in depths]
    trace = {
        "type": "heatmap",
        "x": [about + shown(width) for width in widths],
        "y": [str(depth) for depth in depths],
        "z": [[cell and cell.estimate for cell in row] for row in rows],
        "text": [[_text(cell) if cell else "" for cell in row] for row in rows],
        "hovertext": [
            [_hover(cell, rates.get((cell.depth, cell.widen_factor))) if cell else "" for cell in row]
            for row in rows
        ],
        "texttemplate": "%{text}",
        "textfont": {"size": 11},
        "hoverinfo": "text",
        "hoverongaps": False,
        "choose": cells_to_choose(findings.error_map, depths, widths),
        "xgap": 3,  # pixels
        "ygap": 3,
        "colorscale": "@map",
        **colour_bar([cell.estimate for cell in cells], "%"),
    }
    hatches = [
        _hatch(column, row)
        for row, line in enumerate(rows)
        for column, cell in enumerate(line)
        if cell is not None and cell.kind == "predicted"
    ]
    return Figure(
        key=key,
        title=title,
        result=result,
        reading=reading.strip(),
        table=_table(cells),
        traces=(trace,),
        layout=layout(axis("widening factor", **_PLAIN), axis("depth", **_PLAIN), shapes=hatches),
        height=110 + _ROW * max(2, len(depths)),
        min_width=130 + _CELL_WIDTH * len(widths),
        wide=len(widths) > _MOST_COLUMNS,
    )


def _hatch(column: int, row: int) -> dict[str, Any]:
    """Slanted lines over the cell's edges above and below its text, and an outline."""
    left, right, low, high = column - 0.48, column + 0.48, row - 0.47, row + 0.47
    strokes = [f"M{left},{low}L{right},{low}L{right},{high}L{left},{high}Z"]
    step = (right - left) / _HATCHES
    for count in range(_HATCHES):
        start = left + count * step
        strokes += [
            f"M{start:.3f},{high - 0.13:.3f}L{start + step:.3f},{high:.3f}",
            f"M{start:.3f},{low:.3f}L{start + step:.3f},{low + 0.13:.3f}",
        ]
    return {
        "type": "path",
        "path": "".join(strokes),
        "line": {"color": "@axis", "width": 1.5, "dash": "solid"},
        "layer": "above",
    }


def _text(cell: ModelCell) -> str:
    value, low, high = map(two_significant, (cell.estimate, cell.low, cell.high))
    first = f"<b>{value}</b>" if cell.kind == "measured" else value
    return f"{first}<br>{low}\u2013{high}<br>n={cell.n}"


def _interval(cell: ModelCell) -> str:
    value, low, high = map(two_significant, (cell.estimate, cell.low, cell.high))
    return f"{value} % ({low} to {high})"


def _hover(cell: ModelCell, rate: DivergenceRate | None) -> str:
    reached = ", ".join(f"{count} at epoch {epoch}" for epoch, count in cell.reached)
    lines = [
        f"<b>{plot_text(cell.network)}</b>: {_interval(cell)}, {cell.kind}",
        plot_text(f"trials: {reached}"),
        *([plot_text(f"with {hparams(cell.at)}")] if cell.at else []),
        f"{cell.standing}; lowest with probability {cell.best:.0%}",
        f"{cell.num_params:,} parameters",
    ]
    if rate is not None and rate.failed:
        lines.append(f"{rate.failed} of {rate.n} trainings diverged")
    return "<br>".join(lines)


def _table(cells: Sequence[ModelCell]) -> Table:
    epochs = [epoch for epoch, _ in cells[0].reached]
    head: tuple[str, ...] = (
        "network",
        "told",
        "setting",
        "depth",
        "widening factor",
        "estimate (%)",
        "95 % interval",
    )
    head += tuple(f"n at epoch {epoch}" for epoch in epochs)
    head += ("above the best (points)", "with bounds", "against the best")
    rows = []
    for cell in cells:
        low, high = map(two_significant, (cell.low, cell.high))
        bounds = f"{cell.difference_low:.2g} to {cell.difference_high:.2g}"
        rows.append(
            (
                cell.network,
                cell.kind,
                hparams(cell.at),
                str(cell.depth),
                shown(cell.widen_factor),
                two_significant(cell.estimate),
                f"{low} to {high}",
                *(str(count) for _, count in cell.reached),
                f"{cell.difference:.2g}",
                bounds,
                cell.standing,
            )
        )
    return Table(head, rows, text_columns=3)
