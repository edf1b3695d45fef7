"""Going on with a search: what has begun, and what is different from now on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError, Problem
from wrn_search.images.checks_of_images import same_split
from wrn_search.lines_on_stderr import tell
from wrn_search.results.events_jsonl import WholeLines, read_whole_lines
from wrn_search.results.space_on_record import recorded_file, recorded_space
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_state import FINAL
from wrn_search.session.search_request import Asked, Request, with_absolute_paths
from wrn_search.session.space_of_a_resumed_search import check_comparable, edited
from wrn_search.space.rules.broken_rule import got, spelled
from wrn_search.space.rules.starting_file import same_file
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_of
from wrn_search.space.trials_of_other_spaces import hparams_within
from wrn_search.space.yaml_with_lines import yaml_text

# A change of these may make room for new configurations.
SPACE = ("model.", "training.", "constraints.", "search.searcher", "search.points")


@dataclass(frozen=True)
class Begun:
    """A search that is to be resumed."""

    state: SearchState
    changed: dict[str, Any]  # key of the space file -> its value from now on
    before: Mapping[str, Any] = field(default_factory=dict)  # the same keys -> their values until now
    sources: tuple[str, ...] = ()  # of `search.warm_start`, those that must still be read
    retry_failed: bool = False  # trials that failed are tried again
    read: WholeLines | None = None  # what the record held

    def let_go(self) -> None:
        """Frees the trials: from here on the session has a state of its own."""
        if self.read is not None:
            self.state.trials.clear()

    @property
    def reopened(self) -> list[int]:
        """Numbers of the failed trials that are tried again."""
        if not self.retry_failed:
            return []
        return [trial.number for trial in self.state.trials.values() if trial.status == "failed"]

    @property
    def changes(self) -> list[str]:
        """Every change in words."""
        return [
            f"{key}: {spelled(value)} (until now {spelled(self.before.get(key))})"
            for key, value in self.changed.items()
        ]

    @property
    def has_another_space(self) -> bool:
        """Whether configurations can be proposed now that could not before."""
        return any(key.startswith(SPACE) for key in self.changed)


def resumed_search(asked: Asked, retry_failed: bool = False) -> tuple[Request, Begun]:
    """The search to resume, and what is to be different from now on.

    Raises:
        InputError: there is none, what is asked for cannot be compared with it, or nothing is left to be done in
            another space.
    """
    directory = asked.directory
    if not directory.exists():
        if directory.trials.exists():
            text = f"the record must be whole, but {directory.events} is missing or holds no event"
            raise InputError.of("--resume", f"{text}; the tables beside it can be read but not gone on with")
        text = f"a search must be there to be resumed, but {directory.path} holds none"
        text += directory.as_unreadable() or "; start it without --resume"
        raise InputError.of("--resume", text)
    read = read_whole_lines(directory.events)
    state = fold(read.events)
    if state.choice is not None:
        text = f"must be a search, but {directory.path} is that of a confirmation"
        raise InputError.of("--resume", f"{text}; the command `confirm` goes on with it")
    recorded = recorded_space(directory, state)
    source = edited(recorded, recorded_file(directory, state), asked.source)
    space = with_absolute_paths(
        space_of(source, asked.overrides, str(recorded.get("name", "")), on_record=True)
    )
    outside = configurations_outside(space, state)
    text = asked.space_text or state.given or yaml_text(recorded)
    request = Request(space, text, directory, asked.address, _on_end(asked, space), outside)
    return request, replace(_begun(request, state, recorded), retry_failed=retry_failed, read=read)


def _on_end(asked: Asked, space: Space) -> tuple[str, ...]:
    """The command of this session's file or --set; one that only the record names is told: it may be a stranger's."""
    named = asked.source is not None and "on_end" in asked.source.value
    if named or any(each.partition("=")[0].strip() == "on_end" for each in asked.overrides):
        return space.on_end
    if space.on_end:
        tell("on_end stands in the record alone, and is not run: name the space file, or --set on_end=[...]")
    return ()


def _begun(request: Request, state: SearchState, recorded: Mapping[str, Any]) -> Begun:
    """What differs between the recorded space and the one that is asked for now.

    Raises:
        InputError: see `resumed_search`.
    """
    before, now = _flat(recorded), _flat(request.space.to_document())
    for key, default in _flat(
        Space(name=request.space.name, dataset=request.space.dataset).to_document()
    ).items():
        if key in now:
            before.setdefault(key, default)  # keys that a later version brought
    different = [
        key
        for key in sorted(before.keys() | now.keys(), key=str)
        if not same_file(before.get(key), now.get(key))
    ]
    check_comparable(request.directory.path, different, before, now)
    begun = Begun(
        state,
        {key: now.get(key) for key in different},
        {key: before.get(key) for key in different},
        sources=_sources_to_read(request.space, state, before),
    )
    if "search.budget" in begun.changed:
        _check_something_is_left(request.space.search.budget or {}, state)
    configurations = len(state.trials) // request.space.search.repeats
    if begun.has_another_space and request.space.trials <= configurations:
        text = f"must be above the {configurations} configurations that the search has, to try another space"
        raise InputError.of("search.trials", f"{text}, but got {request.space.trials}")
    return begun


def _check_something_is_left(budget: Mapping[str, float], state: SearchState) -> None:
    """Sees to it that another budget is larger than what is spent.

    Raises:
        InputError: it is not.
    """
    epochs = sum(trial.epochs_done for trial in state.trials.values())
    spent = {**state.spent, "epochs": epochs, "hours": state.seconds_spent / 3600}
    problems = [
        Problem("search.budget", f"{name} must be above the {spent[name]:.6g} that are spent, {got(most)}")
        for name, most in budget.items()
        if name in spent and most <= spent[name]
    ]
    if problems:
        raise InputError(problems)


def _sources_to_read(space: Space, state: SearchState, before: Mapping[str, Any]) -> tuple[str, ...]:
    """Of `search.warm_start` those that have not taught all yet: what the others taught is on record."""
    read = set(state.sources_read)
    if not state.space and state.trials:  # an older record: its trials came after all that the sources taught
        read |= set(before.get("search.warm_start") or ())
    return tuple(source for source in space.search.warm_start if source not in read)


def configurations_outside(space: Space, state: SearchState) -> int:
    """How many configurations on record the space could not have proposed."""
    first = [trial for trial in state.trials.values() if trial.repeat == 0]
    return sum(hparams_within(space, trial.config) is None for trial in first)


# Keys that change nothing of what is trained: another one is no reason to begin a session.
_ASK_NOTHING = frozenset({"on_end", "description"})


def is_whole(request: Request, begun: Begun) -> bool:
    """Whether a search has all the trials that are asked for, each at its end, or ended and no more is asked for."""
    state = begun.state
    asks_nothing = begun.changed.keys() <= _ASK_NOTHING and not begun.reopened
    if state.ended in (EndReason.DECIDED, EndReason.BUDGET, EndReason.MAX_HOURS) and asks_nothing:
        return True
    if begun.reopened or any(trial.status not in FINAL for trial in state.trials.values()):
        return False
    if state.ended == EndReason.EXHAUSTED and not begun.has_another_space:
        return True
    return state.ended == EndReason.FINISHED and len(state.trials) >= request.rows


def check_same_split(state: SearchState, split_hash: str) -> None:
    """A search that is resumed trains and validates on the same images, wherever they lie now.

    Raises:
        InputError: the split is another one.
    """
    if state.split_hash and not same_split(state.split_hash, split_hash):  # early records did not hold it
        text = "the images must be those that the search began with"
        now, before = split_hash.partition("-")[0], state.split_hash.partition("-")[0]
        other = " (the same labels, but other pixels)" if now == before else ""
        raise InputError.of("dataset", f"{text}: split {state.split_hash}, but got {split_hash}{other}")


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """`section.key` -> value."""
    flat: dict[str, Any] = {}
    for name, section in document.items():
        if isinstance(section, dict):
            flat |= {f"{name}.{key}": value for key, value in section.items()}
        else:
            flat[name] = section
    return flat
