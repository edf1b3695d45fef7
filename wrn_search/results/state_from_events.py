"""The state of a search as a fold over its events: pure, so that a resumed search is the same search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError
from wrn_search.results.events import (
    Chosen,
    Completed,
    Diverged,
    Event,
    Exhausted,
    Failed,
    Interrupted,
    Known,
    Looked,
    Paused,
    Proposed,
    Reopened,
    Reported,
    Resumed,
    Retried,
    SearchEnded,
    SearchResumed,
    SearchStarted,
    Started,
    Stopped,
    Tested,
    TestOpened,
    TimedEvent,
    TrialEvent,
)
from wrn_search.results.side_by_side import SideBySide
from wrn_search.results.trial_state import COUNTS_AS_CHANCE, FINAL, TrialState

MOST_EPOCHS = 100_000
_SESSION_BEGINS = (SearchStarted, SearchResumed)
_ASKS = ("model.", "training.", "search.")  # keys of which a change asks something else, or for more
# Looked up by type: to hold each report against so many classes takes longer than to take it in.
_AFTER_SOURCES = frozenset({Proposed, Started, SearchEnded})  # what sources teach comes before these
_LEAVES_ITS_PLACE = frozenset({Paused, Completed, Stopped, Diverged, Failed, Retried, Interrupted})


@dataclass
class SearchState:
    """A search: its trials by number, and how its sessions went."""

    search: str = ""
    search_id: str = ""
    max_epochs: int = 0
    chance_error: float = 100.0  # percent
    dataset: str = ""
    split_hash: str = ""
    trials: dict[int, TrialState] = field(default_factory=dict)
    configurations: dict[int, list[TrialState]] = field(
        default_factory=dict, repr=False
    )  # the trials of each so far, by repeat
    known: set[tuple[str, str]] = field(
        default_factory=set
    )  # (search_id, trial_id) of what other searches taught
    sessions: list[tuple[float, SearchStarted | SearchResumed]] = field(
        default_factory=list
    )  # how each began
    sources_read: set[str] = field(
        default_factory=set
    )  # of `search.warm_start`: all they taught is on record
    replaced: list[dict[str, Any]] = field(
        default_factory=list
    )  # of each change of the space on resume, `section.key` -> the value before it
    choice: Chosen | None = None  # of a confirmation; the first one stands
    chosen_at: float | None = None  # Unix seconds of that
    looks: list[Looked] = field(default_factory=list)  # of `search.stop_when`, since the space last changed
    exhausted: int | None = None  # configurations of a finite space that ran out
    ended: str | None = None  # reason of the last session's end; None while a session goes on
    spent: dict[str, Any] = field(default_factory=dict)  # epochs, hours, ...: by all sessions, at that end
    _side_by_side: SideBySide = field(default_factory=SideBySide)  # who trains beside whom
    _ended_seconds: float = 0.0  # of all sessions but the last
    _session: tuple[float, float] = (0.0, 0.0)  # Unix seconds of the last session's first and last event

    @property
    def space(self) -> dict[str, Any]:
        """The space of the last session, after --set and defaults; empty when an older version wrote the record."""
        return next((event.space for _, event in reversed(self.sessions) if event.space), {})

    @property
    def given(self) -> str:
        """The space file as given to the last session; empty when an older version wrote the record."""
        return next((event.given for _, event in reversed(self.sessions) if event.given), "")

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of the classes, by label; empty when an older version wrote the record."""
        told = (event.details.get("dataset", {}) for _, event in reversed(self.sessions))
        return next((tuple(map(str, each["class_names"])) for each in told if "class_names" in each), ())

    @property
    def all_at_chance(self) -> bool:
        """Whether every trial was stopped because its error could not be told from guessing."""
        trials = self.trials.values()
        return bool(trials) and all(trial.status == "stopped" and trial.at_chance for trial in trials)

    @property
    def seconds_spent(self) -> float:
        """Wall seconds of all sessions, each from its start to its last event."""
        return self._ended_seconds + self._session[1] - self._session[0]

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of all hyperparameters that any trial was proposed a value for."""
        return tuple(dict.fromkeys(name for trial in self.trials.values() for name in trial.hparams))

    def repeats_of(self, number: int) -> Sequence[TrialState]:
        """The trials of one configuration so far, trial `number` among them, by repeat."""
        return self.configurations[self.trials[number].configuration]

    def apply(self, time: float, event: Event) -> None:
        """Takes in one event.

        Raises:
            InputError: the event is about a trial that was never proposed, or proposals are out of order.
        """
        if isinstance(event, _SESSION_BEGINS):
            self._ended_seconds, self._session = self.seconds_spent, (time, time)
            self.sessions.append((time, event))
            self._side_by_side = SideBySide()
        elif time > self._session[1]:  # a clock that was set back must not shorten what was spent
            self._session = (self._session[0], time)
        if type(event) in _AFTER_SOURCES:
            self.sources_read |= _sources(self.space)
        match event:
            case Reported():  # the first case, as most events are
                self._apply_to_trial(time, event)
            case SearchStarted():
                self.search, self.search_id = event.search, event.search_id
                self.max_epochs, self.chance_error = event.max_epochs, event.chance_error
                self.dataset, self.split_hash = event.dataset, event.split_hash
            case SearchResumed():
                self.ended = None
                for trial in self.trials.values():
                    trial.rest_again()
                self.replaced += [event.was] if event.was else []
                if any(key.startswith(_ASKS) for key in event.changed):
                    self.looks = []
            case Known():
                self.known.add((event.source, event.trial_id))
            case Chosen():
                if self.choice is None:
                    self.choice, self.chosen_at = event, time
            case Looked():
                self.looks.append(event)
            case Exhausted():
                self.exhausted = event.configurations
            case SearchEnded():
                self.ended, self.spent = event.reason, event.spent
                if event.reason == EndReason.BUDGET:
                    self.end_rests()
            case Proposed():
                # A trial's row stands as it was first proposed.
                if event.number not in self.trials:
                    self._check_order(event)
                    trial = self.trials[event.number] = TrialState(**vars(event))
                    self.configurations.setdefault(event.configuration, []).append(trial)
            case _:
                self._apply_to_trial(time, event)

    def end_rests(self) -> None:
        """A budget is spent: what rests at a rung counts as stopped there until there is more of it."""
        for number in [number for number, trial in self.trials.items() if trial.is_paused]:
            for each in self.repeats_of(number):
                each.end_rest()

    def _check_order(self, event: Proposed) -> None:
        """Trials are numbered 0, 1, 2, ...; the repeats of a configuration follow each other from 0 on."""
        last = self.trials.get(event.number - 1)
        if event.repeat == 0:
            in_order = event.configuration > (-1 if last is None else last.configuration)
        else:
            place = (event.configuration, event.repeat - 1)
            in_order = last is not None and (last.configuration, last.repeat) == place
        if event.number != len(self.trials) or not in_order:
            text = f"proposals must follow each other, and this one must have number {len(self.trials)}"
            got = f"{event.number} (configuration {event.configuration}, repeat {event.repeat})"
            raise InputError.of("number", f"{text}, but got {got}")

    def _apply_to_trial(
        self,
        time: float,
        event: TrialEvent,
    ) -> None:
        trial = self.trials.get(event.number)
        if trial is None:
            raise InputError.of("number", f"a trial must be proposed first, but got {event}")
        match event:
            case Reported():
                _check_metrics(event)
                ended = time - event.ended_ago
                if trial.report(time, event) and not self._is_shared(trial, ended, event.metrics.seconds):
                    trial.alone.add(event.metrics.epoch)
                self._side_by_side.reported(trial.number, ended)
            case Started():
                trial.start(time, event)
                self._side_by_side.started(trial.number, time)
            case TestOpened():
                trial.test_opened.append(time)
            case Tested():
                trial.tested = trial.tested or event
            case Completed():
                trial.end(time, "completed")
            case Stopped():
                trial.at_chance |= event.at_chance and trial.status not in FINAL
                trial.end(time, "stopped", rung=event.rung)
            case Diverged():
                trial.end(time, "diverged", error=event.error)
            case Failed():
                # No searcher is told of a confirmation's trials.
                counts = event.out_of_memory and self.choice is None
                error = f"{event.error}\n{COUNTS_AS_CHANCE}" if counts else event.error
                trial.end(time, "failed", error=error, out_of_memory=event.out_of_memory)
            case Retried():
                trial.retries += trial.status not in FINAL and not event.gpu_fraction
                trial.above_share = max(trial.above_share, event.gpu_fraction)
                trial.above_bytes = max(trial.above_bytes, event.memory_bytes)
                trial.out_of_memory_tries += bool(event.gpu_fraction)
                trial.end(time, "interrupted", error=event.reason)
            case Paused():
                trial.pause(time, event)
            case Resumed():
                trial.is_paused = False
            case Interrupted():
                trial.end(time, "interrupted", error=event.reason)
            case Reopened():
                trial.reopen()
        if type(event) in _LEAVES_ITS_PLACE:
            self._side_by_side.left(trial.number, time)

    def _is_shared(self, trial: TrialState, time: float, seconds: float) -> bool:
        """Whether another trial trained on the device during an epoch of so many seconds that ended at `time`.

        A whole GPU is shared with nobody; which part of one, or which cores, the record does not say: then all that
        trained on the node count. An epoch from before this session, or longer than what was seen of it, counts too.
        """
        others = self._side_by_side.beside(trial.number, time - seconds)
        if others is None:
            return True
        if (trial.gpu_fraction or 0) >= 1:
            return False
        return any(self.trials[other].node in (trial.node, None) for other in others)


_NOT_BELOW_0 = (
    *("seconds", "images_per_second", "memory_bytes"),
    *("inference_ms", "inference_ms_64", "energy_kwh"),
)
_not_below_0 = attrgetter(*_NOT_BELOW_0)  # all at once: each report is looked at


def _check_metrics(event: Reported) -> None:
    """Sees to it that a report can have been measured.

    Raises:
        InputError: it can not.
    """
    metrics = event.metrics
    if not 1 <= metrics.epoch <= MOST_EPOCHS:
        text = f"must be 1 to {MOST_EPOCHS}, but got {metrics.epoch} (trial {event.number})"
        raise InputError.of("reported.epoch", text)
    for name, error in (("train_error", metrics.train_error), ("val_error", metrics.val_error)):
        if error is not None and not 0 <= error <= 100:
            raise InputError.of(
                f"reported.{name}", f"must be 0 to 100, but got {error} (trial {event.number})"
            )
    for place, value in enumerate((*_not_below_0(metrics), event.ended_ago)):
        if value is not None and value < 0:
            name = (*_NOT_BELOW_0, "ended_ago")[place]
            raise InputError.of(
                f"reported.{name}", f"must be at least 0, but got {value} (trial {event.number})"
            )


def _sources(space: dict[str, Any]) -> set[str]:
    """`search.warm_start` of a recorded space."""
    search = space.get("search")
    sources = search.get("warm_start") if isinstance(search, dict) else None
    return {str(source) for source in sources} if isinstance(sources, list) else set()


def fold(events: Iterable[TimedEvent]) -> SearchState:
    """The state after these events."""
    state = SearchState()
    for time, event in events:
        state.apply(time, event)
    return state
