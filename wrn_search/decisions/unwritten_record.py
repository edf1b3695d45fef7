"""A record that is no file: what is played is nobody's result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wrn_search.results.events import Event
from wrn_search.results.events_jsonl import Record


class UnwrittenRecord(Record):
    """Tells those who learn from it, and keeps nothing.

    Args:
        first: the event that the record begins with.
        clock: the moment of each event, in seconds.
    """

    def __init__(self, first: Event, clock: Callable[[], float] = lambda: 0.0):
        super().__init__(Path(), -1, clock)
        self.events = [(0.0, first)]

    def append(self, event: Event) -> None:
        """Tells those who learn from it."""
        moment = self._clock()
        for subscriber in self._subscribers:
            subscriber(moment, event)
