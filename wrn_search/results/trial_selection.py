"""Which trials are meant: those that rank first at full epochs, and one by its number, key or short name.

The best is the one at the median of the configuration with the lowest median over its repeats: of many seeds the
luckiest says little. `order_of` is the one definition: display, summary, export, kept checkpoints, TensorBoard's view,
`confirm` and the report all rank by it.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.errors import InputError, nearest
from wrn_search.objectives.dominance import is_on_front
from wrn_search.objectives.objective_table import VAL_ERROR
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Proposed,
    Reopened,
    Reported,
    SearchStarted,
    Stopped,
)
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.tensorboard.run_names import earlier_names, short_name
from wrn_search.results.trial_state import FINAL, TrialState, costs_of

Order = tuple[bool, bool, float, float, int, int]


@dataclass
class Repeat:
    """What ranking must know of one trial of a configuration."""

    number: int
    status: str = "running"
    epoch: int = 0  # its last one on record
    error: float | None = None  # percent: validation error there
    is_lost: bool = False  # diverged or out of memory: it counts with the error of chance


@dataclass(frozen=True)
class Standing:
    """How a configuration that reached full epochs stands among others: by the median of its repeats."""

    order: Order  # the best of all has the lowest
    errors: tuple[float, ...]  # percent: of all its repeats, rising; one that is lost counts as guessing
    number: int  # of the completed repeat nearest the median, which of an even number is the lower middle one

    @property
    def median(self) -> float:
        """Percent."""
        return statistics.median(self.errors)


def order_of(
    completed: Sequence[float], value: float, num_params: int, number: int, *, is_alone: bool, is_open: bool
) -> Order:
    """Where a configuration with an error at full epochs ranks among others; the best of all has the lowest.

    Where configurations have repeats, those with two completed ones come first: one lucky seed of many wins against
    any median. Of those the ones come first whose repeats have all ended; of equal values the lower mean of the
    completed ones, the smaller network, the earlier one.

    Args:
        completed: percent, of the completed repeats.
        value: percent: the median of the repeats, or what the curve model expects of another training.
        num_params, number: of the configuration.
        is_alone: whether a single repeat is completed, where the search has repeats.
        is_open: whether any repeat has not ended.
    """
    return is_alone, is_open, value, statistics.fmean(completed), num_params, number


def standing_of(repeats: Sequence[Repeat], chance_error: float, num_params: int) -> Standing | None:
    """The standing of a configuration; None where none of its repeats reached full epochs, or one was stopped.

    Ranked by `order_of`, the median being its value; a repeat that is lost counts with the error of chance.
    """
    full = sorted(
        (each.error, each.number) for each in repeats if each.status == "completed" and each.error is not None
    )
    if not full or any(each.status == "stopped" for each in repeats):
        return None
    completed = [error for error, _ in full]
    errors = sorted([*completed, *(chance_error for each in repeats if each.is_lost)])
    order = order_of(
        completed,
        statistics.median(errors),
        num_params,
        repeats[0].number,
        is_alone=len(full) < 2,  # where no configuration has repeats, so are all
        is_open=any(each.status not in FINAL for each in repeats),
    )
    _, middle = full[min((len(errors) - 1) // 2, len(full) - 1)]
    return Standing(order, tuple(errors), middle)


class Standings:
    """The standings of all configurations while a search runs; a fold over events."""

    def __init__(self) -> None:
        self._chance_error = 100.0
        self._configurations: dict[int, list[Repeat]] = defaultdict(list)
        self._num_params: dict[int, int] = {}
        self._place: dict[int, tuple[int, Repeat]] = {}  # trial -> its configuration, what is known of it

    def apply(self, event: Event) -> int | None:
        """Takes in an event. The configuration of which a repeat has ended by it, or is open again."""
        match event:
            case SearchStarted():
                self._chance_error = event.chance_error
            case Proposed() if event.number not in self._place:
                repeat = Repeat(event.number)
                self._place[event.number] = event.configuration, repeat
                self._configurations[event.configuration].append(repeat)
                self._num_params[event.configuration] = event.num_params
            case Reported():
                _, repeat = self._place[event.number]
                if event.metrics.epoch > repeat.epoch:  # else an epoch that a resumed trial ran again
                    repeat.epoch, repeat.error = event.metrics.epoch, event.metrics.val_error
            case Completed() | Stopped() | Diverged() | Failed():
                configuration, repeat = self._place[event.number]
                if repeat.status in FINAL:
                    return None
                repeat.status = type(event).__name__.lower()
                repeat.is_lost = isinstance(event, Diverged) or (
                    isinstance(event, Failed) and event.out_of_memory
                )
                return configuration
            case Reopened():
                configuration, repeat = self._place[event.number]
                repeat.status, repeat.is_lost = "interrupted", False
                return configuration
            case _:
                pass
        return None

    def is_ranked(self, number: int) -> bool:
        """Whether a trial has a validation error: one that was trained on all images has none."""
        return self._place[number][1].error is not None

    def repeats_of(self, configuration: int) -> list[Repeat]:
        """The trials of a configuration so far."""
        return self._configurations[configuration]

    def standing(self, configuration: int) -> Standing | None:
        """See `standing_of`."""
        return standing_of(
            self.repeats_of(configuration), self._chance_error, self._num_params[configuration]
        )


def standings(state: SearchState) -> list[Standing]:
    """Of all configurations that reached full epochs, the best first."""
    members: dict[int, list[Repeat]] = defaultdict(list)
    num_params: dict[int, int] = {}
    for trial in state.trials.values():
        members[trial.configuration].append(_repeat(trial))
        num_params[trial.configuration] = trial.num_params
    found = [standing_of(repeats, state.chance_error, num_params[key]) for key, repeats in members.items()]
    return sorted((each for each in found if each is not None), key=lambda each: each.order)


def objectives_of(state: SearchState) -> tuple[str, ...]:
    """What the search minimises."""
    named = state.space.get("objectives")
    return tuple(named) if isinstance(named, list) and named else (VAL_ERROR,)


def front_of(state: SearchState, objectives: Sequence[str]) -> list[tuple[Standing, tuple[float, ...]]]:
    """Of the configurations at full epochs those that no other dominates, with their values, by rising error."""
    others = [name for name in objectives if name != VAL_ERROR]
    found = []
    for each in standings(state):
        costs = dict(zip(others, costs_of(state.repeats_of(each.number), others), strict=True))
        values = [each.median if name == VAL_ERROR else costs[name] for name in objectives]
        found.append((each, tuple(math.nan if value is None else value for value in values)))
    kept = [each for each, on in zip(found, is_on_front([v for _, v in found]), strict=True) if on]
    return sorted(kept, key=lambda each: (each[0].median, each[1], each[0].number))


FRESH_MEDIAN = "fresh_median"


def finalists_in_order(state: SearchState) -> tuple[int, ...] | None:
    """The places, from 1, of a confirmation's finalists, the winner first; None while that cannot be told.

    The winner has the lowest median validation error of its fresh seeds, by the rule of `standing_of`: the search's
    own error of a finalist is the luckiest of many. A rule of before any retraining, so it is known when all on the
    search's own images have ended. Finalists without a fresh error come last. Older versions named the first chosen.
    """
    choice = state.choice
    assert choice is not None, "a confirmation begins with its choice"
    if choice.winner != FRESH_MEDIAN:
        return tuple(range(1, len(choice.finalists) + 1))
    orders: list[tuple[bool, Order | tuple[()], int]] = []
    for place in range(1, len(choice.finalists) + 1):
        fresh = [
            each
            for each in state.trials.values()
            if choice.finalist_at(each.configuration) == (place, "split")
        ]
        if len(fresh) < choice.repeats or any(each.status not in FINAL for each in fresh):
            return None
        standing = standing_of([_repeat(each) for each in fresh], state.chance_error, fresh[0].num_params)
        orders.append((standing is None, standing.order if standing else (), place))
    return tuple(place for *_, place in sorted(orders))


def _repeat(trial: TrialState) -> Repeat:
    error = trial.last.val_error if trial.last else None
    is_lost = trial.status == "diverged" or trial.out_of_memory
    return Repeat(trial.number, trial.status, trial.epochs_done, error, is_lost)


def read_state(directory: ResultsDirectory) -> SearchState:
    """The state of the search in a results directory, which may be running.

    Raises:
        InputError: there is no directory, no record in it, no whole one, or that of a confirmation.
    """
    directory.check_is_there()
    state = fold(read_events(directory.events))
    if not state.search:
        text = "must be the record of a search, but holds no event yet"
        raise InputError.of("", text, str(directory.events))
    if (
        state.choice is not None
    ):  # its trials have no validation error to rank by, and test errors may not choose
        text = "must be the results directory of a search, but is that of a confirmation"
        raise InputError.of("", f"{text}; name the search above it", str(directory.path))
    return state


def name_of(trial: TrialState) -> str:
    """The trial's short name, such as `007_WRN-16-4_p0.30_wd5e-4`."""
    return short_name(trial.number, trial.config, trial.repeat, searched=trial.hparams)


