"""The searches whose finalists are confirmed: one, or several that can be compared; and a trial named in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wrn_search.analysis.input_tables.comparability import (
    Compared,
    differences,
    image_shape_on_record,
    settings_of,
)
from wrn_search.errors import InputError, Problem
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.space_on_record import resolved_space, with_later_settings
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_selection import find_trial
from wrn_search.results.trial_state import TrialState
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_of
from wrn_search.space.yaml_with_lines import Source


@dataclass(frozen=True)
class Searched:
    """A search as it stands on record."""

    state: SearchState
    label: str  # its name; where several have that name, its directory
    directory: ResultsDirectory = field(default_factory=lambda: ResultsDirectory("."))

    @property
    def space(self) -> Space:
        """Of its last session.

        Raises:
            InputError: an older record does not hold it, and resolved.yaml is lost.
        """
        if self.state.space:
            return space_of(
                Source(with_later_settings(self.state.space)), (), self.state.search, on_record=True
            )
        return resolved_space(self.directory)

    @property
    def names(self) -> tuple[str, ...]:
        """What a user may call it."""
        return self.label, self.state.search, str(self.directory.path), self.directory.path.name


def searches_at(paths: Sequence[str | Path]) -> tuple[Searched, ...]:
    """The searches in results directories, in this order.

    Raises:
        InputError: one is none, or is a confirmation itself; or they cannot be compared.
    """
    problems: list[Problem] = []
    found: list[tuple[SearchState, ResultsDirectory]] = []
    for directory in map(ResultsDirectory, paths):
        try:
            found.append((_state_at(directory), directory))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    how_often = Counter(state.search for state, _ in found)
    searches = tuple(
        Searched(state, state.search if how_often[state.search] == 1 else str(directory.path), directory)
        for state, directory in found
    )
    if len(searches) > 1 and (problems := differences([_compared(each) for each in searches], "confirm")):
        raise InputError(problems)
    return searches


def _state_at(directory: ResultsDirectory) -> SearchState:
    if not directory.exists():
        below = sorted(str(events.parent) for events in directory.path.glob("*/events.jsonl"))
        hint = f" (did you mean {' or '.join(below[:3])}?)" if below else ""
        text = f"must be the results directory of a search, but {directory.path} holds none"
        text += f"{directory.as_unreadable()}{hint}"
        raise InputError.of("RESULTS", text)
    state = fold(read_events(directory.events))
    if state.choice is not None:
        text = f"must be the results directory of a search, but {directory.path} is that of a confirmation"
        raise InputError.of("RESULTS", text)
    if state.space.get("protocol") == "test_each":
        text = "finalists are chosen by validation errors, of which protocol: test_each has none"
        raise InputError.of(
            "RESULTS", f"{text}, but {directory.path} has that protocol: its networks are tested"
        )
    return state


def _compared(search: Searched) -> Compared:
    """As the report compares them."""
    state, trials = search.state, search.state.trials.values()
    return Compared(
        path=str(search.directory.path),
        search_id=state.search_id,
        values={
            "dataset": [state.dataset],
            "epochs": sorted({trial.config["epochs"] for trial in trials} or {state.max_epochs}),
            "precision": sorted({trial.config["precision"] for trial in trials}),
            "linear_precision": sorted({trial.config["linear_precision"] for trial in trials}),
        },
        split_hash=state.split_hash,
        settings=settings_of(search.space.dataset, image_shape_on_record(state)),
    )


def named_trial(searches: Sequence[Searched], name: str) -> tuple[Searched, TrialState]:
    """What `--trials` names: `NUMBER` of the only search, or `SEARCH:NUMBER`; for NUMBER see `find_trial`.

    Raises:
        InputError: no search, or no trial of it, is meant by it.
    """
    which, colon, trial = name.rpartition(":")
    if not colon and len(searches) == 1:
        return searches[0], find_trial(searches[0].state, name, "--trials")
    meant = [search for search in searches if which in search.names]
    labels = ", ".join(search.label for search in searches)
    if not colon or not meant:
        rule = f"must name a search ({labels}) and a trial of it, such as {searches[0].label}:3"
        raise InputError.of("--trials", f"{rule}, but got '{name}'")
    if len(meant) > 1:
        rule = f"must name one search, by its directory ({labels})"
        raise InputError.of("--trials", f"{rule}, but '{which}' of '{name}' is the name of {len(meant)}")
    try:
        return meant[0], find_trial(meant[0].state, trial, "--trials")
    except InputError as error:
        told = [Problem(each.key, f"{each.text} of {meant[0].label}") for each in error.problems]
        raise InputError(told) from None
