"""The table of a results directory: its whole trainings, and what each of their epochs took."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.errors import InputError
from wrn_search.replay.costs_of_epochs import Seconds, costs_of_epochs
from wrn_search.replay.curve_table import CurveTable, RecordedCurve
from wrn_search.results.events import (
    Interrupted,
    Known,
    Paused,
    Proposed,
    Reported,
    Retried,
    Started,
    TimedEvent,
)
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.space_on_record import recorded_space
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_state import STATUSES, TrialState
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.trials_of_other_spaces import hparams_within


@dataclass(frozen=True, eq=False)
class RecordedSearch:
    """A search on record: its space, its trials, and its table."""

    space: Space
    state: SearchState
    table: CurveTable
    workers: int  # trials at once, as recorded
    known: tuple[Known, ...]  # what other searches taught it


def table_of_results(path: Path, *, whole: bool = True) -> RecordedSearch:
    """The table of a results directory.

    Args:
        path: the directory.
        whole: only trainings that reached their last epoch or diverged, each epoch at its cost; else all but the
            failed ones, each epoch as long as it took, so that they can be played as they went.

    Raises:
        InputError: it holds no search, the record does not tell its space, or there is no whole training.
    """
    directory = ResultsDirectory(path)
    if not directory.exists():
        rule = "must be a results directory or a Parquet file of curves (its name ends in .parquet)"
        raise InputError.of("SOURCE", f"{rule}, {directory.why_none()}", str(path))
    events = read_events(directory.events)
    state = fold(events)
    if state.choice is not None:
        raise InputError.of("SOURCE", "must hold a search, but holds the retrainings of `confirm`", str(path))
    space = _space(directory, state)
    kept = ("completed", "diverged") if whole else tuple(STATUSES - {"failed"})
    rows = _rows(
        space, [trial for trial in state.trials.values() if trial.status in kept], events, as_taken=not whole
    )
    if not rows or not any(
        len(curve.errors) == space.training.epochs for _, curves in rows for curve in curves
    ):
        text = f"must hold trainings of all {space.training.epochs} epochs in the space it records"
        raise InputError.of("SOURCE", f"{text}, but none of {len(state.trials)} trials is", str(path))
    table = CurveTable(
        name=space.name,
        space=space,
        configurations=tuple(hparams for hparams, _ in rows),
        curves=tuple(tuple(curves) for _, curves in rows),
        facts=_facts(state, space, directory),
        in_seconds=True,
        left_out=_left_out(state, rows),
        shared=not any(trial.alone for trial in state.trials.values()),
    )
    known = tuple(event for _, event in events if isinstance(event, Known))
    return RecordedSearch(space, state, table, _workers(state), known)


def _left_out(state: SearchState, rows: Sequence[tuple[Hparams, list[RecordedCurve]]]) -> int:
    """Trainings that reached their last epoch and lie outside the space of the last session."""
    completed = sum(trial.status == "completed" for trial in state.trials.values())
    return completed - sum(len(curve.errors) == state.max_epochs for _, curves in rows for curve in curves)


def _rows(
    space: Space, trials: Sequence[TrialState], events: Sequence[TimedEvent], *, as_taken: bool
) -> list[tuple[Hparams, list[RecordedCurve]]]:
    """Each configuration with the curves of its seeds; what lies outside the space is left out.

    Epochs cost what `costs_of_epochs` says; `as_taken`: they take what they took.
    """
    took = _seconds(events, proposals_wait=space.search.searcher == "grid")
    if not as_taken:
        took = costs_of_epochs(took, trials)
    rows: dict[int, tuple[Hparams, list[RecordedCurve]]] = {}
    for trial in trials:
        hparams = hparams_within(space, trial.config)
        if hparams is None or any(metrics.val_error is None for _, metrics in trial.reports):
            continue
        curve = RecordedCurve(
            np.array([metrics.val_error for _, metrics in trial.reports], dtype=float),
            np.array([took[trial.number, metrics.epoch] for _, metrics in trial.reports]),
            trial.status == "diverged",
            trial.number,
        )
        rows.setdefault(trial.configuration, (hparams, []))[1].append(curve)
    return list(rows.values())


def _seconds(events: Sequence[TimedEvent], proposals_wait: bool) -> Seconds:
    """What each epoch of each trial took, from the moments on record.

    An epoch begins with the end of the one before; the first one with the proposal, for a place was free then.

    Where proposals wait for a place, and where a trial goes on after a break, with the start of its process.
    """
    taken: dict[tuple[int, int], float] = {}
    since: dict[int, float] = {}  # trial -> Unix seconds at which its next epoch began
    broken: set[int] = set()
    for moment, event in events:
        match event:
            case Proposed():
                since[event.number] = moment
                broken |= {event.number} if proposals_wait else set()
            case Paused() | Interrupted() | Retried():
                broken.add(event.number)
            case Started() if event.number in broken:
                since[event.number] = moment
                broken.remove(event.number)
            case Reported():
                key = (event.number, event.metrics.epoch)
                ended = moment - event.ended_ago
                taken.setdefault(key, max(0.0, ended - since[event.number]))
                since[event.number] = ended
            case _:
                pass
    return taken


def _facts(state: SearchState, space: Space, directory: ResultsDirectory) -> DataFacts:
    """Of the images: by the record, else by the manifest, as earlier versions wrote it, else by the data set.

    Raises:
        InputError: none of them tells.
    """
    told: list[Any] = [session.details.get("dataset") for _, session in state.sessions]
    told.append(_manifest(directory).get("dataset"))
    known = DATASETS[space.dataset.name].facts
    told.append(
        {
            "num_classes": known.num_classes,
            "image_shape": known.image_shape,
            "validation_images": space.dataset.held_out(known),
        }
    )
    for facts in told:
        with suppress(KeyError, TypeError, ValueError):
            height, width, channels = (int(size) for size in facts["image_shape"])
            images = int(facts["validation_images"])
            return DataFacts(int(facts["num_classes"]), (height, width, channels), images, state.chance_error)
    text = "the record must tell classes, size and number of its images, but neither it nor the manifest does"
    raise InputError.of("SOURCE", text, str(directory.path))


def _manifest(directory: ResultsDirectory) -> dict[str, Any]:
    try:
        found = json.loads(directory.manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _space(directory: ResultsDirectory, state: SearchState) -> Space:
    """The recorded space.

    Raises:
        InputError: nothing tells it.
    """
    try:
        return space_from_mapping(recorded_space(directory, state), on_record=True)
    except InputError as error:
        told = "; ".join(problem.text for problem in error.problems[:3])
        text = f"must be a search whose space is on record, but it cannot be read: {told}"
        raise InputError.of("SOURCE", text, str(directory.path)) from None


def _workers(state: SearchState) -> int:
    """Trials at once in the last session; 1 where it is not on record."""
    told = [session.details.get("concurrent") for _, session in state.sessions]
    return next((each for each in reversed(told) if isinstance(each, int) and each > 0), 1)
