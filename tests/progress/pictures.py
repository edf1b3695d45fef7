"""Searches in progress for the tests of this room, as events."""

from __future__ import annotations

from tests.results.searches import START, proposed, reported, started
from wrn_search.progress.search_progress import Progress
from wrn_search.results.events import (
    Completed,
    Failed,
    Paused,
    Resumed,
    Retried,
    SearchStarted,
    Stopped,
    TimedEvent,
)
from wrn_search.verdict_so_far.verdict import VerdictSoFar

EPOCHS = 60
ENDED = 40
VERDICT = VerdictSoFar(
    40,
    ("WRN-16-2", 1.63, 0.91, 2.62),
    (("WRN-16-2", 0.61), ("WRN-10-2", 0.25), ("WRN-16-1", 0.14)),
    {"20": (5.5, 4.5, 6.5)},
)
BETTER = "7 of 11 trials at this rung were better"


def events_of(running: int) -> list[TimedEvent]:
    """40 trials that ended, wait or were lost, and so many that train, each at its own epoch.

    Of hundreds the last epoch alone is told, which says as much.
    """
    told: list[TimedEvent] = [
        (START, SearchStarted("cifar_width_depth", "0" * 32, EPOCHS, 90.0, "cifar10", "split"))
    ]
    for number in range(ENDED + running):
        moment = START + number
        told += [(moment, proposed(number, epochs=EPOCHS)), (moment, started(number))]
        last = EPOCHS if 20 <= number < 36 else 18 if number < ENDED else 1 + number % 50
        told += [
            (moment + epoch, reported(number, epoch, val_error=5.0 + number % 40 + (EPOCHS - epoch) / 10))
            for epoch in (range(1, last + 1) if running < 100 else (last,))
        ]
        if number < 20:
            told.append((moment + 60, Stopped(number, 18, BETTER)))
        elif number < 36:
            told.append((moment + 60, Completed(number)))
        elif number < 37:
            told.append((moment + 60, Retried(number, "its process died (killed by signal 9)")))
        elif number < 38:
            told.append((moment + 60, Failed(number, "RuntimeError: bad\nand more of it")))
        elif number < 40:
            told.append((moment + 60, Paused(number, 18, BETTER)))
    told.append((START + 100 + running, Resumed(39, 18)))
    return sorted(told, key=lambda each: each[0])


def progress_of(running: int, **changes: object) -> Progress:
    """The fold of `events_of`."""
    progress = Progress(running + 60, EPOCHS, START, search="cifar_width_depth", **changes)  # type: ignore[arg-type]
    for moment, event in events_of(running):
        progress.apply(moment, event)
    return progress
