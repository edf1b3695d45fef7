"""What a confirmation found, for the end of the command: every finalist, the median of its seeds with min and max.

As the paper reports (median of five runs); min and max say how sure that is. Nothing here is chosen by test error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wrn_search.confirmation.finalist import search_label
from wrn_search.confirmation.spread_of_seeds import Spread, coverage
from wrn_search.results.events import Chosen
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.tensorboard.run_names import short_name
from wrn_search.results.trial_state import FINAL, TrialState


@dataclass(frozen=True)
class ConfirmedFinalist:
    """One finalist: what the search had seen, and what fresh seeds saw."""

    place: int  # by validation, from 1: the first is the winner
    name: str  # before it that of its search, where there are several
    source: str  # search_id of that
    number: int  # of its first trial in the search
    num_params: int
    estimate: float  # percent
    repeats: int  # of the search that the estimate is the mean of
    validation: Spread  # retrained on the search's training images
    test: Spread  # retrained on training and validation images
    ended: Counter[str]  # of its retrainings, by status
    hparams: dict[str, Any]

    @property
    def winners_curse(self) -> float | None:
        """Fresh-seed validation error, median, minus the search's estimate, in percentage points."""
        return None if self.validation.median is None else self.validation.median - self.estimate


@dataclass(frozen=True)
class Confirmed:
    """A confirmation, finished or not."""

    name: str
    chosen: Chosen
    chosen_at: float | None  # Unix seconds
    finalists: tuple[ConfirmedFinalist, ...]
    test_reads: int
    tested: int  # networks with a test error
    test_images: int | None
    left: int  # retrainings that have not ended


def confirmed(state: SearchState) -> Confirmed:
    """What the state of a confirmation says."""
    assert state.choice is not None, "a confirmation begins with its choice"
    trials = list(state.trials.values())
    finalists = tuple(
        _finalist(
            state.choice,
            int(place),
            values,
            [trial for trial in trials if trial.configuration // 2 == int(place) - 1],
        )
        for place, values in state.choice.finalists.items()
    )
    images = {trial.tested.images for trial in trials if trial.tested}
    rows = 2 * len(finalists) * state.choice.repeats
    return Confirmed(
        name=state.search,
        chosen=state.choice,
        chosen_at=state.chosen_at,
        finalists=finalists,
        test_reads=sum(len(trial.test_opened) for trial in trials),
        tested=sum(trial.tested is not None for trial in trials),
        test_images=images.pop() if len(images) == 1 else None,
        left=rows - sum(trial.status in FINAL for trial in trials),
    )


def _finalist(
    chosen: Chosen, place: int, values: dict[str, Any], trials: Sequence[TrialState]
) -> ConfirmedFinalist:
    source = values.get("source") or chosen.source
    completed = [trial for trial in trials if trial.status == "completed"]
    fresh = [trial.last.val_error for trial in completed if trial.last and trial.last.val_error is not None]
    return ConfirmedFinalist(
        place=place,
        name=search_label(chosen, source)
        + short_name(values["number"], values["config"], searched=values["hparams"]),
        source=source,
        number=values["number"],
        num_params=values["num_params"],
        estimate=values["estimate"],
        repeats=values["repeats"],
        validation=Spread(tuple(fresh)),
        test=Spread(tuple(trial.tested.test_error for trial in completed if trial.tested)),
        ended=Counter(trial.status for trial in trials),
        hparams=values["hparams"],
    )


def confirmed_text(found: Confirmed, search: SearchState, where: str) -> str:
    """The end of a confirmation for a reader.

    Args:
        found: the confirmation.
        search: the search that it confirms, of several the first.
        where: its results directory.
    """
    chosen = found.chosen
    finalists = f"{len(found.finalists)} finalist{'s' if len(found.finalists) > 1 else ''}"
    lines = [
        f"{_searches(chosen, search)}: {finalists} of {chosen.configurations} configurations that reached full epochs "
        f"({search.max_epochs}), {choice_text(chosen)}",
        f"Each retrained for {chosen.epochs} epochs with {chosen.repeats} fresh seeds, twice over: on the search's "
        "training images, and on training and validation images together for the test error.",
        "",
        f"Error (%), median (min to max) of the seeds; of n = {chosen.repeats} seeds they cover the median with "
        f"{coverage(chosen.repeats):g} %",
        *_aligned(_rows(found)),
        "",
        *_answer(found, search),
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
                each.name + (" (winner)" if each.place == 1 else ""),
                f"{each.num_params:,}",
                f"{each.estimate:.2f}" + (f" (mean of {each.repeats})" if each.repeats > 1 else ""),
                _with_n(each.validation, found),
                "-" if curse is None else f"{curse:+.2f}",
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
    """The sentences: the winner, its test error, how lucky its estimate was."""
    winner = found.finalists[0]
    named = "as validation named it"
    if found.chosen.rule == "trials":
        named = "the best by validation of those that were named"
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
            f"  winner's curse {winner.winners_curse:+.2f} points: validation error {winner.validation.median:.2f} % "
            f"with fresh seeds, where the search had seen {winner.estimate:.2f} %"
        )
    if found.chosen.epochs != search.max_epochs:
        lines.append(
            f"  The search trained for {search.max_epochs} epochs and this for {found.chosen.epochs}: the difference "
            "holds both luck and length."
        )
    return lines


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
        "epochs": chosen.epochs,
        "search_epochs": search.max_epochs,
        "coverage": coverage(chosen.repeats),
        "complete": found.left == 0,
        "retrainings_left": found.left,
        "test_reads": found.test_reads,
        "test_images": found.test_images,
        "winner": found.finalists[0].name,
        "finalists": [
            {
                "place": each.place,
                "name": each.name,
                "winner": each.place == 1,
                "number": each.number,
                "search_id": each.source,
                "hparams": each.hparams,
                "num_params": each.num_params,
                "search_val_error": each.estimate,
                "search_repeats": each.repeats,
                "val_error": each.validation.to_dict(),
                "winners_curse": each.winners_curse,
                "test_error": each.test.to_dict(),
                "statuses": dict(each.ended),
            }
            for each in found.finalists
        ],
    }


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
