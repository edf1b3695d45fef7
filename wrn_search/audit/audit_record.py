"""The audit's own results directory below the search's: its record, begun or gone on with, and its tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wrn_search.errors import InputError
from wrn_search.hardware.detected_cores_and_gpus import gpu_names, usable_cores
from wrn_search.results.events import SearchResumed, SearchStarted
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.manifest import hardware, manifest, new_search_id, write_manifest
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.table_writer import TableWriter
from wrn_search.results.trial_state import FINAL

# What the manifest of the search says of how its trials compute, and of the images.
_OF_THE_SEARCH = ("precision", "compile", "threads", "rungs", "split_hash", "dataset")


def state_of_audit(directory: ResultsDirectory, search: SearchState) -> SearchState:
    """What was trained so far; an empty state where nothing was.

    Raises:
        InputError: the record is damaged, or not that of an audit of this search.
    """
    if not directory.exists():
        try:
            directory.check_new()
        except InputError as error:
            text = "must be an audit, or a place where one can begin, but holds or is something else; move it away"
            if not os.path.lexists(directory.path):  # what is in the way is above it
                text = error.problems[0].text
            raise InputError.of("", text, str(directory.path)) from None
        return SearchState()
    state = fold(read_events(directory.events))
    about = state.sessions[0][1].details.get("audits") if state.sessions else None
    of = about.get("search_id") if isinstance(about, dict) else None
    if of != search.search_id:
        text = "must be the record of an audit of this search"
        raise InputError.of("", f"{text} ({search.search_id}), but is of {of}", str(directory.events))
    return state


@contextmanager
def opened_audit(
    directory: ResultsDirectory, search: SearchState, about: dict[str, Any], seed: int
) -> Iterator[tuple[Record, SearchState]]:
    """The open record and its state, which follows it as the tables do; `about` is the manifest of the search.

    Raises:
        InputError: another audit of it runs, or the directory cannot be made.
    """
    begun = directory.exists()
    if not begun:
        _begin(directory, search, about, seed)
    with Record.open(directory.events) as record:
        state = fold(record.events)
        record.forget()
        record.subscribe(state.apply)
        if begun:
            now = {"command": sys.argv}
            record.append(SearchResumed(hardware=_machine(), details=now))
        directory.checkpoints.mkdir(exist_ok=True)
        _sweep(directory, state)
        writer = TableWriter(directory, state)
        record.subscribe(writer.on_event)
        try:
            yield record, state
        finally:
            writer.flush()


def _begin(directory: ResultsDirectory, search: SearchState, about: dict[str, Any], seed: int) -> None:
    details = {key: about[key] for key in _OF_THE_SEARCH if key in about}
    details["audits"] = {"search_id": search.search_id, "search": search.search}
    directory.create()
    told = manifest(new_search_id(), seed, sys.argv, _machine(), details)
    write_manifest(directory.manifest, told)
    with Record.create(directory.events) as record:
        record.append(
            SearchStarted(
                search=f"{search.search}_audit",
                search_id=told["search_id"],
                max_epochs=search.max_epochs,
                chance_error=search.chance_error,
                dataset=search.dataset,
                split_hash=search.split_hash,
                # No space: nothing is searched here, and `--resume` is not for it.
                versions=told["versions"],
                hardware=told["hardware"],
                details={
                    key: value
                    for key, value in told.items()
                    if key not in ("search_id", "versions", "hardware")
                },
            )
        )
    directory.started()


def _machine() -> dict[str, Any]:
    return hardware(usable_cores(), gpu_names())


def _sweep(directory: ResultsDirectory, state: SearchState) -> None:
    """Removes what a kill left: checkpoints that no unfinished trial needs, half-written ones too."""
    needed = {f"{trial.trial_id}.pt" for trial in state.trials.values() if trial.status not in FINAL}
    for path in directory.checkpoints.iterdir():
        if path.name not in needed:
            path.unlink(missing_ok=True)
