"""What `confirm` is asked for, checked before anything starts: the search, its finalists, what has begun already."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from wrn_search.confirmation.choice_of_finalists import (
    DEFAULT_REPEATS,
    KINDS,
    Finalist,
    Rule,
    choice_of,
    finalists_of,
    same_choice_problems,
)
from wrn_search.errors import InputError, Problem
from wrn_search.file_system.exclusive_lock import held_by
from wrn_search.results.events import Chosen
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_state import FINAL
from wrn_search.session.search_request import Request
from wrn_search.space.space import Space
from wrn_search.space.space_file import read_space, space_of
from wrn_search.space.yaml_with_lines import Source, yaml_text

_SUFFIX = "-confirm"
_LONGEST_NAME = 100


@dataclass(frozen=True)
class ConfirmationRequest(Request):
    """A confirmation that was asked for, its choice recorded or ready to be."""

    search: SearchState = dataclasses.field(default_factory=SearchState)  # whose finalists they are
    chosen: Chosen = dataclasses.field(kw_only=True)
    finalists: tuple[Finalist, ...] = ()  # the winner by validation first
    begun: SearchState | None = None  # of an earlier session

    @property
    def rows(self) -> int:
        """Retrainings in all."""
        return len(KINDS) * len(self.finalists) * self.chosen.repeats

    @property
    def is_whole(self) -> bool:
        """Whether all of them have ended."""
        state = self.begun
        if state is None or state.ended != "finished" or len(state.trials) < self.rows:
            return False
        return all(trial.status in FINAL for trial in state.trials.values())


def confirmation_request(
    results: str | Path, rule: Rule, repeats: int | None = None, epochs: int | None = None
) -> ConfirmationRequest:
    """The checked request; reads both records and writes nothing.

    Args:
        results: the results directory of a search.
        rule: how finalists are chosen.
        repeats: fresh seeds; None: as begun, else DEFAULT_REPEATS.
        epochs: of each retraining; None: as begun, else the search's.

    Raises:
        InputError: there is no search with a completed trial, it runs, a named trial is no finalist, or a confirmation
            has begun by another choice.
    """
    rule.check()
    directory = ResultsDirectory(results)
    search = _search_at(directory)
    target = directory.confirmation
    begun = _begun_at(target)
    if begun is not None and begun.choice is not None:
        chosen = begun.choice
        _check_same(chosen, search, target, rule, repeats, epochs)
    else:
        _check_is_not_running(directory)
        chosen = choice_of(search, rule, repeats or DEFAULT_REPEATS, epochs or search.max_epochs)
    finalists = tuple(finalists_of(chosen, str(target.events)))
    space = _confirmation_space(_space_at(directory, search), chosen, finalists)
    return ConfirmationRequest(
        space,
        _text_of(directory, space),
        target,
        search=search,
        chosen=chosen,
        finalists=finalists,
        begun=begun,
    )


def _search_at(directory: ResultsDirectory) -> SearchState:
    """The state of the search.

    Raises:
        InputError: there is none, or it is a confirmation itself.
    """
    if not directory.exists():
        below = sorted(str(events.parent) for events in directory.path.glob("*/events.jsonl"))
        hint = f" (did you mean {' or '.join(below[:3])}?)" if below else ""
        text = f"must be the results directory of a search, but {directory.path} holds none{hint}"
        raise InputError.of("RESULTS", text)
    state = fold(read_events(directory.events))
    if state.choice is not None:
        text = f"must be the results directory of a search, but {directory.path} is that of a confirmation"
        raise InputError.of("RESULTS", text)
    return state


def _begun_at(target: ResultsDirectory) -> SearchState | None:
    """The state of a confirmation that has begun.

    Raises:
        InputError: the record is damaged, or something else is in its place.
    """
    if target.exists():
        state = fold(read_events(target.events))
        if state.choice is None and state.trials:
            text = "the recorded choice must come before the retrained trials, but there is none"
            raise InputError.of("chosen", text, str(target.events))
        return state
    try:
        target.check_new()
    except InputError as error:
        if not target.path.exists():
            raise InputError.of("RESULTS", error.problems[0].text) from None
        text = "must be a confirmation, or a place where one can begin, but holds or is something else; move it away"
        raise InputError.of("", text, str(target.path)) from None
    return None


def _check_same(
    chosen: Chosen,
    search: SearchState,
    target: ResultsDirectory,
    rule: Rule,
    repeats: int | None,
    epochs: int | None,
) -> None:
    """A choice is made once: who has seen test errors must not choose again.

    Raises:
        InputError: the options ask for another one, or it was made of another search.
    """
    if chosen.source != search.search_id:
        text = f"must confirm the search beside it ({search.search_id}), but its choice is of {chosen.source}"
        raise InputError.of("", text, str(target.events))
    made = f"{_choice_in_words(chosen)}, repeats {chosen.repeats}, epochs {chosen.epochs}"
    text = (
        f"finalists are chosen once, before any test error is seen, and were: {made}; leave the option out "
        f"to go on with {target.path}"
    )
    options = same_choice_problems(chosen, search, rule, repeats, epochs)
    if options:
        raise InputError([Problem(option, text) for option in options])


def _choice_in_words(chosen: Chosen) -> str:
    """`top 3, one of each network`, or `trials 1, 21`."""
    if chosen.rule == "trials":
        return f"trials {', '.join(str(each['number']) for each in chosen.finalists.values())}"
    what = f"{chosen.rule} {chosen.top or 'all'}"
    return f"{what}, one of each network" if chosen.per_network else what


def _check_is_not_running(directory: ResultsDirectory) -> None:
    """A choice is made of what a search has found when it stands still.

    Raises:
        InputError: a process writes its record.
    """
    holder = held_by(directory.events)
    if holder is not None:
        text = "a search must have stopped before its finalists are chosen"
        raise InputError.of("RESULTS", f"{text}, but {directory.path} is running: {holder}")


def _space_at(directory: ResultsDirectory, search: SearchState) -> Space:
    if search.space:  # resolved.yaml may be lost, and older records do not hold it
        return space_of(Source(search.space), (), search.search)
    return read_space(directory.resolved)


def _confirmation_space(space: Space, chosen: Chosen, finalists: tuple[Finalist, ...]) -> Space:
    """The search's space with what a confirmation does differently: no stops, fixed arithmetic, its own length."""
    first = finalists[0].config
    search = space.search.model_copy(
        update={
            "searcher": "random",
            "scheduler": "none",
            "rungs": "schedule",
            "trials": len(KINDS) * len(finalists),
            "repeats": chosen.repeats,
            "warm_start": (),
            "max_hours": None,
            "keep_checkpoints": 1,
        }
    )
    training = space.training.model_copy(
        update={"epochs": chosen.epochs, "precision": first["precision"], "compile": first["compile"]}
    )
    name = space.name[: _LONGEST_NAME - len(_SUFFIX)] + _SUFFIX
    return space.model_copy(update={"name": name, "search": search, "training": training})


def _text_of(directory: ResultsDirectory, space: Space) -> str:
    """The space file as given to the search; without one, what the confirmation makes of it."""
    try:
        return directory.space_file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return yaml_text(space.to_document())
