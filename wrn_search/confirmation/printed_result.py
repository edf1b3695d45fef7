"""What a confirmation found, for the end of the command: every finalist, the median of its seeds with min and max.

As the paper reports (median of five runs); min and max say how sure that is. Nothing here is chosen by test error.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.statistics.fresh_seeds import coverage
from wrn_search.confirmation.confirmed_finalists import Confirmed, ConfirmedFinalist, above_winner
from wrn_search.confirmation.finalist import search_label
from wrn_search.confirmation.printed_classes import class_head, class_rows
from wrn_search.confirmation.spread_of_seeds import Spread
from wrn_search.results.events import Chosen
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_selection import FRESH_MEDIAN
from wrn_search.wording import plural

_KINDS = {
    "": "twice over: on the search's training images, and on training and validation images together for the test "
    "error",
    "joined": "on training and validation images together for the test error (--only joined): no fresh validation "
    "error tells how lucky the search's estimates were",
    "split": "on the search's training images (--only split): the test split stays closed",
}


def confirmed_text(found: Confirmed, search: SearchState, where: str) -> str:
    """The end of a confirmation for a reader.

    Args:
        found: the confirmation.
        search: the search that it confirms, of several the first.
        where: its results directory.
    """
    chosen = found.chosen
    finalists = plural(len(found.finalists), "finalist")
    lines = [
        f"{_searches(chosen, search)}: {finalists} of {plural(chosen.configurations, 'configuration')} that reached "
        f"full epochs ({search.max_epochs}), {choice_text(chosen)}",
        f"Each retrained for {plural(chosen.epochs, 'epoch')} with {plural(chosen.repeats, 'fresh seed')}, "
        f"{_KINDS[chosen.only]}.",
        "",
        f"Error (%), median (min to max) of the seeds; of n = {chosen.repeats} seeds they cover the median with "
        f"{coverage(chosen.repeats):g} %",
        *_aligned(_rows(found)),
        "",
        *_answer(found, search),
        *_classes(found),
        *_counts(found),
    ]
    return "\n".join([*lines, f"Results: {where}"])


def _searches(chosen: Chosen, search: SearchState) -> str:
    """The names of all whose finalists these are."""
    labels = [search_label(chosen, source).rstrip(":") for source in chosen.sources]
    return " and ".join(labels) if len(labels) > 1 else search.search


def choice_text(chosen: Chosen) -> str:
    """How the finalists came to be: `chosen by validation before any was retrained (lowest validation error)`."""
    if chosen.rule == "trials":
        return "named by their trials before any was retrained, in the order of validation"
    rule = (
        "lowest validation error"
        if chosen.rule == "top"
        else "Pareto front of validation error against parameters"
    )
    one = ", the best configuration of each network" if chosen.per_network else ""
    return f"chosen by validation before any was retrained ({rule}{one})"


def _rows(found: Confirmed) -> list[list[str]]:
    rows = [
        ["", "finalist", "parameters", "search's estimate", "validation, fresh", "winner's curse", "test"]
    ]
    for each in found.finalists:
        curse = each.winners_curse
        rows.append(
            [
                f"{each.place}",
                each.name + (" (winner)" if found.is_named and each.place == 1 else ""),
                f"{each.num_params:,}",
                f"{each.estimate:.2f}" + (f" (median of {each.repeats})" if each.repeats > 1 else ""),
                _with_n(each.validation, found),
                "-" if curse is None else f"{curse:+.2f}{_within(each.curse_interval(found.spread))}",
                _with_n(each.test, found),
            ]
        )
    return rows


def _with_n(spread: Spread, found: Confirmed) -> str:
    """With its own n and coverage where seeds are missing."""
    n = len(spread.errors)
    if n in (0, found.chosen.repeats):
        return spread.text
    return f"{spread.text} n={n}, {coverage(n):g} %"


def _answer(found: Confirmed, search: SearchState) -> list[str]:
    """The sentences: the winner and how it was named, its test error, its luck, and who is told from it."""
    winner = found.finalists[0]
    if not found.is_named:
        return [
            "The winner is named when all retrainings on the search's own images have ended: the finalist with the "
            "lowest median of fresh validation errors. That rule is on record; test errors choose nothing."
        ]
    named = "the lowest median of fresh validation errors, a rule on record before any was retrained"
    if found.chosen.winner != FRESH_MEDIAN:
        named = "as validation named it"
    if found.chosen.rule == "trials":
        named = "the best by validation of those that were named"
        if found.chosen.winner == FRESH_MEDIAN:
            named = "of those that were named the one with the lowest median of fresh validation errors"
    lines = [f"The winner is finalist 1, {winner.name}, {named}; test errors choose nothing."]
    if winner.test.errors:
        low, high, n = min(winner.test.errors), max(winner.test.errors), len(winner.test.errors)
        images = f" on {found.test_images:,} images" if found.test_images else ""
        lines.append(
            f"  test error {winner.test.median:.2f} % ({low:.2f} to {high:.2f}, n = {n}, coverage "
            f"{coverage(n):g} %){images}"
        )
    if winner.winners_curse is not None:
        lines.append(
            f"  winner's curse {winner.winners_curse:+.2f} points{_within(winner.curse_interval(found.spread))}: "
            f"validation error {winner.validation.median:.2f} % with fresh seeds, where the search had seen "
            f"{winner.estimate:.2f} %"
        )
    lines += _told_apart(found)
    if found.chosen.epochs != search.max_epochs:
        lines.append(
            f"  The search trained for {plural(search.max_epochs, 'epoch')} and this for {found.chosen.epochs}: the "
            "difference holds both luck and length."
        )
    return lines


def _told_apart(found: Confirmed) -> list[str]:
    """Each other finalist against the winner; ranges that do or do not overlap say nothing."""
    lines = []
    for each in found.finalists[1:]:
        above = above_winner(found, each)
        if above is None:
            continue
        difference, interval = above
        verdict = "no spread is known to tell them by" if interval is None else "not told from the winner"
        if interval is not None and interval[0] > 0:
            verdict = "worse"
        lines.append(
            f"  finalist {each.place} {difference:+.2f} points{_within(interval)} above it: {verdict}"
        )
    if found.spread is not None:
        lines.append(
            f"  Intervals are 95 % for all finalists together, by the spread of all fresh seeds "
            f"({found.spread.deviation:.2f} points, {found.spread.freedom} degrees of freedom)."
        )
    return lines


def _classes(found: Confirmed) -> list[str]:
    """The test errors class by class, between empty lines."""
    rows = class_rows(found)
    return ["", class_head(found), *_aligned(rows), ""] if rows else []


def _within(interval: Interval | None) -> str:
    return "" if interval is None else f" ({interval[0]:+.2f} to {interval[1]:+.2f})"


def _counts(found: Confirmed) -> list[str]:
    lines = []
    lost = Counter[str]()
    for each in found.finalists:
        lost += Counter({status: each.ended[status] for status in ("diverged", "failed")})
    if lost:
        told = ", ".join(f"{count} {status}" for status, count in sorted(lost.items()))
        lines.append(f"Retrainings without an error: {told}; they are missing from n above.")
    if found.left:
        lines.append(f"Not finished: {found.left} retrainings are left; the same command goes on with them.")
    again = found.test_reads - found.tested
    more = f"; {again} more than there are test errors, of networks that have none (yet)" if again > 0 else ""
    if found.chosen.only == "split":
        return lines
    lines.append(
        f"The test split was read {found.test_reads} times for {found.tested} networks, each on record before it was "
        f"read (manifest.json, test_reads){more}."
    )
    return lines


def confirmed_dict(found: Confirmed, search: SearchState, where: str) -> dict[str, Any]:
    """The same as plain values, for programs."""
    chosen = found.chosen
    return {
        "search": search.search,
        "search_id": chosen.source,
        "searches": chosen.sources,
        "results": where,
        "chosen_by": "user" if chosen.rule == "trials" else "validation",
        "chosen_at": None
        if found.chosen_at is None
        else datetime.fromtimestamp(found.chosen_at, UTC).isoformat(),
        "rule": chosen.rule,
        "top": chosen.top or None,
        "per_network": chosen.per_network,
        "configurations": chosen.configurations,
        "repeats": chosen.repeats,
        "only": chosen.only or None,
        "epochs": chosen.epochs,
        "search_epochs": search.max_epochs,
        "coverage": coverage(chosen.repeats),
        "complete": found.left == 0,
        "retrainings_left": found.left,
        "test_reads": found.test_reads,
        "test_images": found.test_images,
        "winner_rule": chosen.winner or "validation",
        "winner": found.finalists[0].name if found.is_named else None,
        "fresh_deviation": found.spread.deviation if found.spread else None,
        "finalists": [
            {
                "place": each.place,
                "chosen_place": each.chosen_place,
                "name": each.name,
                "winner": found.is_named and each.place == 1,
                "number": each.number,
                "search_id": each.source,
                "hparams": each.hparams,
                "num_params": each.num_params,
                "search_val_error": each.estimate,
                "search_repeats": each.repeats,
                "val_error": each.validation.to_dict(),
                "winners_curse": each.winners_curse,
                "winners_curse_interval": _listed(each.curse_interval(found.spread)),
                **_above(found, each),
                "test_error": each.test.to_dict(),
                "test_error_by_class": [of_class.to_dict() for of_class in each.classes],
                "statuses": dict(each.ended),
            }
            for each in found.finalists
        ],
    }


def _above(found: Confirmed, each: ConfirmedFinalist) -> dict[str, Any]:
    """How far it lies above the winner, if it is another."""
    above = above_winner(found, each) if found.is_named and each.place > 1 else None
    difference, interval = above or (None, None)
    return {"above_winner": difference, "above_winner_interval": _listed(interval)}


def _listed(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