def ranked_configurations(state: SearchState) -> list[list[TrialState]]:
    """The trials of each configuration that reached full epochs, the best first; of one all are listed, by number."""
    members: dict[int, list[TrialState]] = defaultdict(list)
    for number in sorted(state.trials):
        members[state.trials[number].configuration].append(state.trials[number])
    return [members[state.trials[each.number].configuration] for each in standings(state)]


def is_whole(repeats: Sequence[TrialState], most: int) -> bool:
    """Whether all repeats of a configuration have ended, `most` being how many others of the search have."""
    return len(repeats) == most and all(trial.status in FINAL for trial in repeats)


def find_trial(state: SearchState, which: str, option: str = "--trial") -> TrialState:
    """`best`, a number such as `17`, a key such as `00017-3f2a9c1d`, or a short name.

    The best is the repeat nearest the median of the best configuration, see `standing_of`.

    Raises:
        InputError: no trial is meant by it; `option` is where it was written.
    """
    if which == "best":
        return _best(state, option)
    for trial in state.trials.values():
        if which in (str(trial.number), trial.trial_id, name_of(trial), *earlier_names(trial)):
            return trial
    keys = [key for trial in state.trials.values() for key in (trial.trial_id, name_of(trial))]
    numbers = f"0 to {max(state.trials)}" if state.trials else "none yet"
    rule = f"must be best, a trial's number ({numbers}), its trial_id or its short name"
    raise InputError.of(option, f"{rule}, but got '{which}'{nearest(which, keys)}")


def _best(state: SearchState, option: str) -> TrialState:
    ranked = standings(state)
    if state.space.get("protocol") == "test_each":
        rule = "best goes by validation errors, of which protocol: test_each has none, and no test error may choose"
        raise InputError.of(option, f"{rule}; name a trial by its number")
    if not ranked:
        rule = f"best needs a trial that was trained to its last epoch ({state.max_epochs})"
        got = f"none of {len(state.trials)} was; name one by its number"
        raise InputError.of(option, f"{rule}, but {got}")
    return state.trials[ranked[0].number]
