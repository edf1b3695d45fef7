"""Functions of a user's that hear each event of a session once it is on record; none of them can hurt the search."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.errors import InputError
from wrn_search.lines_on_stderr import tell, warn
from wrn_search.results.events import EVENTS, Event
from wrn_search.results.trial_selection import name_of
from wrn_search.session.ctrl_c import PATIENCE

_KINDS = {kind: name for name, kind in EVENTS.items()}


class StopSearch(Exception):
    """Raised by a callback, it stops the search as Ctrl-C would: running trials finish their epoch."""


@dataclass(frozen=True)
class SearchEvent:
    """What happened in a search: an event of its record, for callbacks.

    Attributes:
        time: Unix seconds.
        kind: proposed, started, reported (an epoch), paused, resumed, stopped, completed, diverged, failed, retried,
            interrupted, looked, exhausted, search_ended, ...: the event's name in `events.jsonl`.
        number: of the trial; None where the event is about the search.
        name: short name of the trial, such as `007_WRN-16-4_p0.30`; None where the event is about the search.
        values: what else the event says, by the names of the record. Of `reported` the metrics of the epoch.
    """

    time: float
    kind: str
    number: int | None
    name: str | None
    values: Mapping[str, Any]

    @property
    def epoch(self) -> int | None:
        """Completed epochs of a trial that reported; else None."""
        return self.values.get("epoch") if self.kind == "reported" else None

    @property
    def val_error(self) -> float | None:
        """Validation error of a trial that reported, in percent; else None."""
        return self.values.get("val_error") if self.kind == "reported" else None


EventCallback = Callable[[SearchEvent], object]


def checked(callbacks: Iterable[EventCallback]) -> tuple[EventCallback, ...]:
    """The callbacks of a session.

    Raises:
        InputError: one of them cannot be called.
    """
    if callable(callbacks) or not isinstance(callbacks, Iterable):
        text = f"must be a list of functions of one event, but got {callbacks!r:.80}"
        raise InputError.of("callbacks", text)
    found = tuple(callbacks)
    for each in found:
        if not callable(each):
            raise InputError.of("callbacks", f"must be functions of one event, but got {each!r:.80}")
    return found


class Callbacks:
    """A subscriber of the record that calls each callback; one that raises is told of once and not called again."""

    def __init__(self, callbacks: Iterable[EventCallback], conductor: Conductor):
        self._callbacks = list(callbacks)
        self._conductor = conductor

    def __call__(self, moment: float, event: Event) -> None:
        """Takes in a written event."""
        if not self._callbacks:
            return
        told = self._told(moment, event)
        for callback in tuple(self._callbacks):
            try:
                callback(told)
            except StopSearch:
                tell(f"stopping, as a callback asks: {PATIENCE}", kind="stopping")
                self._conductor.interrupt()
            except Exception as error:  # the user's own code, of which any may come
                self._callbacks.remove(callback)
                name = getattr(callback, "__qualname__", type(callback).__name__)
                warn(
                    [f"callback {name} is not called any more, as it raised {type(error).__name__}: {error}"]
                )

    def _told(self, moment: float, event: Event) -> SearchEvent:
        values = dict(vars(event))
        metrics = values.pop("metrics", None)
        number = values.pop("number", None)
        trial = self._conductor.state.trials.get(number)
        return SearchEvent(
            moment,
            _KINDS[type(event)],
            number,
            name_of(trial) if trial is not None else None,
            values | (vars(metrics) if metrics is not None else {}),
        )
