"""How a search stands as plain values, for programs: the same names in `--log-json` and `status --json`."""

from __future__ import annotations

from typing import Any

from wrn_search.progress.happenings import Happening
from wrn_search.progress.search_progress import Progress
from wrn_search.results.trial_selection import Standing

MOST_RUNNING = 100  # trials that are told one by one


def progress_values(progress: Progress, now: float) -> dict[str, Any]:
    """Trials, epochs, pace, time left and the best so far.

    Seconds are wall seconds, errors percent; null is what is not known (yet).
    """
    left = progress.seconds_left(now)
    pace = progress.epochs_per_minute(now)
    return {
        "trials": None if progress.is_open_ended else progress.rows,
        "ended": progress.ended.total(),
        "by_status": {status: count for status, count in sorted(progress.ended.items()) if count},
        "running": len(progress.running),
        "waiting": len(progress.waiting),
        "epochs": progress.epochs_done,
        "epochs_planned": None if progress.is_open_ended else progress.epochs_planned,
        "epochs_per_minute": None if pace is None else round(pace, 3),
        "seconds": round(now - progress.began, 3),
        "seconds_left": None if left is None else round(left, 3),
        "best": None if progress.best is None else standing_values(progress, progress.best),
    }


def running_values(progress: Progress) -> list[dict[str, Any]]:
    """The running trials, by number; `MOST_RUNNING` at most."""
    return [
        {
            "number": number,
            "name": progress.name(number),
            "node": progress.running[number].node or None,
            "epoch": progress.running[number].epoch,
            "epochs": progress.max_epochs,
            "val_error": progress.running[number].error,
            "images_per_second": progress.running[number].images_per_second,
        }
        for number in sorted(progress.running)[:MOST_RUNNING]
    ]


def standing_values(progress: Progress, standing: Standing) -> dict[str, Any]:
    """One of the best configurations: the trial at the median of its seeds."""
    return {
        "number": standing.number,
        "name": progress.name(standing.number),
        "val_error": standing.median,
        "seeds": len(standing.errors),
    }


def happening_values(progress: Progress, happening: Happening | None) -> dict[str, Any] | None:
    """What happened to a trial, when, and why."""
    if happening is None:
        return None
    return {
        "time": happening.moment,
        "number": happening.number,
        "name": progress.name(happening.number),
        "what": happening.what,
        "why": happening.why,
    }
