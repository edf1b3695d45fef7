"""The figure of the finalists that `confirm` retrained: every error of every one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wrn_search.analysis.confirmation import Confirm, Finalist
from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.statistics.errors_by_class import ClassError, shown_classes
from wrn_search.report.html.axes import axis, errors_on_lines, layout
from wrn_search.report.html.figure import Figure, Table
from wrn_search.report.html.markup import plot_text
from wrn_search.wording import NONE, plural, sentence, shortened, shown, two_digits

_MOST_CLASSES = 40  # drawn; the table names all
_LONGEST_NAME = 30
_COLOURS = ("@orange", "@blue", "@ink")  # of the first finalists; the others are grey


def finalists(confirm: Confirm) -> Figure:
    """Validation errors of fresh seeds and test errors of networks retrained on train and validation."""
    shown_ones = confirm.finalists
    winner = next((each for each in shown_ones if each.is_winner), None)
    labels = [_label(each) for each in shown_ones]
    return Figure(
        key="finalists",
        title="Retrained finalists",
        result=_result(winner, confirm),
        reading="Hollow diamond: what the search had seen; blue: fresh seeds on the search's own split; orange: "
        "test error of networks retrained on train and validation; bars: medians. All finalists are shown; "
        f"{_rule(confirm)}. {sentence(confirm.note)}".strip(),
        table=_table(confirm),
        traces=_traces(shown_ones, labels) if shown_ones else (),
        layout=layout(
            axis("error (%)"),
            axis("", type="category", categoryarray=labels[::-1], showgrid=False, ticks=""),
        ),
        height=130 + 44 * max(1, len(labels)),
        wide=True,
    )


def class_errors(confirm: Confirm) -> Figure | None:
    """Test errors of each class with their intervals; None where no network was counted by class."""
    told = [each for each in confirm.finalists if each.classes]
    if not told:
        return None
    classes = told[0].classes
    labels = shown_classes(classes, _MOST_CLASSES)
    names = [plot_text(_class_name(classes, label)) for label in labels]
    some = (
        f" Drawn are the {_MOST_CLASSES} hardest of {len(classes):,}." if len(classes) > len(labels) else ""
    )
    return Figure(
        key="class-errors",
        title="Test error of each class",
        result=_hardest(told[0]),
        reading="Points: mean over the seeds of networks retrained on train and validation, from the same one reading "
        "of the test split as their test errors; bars: 95 % of each by itself for so many images of the class "
        f"(Wilson's interval; seeds see the same images, and make them no more).{some}",
        table=_class_table(told),
        traces=tuple(
            _class_trace(each, labels, names, _COLOURS[nth] if nth < len(_COLOURS) else "@axis")
            for nth, each in enumerate(told)
        ),
        layout=layout(
            axis("test error (%)"),
            axis("", type="category", categoryarray=names[::-1], showgrid=False, ticks=""),
        ),
        height=130 + 24 * max(3, len(labels)),
        wide=True,
    )


def _hardest(finalist: Finalist) -> str:
    known = [(each.error, each) for each in finalist.classes if each.error is not None]
    worst, best = (pick(known, key=lambda pair: pair[0])[1] for pick in (max, min))
    return (
        f"Of {finalist.network} '{worst.name}' has the highest test error, {_with_interval(worst)}, and "
        f"'{best.name}' the lowest, {_with_interval(best)}."
    )


def _class_name(classes: Sequence[ClassError], label: int) -> str:
    """Short enough for an axis, and still another than those of other classes."""
    short = [shortened(each.name, _LONGEST_NAME) for each in classes]
    return short[label] if short.count(short[label]) == 1 else f"{short[label]} ({label})"


def _class_trace(finalist: Finalist, labels: Sequence[int], names: list[str], colour: str) -> dict[str, Any]:
    known = [
        (name, each.error, each.interval or (each.error, each.error), each.images)
        for name, each in zip(names, [finalist.classes[label] for label in labels], strict=True)
        if each.error is not None
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _label(finalist),
        "x": [error for _, error, _, _ in known],
        "y": [name for name, *_ in known],
        "customdata": [images for *_, images in known],
        "marker": {"size": 8, "color": colour},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [high - error for _, error, (_, high), _ in known],
            "arrayminus": [error - low for _, error, (low, _), _ in known],
            "thickness": 1,
            "width": 2,
            "color": colour,
        },
        "hovertemplate": "%{y}: %{x:.2f} % of %{customdata} images<extra></extra>",
    }


def _class_table(told: Sequence[Finalist]) -> Table:
    rows = [
        (each.name, f"{each.images:,}", *(_with_interval(finalist.classes[label]) for finalist in told))
        for label, each in enumerate(told[0].classes)
    ]
    numbers = [each.network + ("" if each.number is None else f" #{each.number}") for each in told]
    return Table(("class", "test images", *(f"{name} (%)" for name in numbers)), rows)


def _with_interval(each: ClassError) -> str:
    if each.error is None or each.interval is None:
        return NONE
    return f"{each.error:.2f} ({each.interval[0]:.2f} to {each.interval[1]:.2f})"


def _result(winner: Finalist | None, confirm: Confirm) -> str:
    if winner is None:
        if confirm.by_fresh_median and confirm.finalists:
            return "No winner is named yet: the lowest median of the fresh seeds' validation errors will name it."
        return "No finalist has been named by validation yet."
    test = "its test error has not been read yet"
    if winner.test_summary:
        median, low, high = winner.test_summary
        spread = f"{two_digits(low)} to {two_digits(high)} %, n = {len(winner.test_errors)}"
        test = f"median test error {two_digits(median)} % ({spread})"
        if winner.coverage is not None:
            test += f", a range that covers the median with {winner.coverage:.4g} %"
    reads = (
        "" if confirm.test_reads is None else f"; test files were read {plural(confirm.test_reads, 'time')}"
    )
    named = "Of the trials that were named, validation put first" if confirm.named else "Validation named"
    if confirm.by_fresh_median:
        named = f"Fresh seeds named{', of the trials that were named,' if confirm.named else ''}"
    return f"{named} {winner.network}: {test}{reads}.{_apart(confirm)}"


def _rule(confirm: Confirm) -> str:
    if confirm.by_fresh_median:
        return "the lowest median of fresh seeds names the winner, a rule that was on record before any was retrained"
    return "validation named the winner"


def _apart(confirm: Confirm) -> str:
    """Which of the others are told from the winner, by a test and not by ranges that do or do not overlap."""
    told = [each.above_interval for each in confirm.finalists if each.above_interval is not None]
    if not told:
        return ""
    worse = sum(low > 0 for low, _ in told)
    others = plural(len(told), "other finalist")
    return f" Of {others} {worse} {'is' if worse == 1 else 'are'} told from it by fresh validation errors (95 %)."


def _label(finalist: Finalist) -> str:
    number = "" if finalist.number is None else f" #{finalist.number}"
    return plot_text(f"{finalist.network}{number}{' (winner)' if finalist.is_winner else ''}")


def _traces(shown_ones: Sequence[Finalist], labels: list[str]) -> tuple[dict[str, Any], ...]:
    """Every error as a point, medians as bars, what the search had seen as a hollow diamond."""
    point = {"size": 9, "opacity": 0.75}
    bar = {"size": 22, "symbol": "line-ns-open", "line": {"width": 2}}
    seen = {"color": "@ink", "size": 11, "symbol": "diamond-open"}
    series = (
        ("validation, fresh seeds", [each.val_errors for each in shown_ones], {**point, "color": "@blue"}),
        ("test", [each.test_errors for each in shown_ones], {**point, "color": "@orange"}),
        (
            "median, validation",
            [(each.val_summary or ())[:1] for each in shown_ones],
            {**bar, "color": "@blue"},
        ),
        ("median, test", [(each.test_summary or ())[:1] for each in shown_ones], {**bar, "color": "@orange"}),
        ("the search's estimate", [_estimate(each) for each in shown_ones], seen),
    )
    return tuple(errors_on_lines(name, errors, labels, marker) for name, errors, marker in series)


def _estimate(finalist: Finalist) -> tuple[float, ...]:
    return () if finalist.search_error is None else (finalist.search_error,)


def _table(confirm: Confirm) -> Table:
    head = (
        "network",
        "named by validation",
        "above the winner (points)",
        "trial",
        "search's estimate (%)",
        "fresh seeds, median (range)",
        "winner's curse (points)",
        "test, median (range)",
        "n",
    )
    rows = [
        (
            each.network,
            "winner" if each.is_winner else "",
            _points_with(each.above_winner, each.above_interval),
            NONE if each.number is None else str(each.number),
            two_digits(each.search_error),
            _summary(each.val_summary),
            _points_with(each.winners_curse, each.curse_interval),
            _summary(each.test_summary),
            f"{shown(len(each.val_errors))} + {shown(len(each.test_errors))}",
        )
        for each in confirm.finalists
    ]
    note = "n: fresh seeds on the search's split + on train and validation."
    if any(each.curse_interval for each in confirm.finalists):
        note += " Intervals are 95 % for all finalists together, by the pooled spread of fresh seeds."
    return Table(head, rows, text_columns=2, note=note)


def _points_with(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return NONE
    return f"{value:+.2f}" + (f" ({interval[0]:+.2f} to {interval[1]:+.2f})" if interval else "")


def _summary(summary: tuple[float, float, float] | None) -> str:
    return NONE if summary is None else f"{summary[0]:.2f} ({summary[1]:.2f} to {summary[2]:.2f})"
