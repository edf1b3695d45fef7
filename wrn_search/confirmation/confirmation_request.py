"""What `confirm` is asked for, checked before anything starts: searches, their finalists, what has begun already."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wrn_search.confirmation.choice_of_finalists import (
    DEFAULT_REPEATS,
    Rule,
    choice_of,
    same_choice_problems,
)
from wrn_search.confirmation.finalist import Finalist, finalists_of, trial_label
from wrn_search.confirmation.searches_to_confirm import Searched, searches_at
from wrn_search.errors import InputError, Problem
from wrn_search.file_system.exclusive_lock import held_by
from wrn_search.objectives.objective_table import MEASURED_APART
from wrn_search.results.events import Chosen
from wrn_search.results.events_jsonl import WholeLines, read_events, read_whole_lines
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy.object_store import is_address
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_state import FINAL
from wrn_search.session.search_request import Request
from wrn_search.space.rules.across_keys.rules_of_optimisers import warm_up_rule
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig
from wrn_search.space.yaml_with_lines import yaml_text

_SUFFIX = "-confirm"
_LONGEST_NAME = 100


@dataclass(frozen=True)
class ConfirmationRequest(Request):
    """A confirmation that was asked for, its choice recorded or ready to be."""

    searches: tuple[Searched, ...] = dataclasses.field(kw_only=True)  # whose finalists they are
    chosen: Chosen = dataclasses.field(kw_only=True)
    finalists: tuple[Finalist, ...] = ()  # the winner by validation first
    begun: SearchState | None = None  # of an earlier session
    read: WholeLines | None = None  # what its record held

    @property
    def search(self) -> SearchState:
        """The search, of several the first: what they must have in common is that of any."""
        return self.searches[0].state

    @property
    def is_beside_its_search(self) -> bool:
        """Whether it lies where the search looks for it."""
        return self.directory.path == self.searches[0].directory.confirmation.path

    @property
    def rows(self) -> int:
        """Retrainings in all."""
        return len(self.chosen.kinds) * len(self.finalists) * self.chosen.repeats

    @property
    def is_whole(self) -> bool:
        """Whether all of them have ended."""
        state = self.begun
        if state is None or state.ended != "finished" or len(state.trials) < self.rows:
            return False
        return all(trial.status in FINAL for trial in state.trials.values())


def confirmation_request(
    results: str | Path | Sequence[str | Path],
    rule: Rule,
    repeats: int | None = None,
    epochs: int | None = None,
    place: str | Path | None = None,
    only: str | None = None,
) -> ConfirmationRequest:
    """The checked request; reads all records and writes nothing.

    Args:
        results: the results directory of a search, or those of several.
        rule: how finalists are chosen.
        repeats: fresh seeds; None: as begun, else DEFAULT_REPEATS.
        epochs: of each retraining; None: as begun, else the search's.
        place: where the confirmation lies; None: in the first search's directory.
        only: `joined` or `split`, the one kind of retraining that is wanted; None: as begun, else both.

    Raises:
        InputError: there is no search with a completed trial, one runs, they cannot be compared, a named trial is no
            finalist, or a confirmation has begun by another choice.
    """
    rule.check()
    searches = searches_at([results] if isinstance(results, str | Path) else results)
    target = _target(searches, place)
    begun, read = _begun_at(target)
    if begun is not None and begun.choice is not None:
        chosen = begun.choice
        finalists_of(chosen, str(target.events))  # what stands there is read below
        _check_same(chosen, searches, target, rule, repeats, epochs, only)
    else:
        _check_was_not_made_elsewhere(searches, target)
        for search in searches:
            _check_is_not_running(search.directory)
        first = searches[0].state
        chosen = choice_of(searches, rule, repeats or DEFAULT_REPEATS, epochs or first.max_epochs)
        if only:  # without fresh validation errors the winner is the one that the search's own name
            winner = chosen.winner if only == "split" else ""
            chosen = dataclasses.replace(chosen, only=only, winner=winner)
    finalists = tuple(finalists_of(chosen, str(target.events)))
    if begun is None or begun.choice is None:
        _check_warm_ups_end(finalists, chosen.epochs)
    space = _confirmation_space(searches[0].space, chosen, finalists)
    return ConfirmationRequest(
        space,
        _text_of(searches[0].directory, space),
        target,
        searches=searches,
        chosen=chosen,
        finalists=finalists,
        begun=begun,
        read=read,
    )


def _check_warm_ups_end(finalists: Sequence[Finalist], epochs: int) -> None:
    """A retraining that is shorter than its search must still reach the rate that it was chosen with.

    Raises:
        InputError: naming each finalist whose warm-up does not end.
    """
    problems = []
    for each in finalists:
        config = TrialConfig.from_dict(each.config)
        rule = warm_up_rule(config.warmup_epochs, epochs, config.lr_schedule, config.lr_cooldown)
        if rule:
            told = f"warmup_epochs {config.warmup_epochs} of trial {each.number}"
            problems.append(Problem("--epochs", f"{rule}, but got {told}"))
    if problems:
        raise InputError(problems)


def _target(searches: Sequence[Searched], place: str | Path | None) -> ResultsDirectory:
    """Where the confirmation lies.

    Raises:
        InputError: that is no directory, or one of a search.
    """
    if place is None:
        return searches[0].directory.confirmation
    target = ResultsDirectory(place)
    if is_address(str(place)):
        text = "must be a directory: a confirmation beside its search goes to the copy that the search has"
        raise InputError.of("--results", f"{text}, but got {place}")
    for search in searches:
        if target.place == search.directory.place:
            text = f"must be a directory of the confirmation's own, but {place} holds the search itself"
            raise InputError.of("--results", text)
    return target


def _check_was_not_made_elsewhere(searches: Sequence[Searched], target: ResultsDirectory) -> None:
    """A second choice among the same searches would be made by one who has seen the first one's test errors.

    Raises:
        InputError: there is one beside one of the searches.
    """
    ours = {search.state.search_id for search in searches}
    for search in searches:
        other = search.directory.confirmation
        if other.place == target.place or not other.exists():
            continue
        choice = fold(read_events(other.events)).choice
        if choice is not None and set(choice.sources or [choice.source]) == ours:
            text = "finalists are chosen once, before any test error is seen"
            hint = f"go on with it with --results {other.path}"
            raise InputError.of("--results", f"{text}, and were, for {other.path}; {hint}")


def _begun_at(target: ResultsDirectory) -> tuple[SearchState | None, WholeLines | None]:
    """The state of a confirmation that has begun, and what its record holds.

    Raises:
        InputError: the record is damaged, or something else is in its place.
    """
    if target.exists():
        read = read_whole_lines(target.events)
        state = fold(read.events)
        if state.choice is None and state.trials:
            text = "the recorded choice must come before the retrained trials, but there is none"
            raise InputError.of("chosen", text, str(target.events))
        return state, read
    try:
        target.check_new()
    except InputError as error:
        if not target.path.exists():
            raise InputError.of("RESULTS", error.problems[0].text) from None
        text = "must be a confirmation, or a place where one can begin, but holds or is something else; move it away"
        raise InputError.of("", text, str(target.path)) from None
    return None, None


def _check_same(
    chosen: Chosen,
    searches: Sequence[Searched],
    target: ResultsDirectory,
    rule: Rule,
    repeats: int | None,
    epochs: int | None,
    only: str | None,
) -> None:
    """A choice is made once: who has seen test errors must not choose again.

    Raises:
        InputError: the options ask for another one, or it was made of another search.
    """
    ours = {search.state.search_id for search in searches}
    if len(ours) == 1 and len(chosen.sources) < 2 and chosen.source not in ours:
        text = f"must confirm the search beside it ({min(ours)}), but its choice is of {chosen.source}"
        raise InputError.of("", text, str(target.events))
    if set(chosen.sources or [chosen.source]) != ours:
        theirs = ", ".join(
            f"{each.get('search')} ({search_id}, at {each.get('results')})"
            if isinstance(each, dict)
            else search_id
            for search_id, each in chosen.sources.items()
        )
        got = ", ".join(f"{search.label} ({search.state.search_id})" for search in searches)
        text = (
            f"must confirm the searches that are named, {got}, but its choice is of {theirs or chosen.source}"
        )
        raise InputError.of("", text, str(target.events))
    made = f"{_choice_in_words(chosen)}, repeats {chosen.repeats}, epochs {chosen.epochs}"
    made += f", only {chosen.only}" if chosen.only else ""
    text = (
        f"finalists are chosen once, before any test error is seen, and were: {made}; leave the option out "
        f"to go on with {target.path}"
    )
    options = same_choice_problems(chosen, searches, rule, repeats, epochs)
    if only is not None and only != chosen.only:
        options = [*options, "--only"]
    if options:
        raise InputError([Problem(option, text) for option in options])


def _choice_in_words(chosen: Chosen) -> str:
    """`top 3, one of each network`, or `trials 1, 21`."""
    if chosen.rule == "trials":
        return f"trials {', '.join(trial_label(chosen, each) for each in chosen.finalists.values())}"
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


def _confirmation_space(space: Space, chosen: Chosen, finalists: tuple[Finalist, ...]) -> Space:
    """The search's space with what a confirmation does differently: no stops, fixed arithmetic, its own length."""
    first = finalists[0].config
    search = space.search.model_copy(
        update={
            "searcher": "random",
            "scheduler": "none",
            "rungs": "schedule",
            "trials": len(chosen.kinds) * len(finalists),
            "repeats": chosen.repeats,
            "warm_start": (),
            "max_hours": None,
            "budget": None,
            "stop_when": None,
            "keep_checkpoints": 1,
        }
    )
    training = space.training.model_copy(
        update={"epochs": chosen.epochs, "precision": first["precision"], "compile": first["compile"]}
    )
    name = space.name[: _LONGEST_NAME - len(_SUFFIX)] + _SUFFIX
    # Nothing is chosen by costs any more, and another machine may not be able to measure them.
    objectives = tuple(each for each in space.objectives if each not in MEASURED_APART)
    return space.model_copy(
        update={"name": name, "search": search, "training": training, "objectives": objectives}
    )


def _text_of(directory: ResultsDirectory, space: Space) -> str:
    """The space file as given to the search; without one, what the confirmation makes of it."""
    try:
        return directory.space_file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return yaml_text(space.to_document())
