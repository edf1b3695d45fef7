"""What a confirmation found, as values: every finalist with its fresh seeds, the winner first where it is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.statistics.errors_by_class import ClassError, errors_by_class
from wrn_search.analysis.statistics.fresh_seeds import FreshSpread, fresh_spread
from wrn_search.confirmation.finalist import search_label
from wrn_search.confirmation.spread_of_seeds import Spread
from wrn_search.results.events import Chosen
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.tensorboard.run_names import short_name
from wrn_search.results.trial_selection import finalists_in_order
from wrn_search.results.trial_state import FINAL, TrialState


@dataclass(frozen=True)
class ConfirmedFinalist:
    """One finalist: what the search had seen, and what fresh seeds saw."""

    place: int  # from 1: the first is the winner, once it is known; until then that of the choice
    chosen_place: int  # by the search's validation errors
    name: str  # before it that of its search, where there are several
    source: str  # search_id of that
    number: int  # of its first trial in the search
    num_params: int
    estimate: float  # percent
    repeats: int  # of the search that the estimate is the median of
    validation: Spread  # retrained on the search's training images
    test: Spread  # retrained on training and validation images
    ended: Counter[str]  # of its retrainings, by status
    hparams: dict[str, Any]
    classes: tuple[ClassError, ...] = ()  # the test errors class by class; none in older records

    @property
    def winners_curse(self) -> float | None:
        """Fresh-seed validation error, median, minus the search's estimate, in percentage points."""
        return None if self.validation.median is None else self.validation.median - self.estimate

    def curse_interval(self, spread: FreshSpread | None) -> Interval | None:
        """95 % of it for all finalists together, in percentage points; None where no spread is known."""
        if spread is None or self.validation.median is None:
            return None
        low, high = spread.of_median(self.validation.median, len(self.validation.errors))
        return low - self.estimate, high - self.estimate


@dataclass(frozen=True)
class Confirmed:
    """A confirmation, finished or not."""

    name: str
    chosen: Chosen
    chosen_at: float | None  # Unix seconds
    finalists: tuple[ConfirmedFinalist, ...]  # the winner first
    is_named: bool  # whether the winner is known
    spread: FreshSpread | None  # of the fresh seeds of all
    test_reads: int
    tested: int  # networks with a test error
    test_images: int | None
    left: int  # retrainings that have not ended


def confirmed(state: SearchState) -> Confirmed:
    """What the state of a confirmation says."""
    assert state.choice is not None, "a confirmation begins with its choice"
    trials = list(state.trials.values())
    order = finalists_in_order(state)
    finalists = tuple(
        _finalist(
            state.choice,
            place,
            chosen_place,
            [trial for trial in trials if state.choice.finalist_at(trial.configuration)[0] == chosen_place],
            state.class_names,
        )
        for place, chosen_place in enumerate(order or range(1, len(state.choice.finalists) + 1), start=1)
    )
    images = {trial.tested.images for trial in trials if trial.tested}
    rows = len(state.choice.kinds) * len(finalists) * state.choice.repeats
    return Confirmed(
        name=state.search,
        chosen=state.choice,
        chosen_at=state.chosen_at,
        finalists=finalists,
        is_named=order is not None,
        spread=fresh_spread([each.validation.errors for each in finalists]),
        test_reads=sum(len(trial.test_opened) for trial in trials),
        tested=sum(trial.tested is not None for trial in trials),
        test_images=images.pop() if len(images) == 1 else None,
        left=rows - sum(trial.status in FINAL for trial in trials),
    )


def _finalist(
    chosen: Chosen,
    place: int,
    chosen_place: int,
    trials: Sequence[TrialState],
    class_names: tuple[str, ...],
) -> ConfirmedFinalist:
    values: dict[str, Any] = chosen.finalists[str(chosen_place)]
    source = values.get("source") or chosen.source
    completed = [trial for trial in trials if trial.status == "completed"]
    fresh = [trial.last.val_error for trial in completed if trial.last and trial.last.val_error is not None]
    tested = [trial.tested for trial in completed if trial.tested]
    return ConfirmedFinalist(
        place=place,
        chosen_place=chosen_place,
        name=search_label(chosen, source)
        + short_name(values["number"], values["config"], searched=values["hparams"]),
        source=source,
        number=values["number"],
        num_params=values["num_params"],
        estimate=values["estimate"],
        repeats=values["repeats"],
        validation=Spread(tuple(fresh)),
        test=Spread(tuple(each.test_error for each in tested)),
        ended=Counter(trial.status for trial in trials),
        hparams=values["hparams"],
        classes=errors_by_class(class_names, [each.by_class for each in tested]),
    )


def above_winner(found: Confirmed, other: ConfirmedFinalist) -> tuple[float, Interval | None] | None:
    """How far a finalist's fresh median lies above the winner's, in percentage points, and its 95 % interval.

    The interval holds for all pairs of finalists together; None where no spread is known.
    """
    winner, median = found.finalists[0].validation, other.validation.median
    if median is None or winner.median is None:
        return None
    difference = median - winner.median
    if found.spread is None:
        return difference, None
    sizes = len(other.validation.errors), len(winner.errors)
    return difference, found.spread.of_difference(difference, *sizes)
