"""What happened last in a search, and why: a fold over its events, of which the last ones are kept."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Paused,
    Reopened,
    Resumed,
    Retried,
    Stopped,
)

MOST = 20


@dataclass(frozen=True)
class Happening:
    """One event of a trial that a user wants to hear of."""

    moment: float  # Unix seconds
    number: int
    what: str  # completed | stopped | waits | promoted | retried | diverged | failed | reopened
    why: str  # one line; empty where the word says it all

    @property
    def text(self) -> str:
        """`stopped: its error 30.12 % at epoch 18 ...`."""
        return f"{self.what}: {self.why}" if self.why else self.what


@dataclass
class Happenings:
    """The last ones of a search, and its faults in numbers."""

    last: deque[Happening] = field(default_factory=lambda: deque(maxlen=MOST))  # the newest at the end
    retried: int = 0  # times that a trial was lost and tried again
    last_fault: Happening | None = None

    def apply(self, moment: float, event: Event) -> Happening | None:
        """Takes in one event; what it tells a user, if anything."""
        told = happening_of(moment, event)
        if told is not None:
            self.last.append(told)
            self.retried += told.what == "retried"
            if told.what in ("retried", "diverged", "failed"):
                self.last_fault = told
        return told


def happening_of(moment: float, event: Event) -> Happening | None:
    """What an event tells a user; None where it is an everyday one."""
    match event:
        case Completed():
            return Happening(moment, event.number, "completed", "")
        case Stopped():
            return Happening(moment, event.number, "stopped", _at(event.rung, event.reason))
        case Paused() if event.reason:
            return Happening(moment, event.number, "waits", _at(event.rung, event.reason))
        case Resumed():
            return Happening(moment, event.number, "promoted", f"goes on from epoch {event.rung}")
        case Retried():
            more = ", with a larger share of a GPU" if event.gpu_fraction else ""
            return Happening(moment, event.number, "retried", _first_line(event.reason) + more)
        case Diverged():
            return Happening(moment, event.number, "diverged", _at(event.epoch, event.error))
        case Failed():
            return Happening(moment, event.number, "failed", _first_line(event.error))
        case Reopened():
            return Happening(moment, event.number, "reopened", "it failed before")
        case _:
            return None


def _at(epoch: int, why: str) -> str:
    """With the epoch, unless the reason names it."""
    why = _first_line(why)
    return why if f"epoch {epoch}" in why else f"at epoch {epoch}, {why}"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
