"""The test errors of the finalists class by class, for the end of `confirm`."""

from __future__ import annotations

from wrn_search.analysis.statistics.errors_by_class import ClassError, shown_classes
from wrn_search.confirmation.confirmed_finalists import Confirmed
from wrn_search.errors import printable
from wrn_search.wording import plural, shortened

MOST_CLASSES = 20  # that are shown; of more the hardest of the first finalist
_LONGEST_NAME = 30


def class_rows(found: Confirmed) -> list[list[str]]:
    """Head and rows of a table, a class each; nothing where no network was counted by class."""
    told = [each for each in found.finalists if each.classes]
    if not told:
        return []
    rows = [["class", "images", *(f"finalist {each.place}" for each in told)]]
    for label in shown_classes(told[0].classes, MOST_CLASSES):
        first = told[0].classes[label]
        cells = [_text(each.classes[label]) for each in told]
        rows.append([shortened(printable(first.name), _LONGEST_NAME), f"{first.images:,}", *cells])
    return rows


def class_head(found: Confirmed) -> str:
    """The line above that table."""
    told = next(each for each in found.finalists if each.classes)
    seeds = plural(max(len(each.errors) for each in told.classes), "seed")
    hidden = len(told.classes) - MOST_CLASSES
    some = f"; the {MOST_CLASSES} hardest of finalist {told.place}, --json tells all" if hidden > 0 else ""
    return (
        f"Test error (%) of each class, mean of {seeds}, with 95 % of each by itself for so many images "
        f"(Wilson){some}"
    )


def _text(each: ClassError) -> str:
    interval = each.interval
    if each.error is None or interval is None:
        return "-"
    return f"{each.error:.2f} ({interval[0]:.2f} to {interval[1]:.2f})"
