"""Seconds from a search's first event to its first epoch: Tune, processes, their imports, the images."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from pathlib import Path

from wrn_search.errors import InputError
from wrn_search.results.event_lines import from_line
from wrn_search.results.events import Reported, SearchStarted

ASSUMED_SECONDS = 7.0  # stated, not measured here: of two cores that do nothing else
_MOST_DIRECTORIES = 5  # the latest
_MOST_LINES = 400  # of a record, to its first report


def time_to_start(root: Path, waiting: float = 1.0) -> float:
    """The median of the latest searches below `root`, where results directories lie; else what is assumed.

    `waiting` is how many seconds one second of a core takes among other programs: what is assumed takes as many times.
    """
    records = sorted(root.glob("*/events.jsonl"), key=_written)[-_MOST_DIRECTORIES:]
    found = [seconds for record in records for seconds in _seconds_of(record)]
    return statistics.median(found) if found else ASSUMED_SECONDS * waiting


def _seconds_of(record: Path) -> Iterator[float]:
    """At most one: of a record that can be read and has a report."""
    try:
        with record.open(encoding="ascii") as file:
            began = None
            for line in itertools.islice(file, _MOST_LINES):
                _, moment, event = from_line(line, record.name)
                if isinstance(event, SearchStarted):
                    began = moment
                if isinstance(event, Reported) and began is not None:
                    yield max(0.0, moment - began - event.metrics.seconds)
                    return
    except (OSError, ValueError, InputError):
        return


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # gone meanwhile
        return 0.0
