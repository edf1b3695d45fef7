"""Warm start: what other searches found, as events of this one's record, so that it never needs them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from wrn_search.decisions.outcome_of_repeats import ended_trial, outcome_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.errors import InputError, Problem
from wrn_search.results.events import Known
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_state import FINAL, TrialState
from wrn_search.searchers.searcher import Crashed, Full
from wrn_search.space.trial_config import LEAVES


def read_sources(paths: Sequence[str], results: Path) -> list[SearchState]:
    """The other searches, as they stand now.

    Args:
        paths: `search.warm_start`.
        results: the directory of the search that will learn from them.

    Raises:
        InputError: one of them holds no search, a damaged one, or is this search itself.
    """
    states, problems = [], []
    for path in paths:
        directory = ResultsDirectory(path)
        if directory.place == ResultsDirectory(results).place:
            problems.append(
                Problem("search.warm_start", f"must name other searches, but got this one's {path}")
            )
        elif not directory.exists():
            rule = "must be the results directory of a search"
            problems.append(
                Problem("search.warm_start", f"{rule}, but {path} holds none{directory.as_unreadable()}")
            )
        else:
            states.append(fold(read_events(directory.events)))
    if problems:
        raise InputError(problems)
    return states


def learning_from(sources: Sequence[SearchState]) -> Callable[[Record, Conductor], None]:
    """Puts on record, when a session begins, what the sources can teach."""

    def learn(record: Record, conductor: Conductor) -> None:
        for known in new_knowledge(sources, conductor.state):
            record.append(known)

    return learn


def new_knowledge(sources: Sequence[SearchState], state: SearchState) -> Iterator[Known]:
    """What the sources can teach that `state` does not know: their ended configurations, but for crashed ones."""
    for source in sources:
        by_configuration: dict[int, list[TrialState]] = defaultdict(list)
        for trial in source.trials.values():
            by_configuration[trial.configuration].append(trial)
        for trials in by_configuration.values():
            known = _known(source, trials)
            if known is not None and (known.source, known.trial_id) not in state.known:
                yield known


def _known(source: SearchState, repeats: Sequence[TrialState]) -> Known | None:
    """What a configuration's repeats teach; None while one of them trains, and when all crashed or saw nothing."""
    if any(trial.status not in FINAL for trial in repeats):
        return None
    outcome = outcome_of([ended_trial(trial) for trial in repeats], source.chance_error)
    if isinstance(outcome, Crashed):
        return None
    full = isinstance(outcome, Full)
    curve = {source.max_epochs: outcome.val_error} if isinstance(outcome, Full) else outcome.curve
    if not curve:
        return None
    first = repeats[0]
    return Known(
        source=source.search_id,
        trial_id=first.trial_id,
        leaves={name: first.config[name] for name in LEAVES},
        full=full,
        curve={str(epoch): error for epoch, error in curve.items()},
        split_hash=source.split_hash,
        max_epochs=source.max_epochs,
    )
