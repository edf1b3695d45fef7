"""Plays trials to a conductor by a made-up learning curve: the search without Ray and without training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment, NoTrial
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.results.events import SearchStarted
from wrn_search.results.events_jsonl import Record
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping

FACTS = DataFacts(num_classes=10, image_shape=(8, 8, 1), validation_images=300, chance_error=90.0)
Curve = Callable[[Assignment, int], float | None]  # validation error in percent after an epoch; None diverges


def space_of(**sections: Any) -> Space:
    """A small space on digits; sections replace the defaults."""
    document: dict[str, Any] = {
        "name": "played",
        "dataset": {"name": "digits"},
        "model": {"depth": 10, "dropout": {"uniform": [0.0, 0.5]}},
        "training": {"epochs": 10},
        "search": {"trials": 9, "searcher": "random"},
    }
    return space_from_mapping({**document, **sections})


def metrics(epoch: int, val_error: float) -> EpochMetrics:
    """An epoch's report in which only the epoch and the validation error matter."""
    return EpochMetrics(epoch, 0.1, 1.0, val_error, 1.0, val_error, 0.5, 2000.0, 10**8)


def new_record(path: Path, space: Space, search_id: str = "id") -> Record:
    """A record that holds its first event and is opened anew, as a session opens it."""
    with Record.create(path) as record:
        epochs, chance = space.training.epochs, FACTS.chance_error
        record.append(SearchStarted(space.name, search_id, epochs, chance, "digits", "split"))
    return Record.open(path)


def conductor_of(space: Space, record: Record, concurrent: int = 1, **options: Any) -> Conductor:
    """A conductor over an open record."""
    return Conductor(space, FACTS, Allotment(concurrent, 1, 0.0), record, **options)


def play(conductor: Conductor, curve: Curve, most_reports: float = float("inf")) -> int:
    """Trains all trials in turn, an epoch each, until the conductor is done. Returns the number of reports.

    After `most_reports` it leaves in the middle, as a killed driver does.
    """
    running: list[tuple[Assignment, int]] = []
    reports = 0
    while True:
        while isinstance(answer := conductor.next_trial(), Assignment):
            conductor.started(answer.number)
            done = conductor.state.trials[answer.number].epochs_done
            running.append((answer, done))
        if not running:
            assert answer is NoTrial.DONE
            return reports
        assignment, epoch = running.pop(0)
        val_error = curve(assignment, epoch + 1)
        if val_error is None:
            conductor.diverged(assignment.number, epoch + 1, "training loss must be finite, but got nan")
        elif conductor.reported(assignment.number, metrics(epoch + 1, val_error), "node", "cpu"):
            running.append((assignment, epoch + 1))
        reports += 1
        if reports >= most_reports:
            return reports


def played(path: Path, space: Space, curve: Curve, **options: Any) -> Conductor:
    """A whole search on a new record, as it stands at its end."""
    with new_record(path, space) as record:
        conductor = conductor_of(space, record, **options)
        play(conductor, curve)
        return conductor


def trained_to_the_end(
    conductor: Conductor, train: Callable[[Conductor, Assignment], object]
) -> list[Assignment]:
    """All that is left, one after the other, each by `train`."""
    trained = []
    while isinstance(answer := conductor.next_trial(), Assignment):
        trained.append(answer)
        train(conductor, answer)
    assert answer is NoTrial.DONE
    return trained


def cuts(record: Path, every: int = 1) -> Iterator[tuple[int, Path]]:
    """(lines, a record of so many) as a driver leaves it that is killed after every so-manieth event."""
    lines = record.read_text().splitlines(keepends=True)
    for kept in range(2, len(lines), every):
        cut = record.with_name(f"{kept}.jsonl")
        cut.write_text("".join(lines[:kept]))
        yield kept, cut


def goes_on_after_any_kill(folder: Path, space: Space, curve: Curve, every: int) -> str:
    """Plays a search, and again from every so-manieth of its events on: the same becomes of each trial. Its record."""
    whole = played(folder / "whole.jsonl", space, curve)
    for kept, cut in cuts(folder / "whole.jsonl", every):
        with Record.open(cut) as record:
            resumed = conductor_of(space, record)
            play(resumed, curve)
        assert fates(resumed) == fates(whole), kept
    return (folder / "whole.jsonl").read_text()


def fates(conductor: Conductor) -> list[tuple[object, ...]]:
    """What became of each trial: two searches that have the same ones went alike."""
    return [
        (trial.hparams, trial.status, trial.epochs_done, trial.rung)
        for trial in conductor.state.trials.values()
    ]
