"""Going on with a search: what has begun, what may be different from now on and what must stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wrn_search.errors import InputError, Problem
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.session.search_request import Request
from wrn_search.space.rules.broken_rule import spelled
from wrn_search.space.space import Space
from wrn_search.space.trials_of_other_spaces import hparams_within

# What must not change between the sessions of one search: its trials could no longer be compared, or be told apart.
MUST_STAY = (
    "name",
    "dataset.",
    "objectives",
    "search.repeats",
    "search.seed",
    "training.compile",
    "training.epochs",
    "training.lr_",
    "training.precision",
)
MAY_CHANGE_ALL_THE_SAME = ("dataset.root",)
SPACE = ("model.", "training.", "search.searcher")  # a change of these may make room for new configurations


@dataclass(frozen=True)
class Begun:
    """A search that is to be resumed."""

    state: SearchState
    changed: dict[str, Any]  # key of the space file -> its value from now on
    was: dict[str, Any]  # the same keys -> their values until now

    @property
    def has_another_space(self) -> bool:
        """Whether configurations can be proposed now that could not before."""
        return any(key.startswith(SPACE) for key in self.changed)


def begun_search(request: Request) -> Begun:
    """The search to resume, and what is to be different from now on.

    Raises:
        InputError: there is none, it is not the search that the space describes, or nothing is left to be done in
            another space.
    """
    directory = request.directory
    if not directory.exists():
        if directory.trials.exists():
            text = f"the record must be whole, but {directory.events} is missing or holds no event"
            raise InputError.of("--resume", f"{text}; the tables beside it can be read but not gone on with")
        text = f"a search must be there to be resumed, but {directory.path} holds none; start it without --resume"
        raise InputError.of("--resume", text)
    before = _flat(_resolved_document(directory.resolved))
    now = _flat(request.space.to_document())
    for key, default in _flat(
        Space(name=request.space.name, dataset=request.space.dataset).to_document()
    ).items():
        before.setdefault(key, default)  # keys that a later version brought
    different = [
        key for key in sorted(before.keys() | now.keys(), key=str) if before.get(key) != now.get(key)
    ]
    _check_comparable(request, different, before, now)
    changed, was = ({key: values.get(key) for key in different} for values in (now, before))
    begun = Begun(fold(read_events(directory.events)), changed, was)
    configurations = len(begun.state.trials) // request.space.search.repeats
    if begun.has_another_space and request.space.trials <= configurations:
        text = f"must be above the {configurations} configurations that the search has, to try another space"
        raise InputError.of("search.trials", f"{text}, but got {request.space.trials}")
    return begun


def _check_comparable(
    request: Request, different: Sequence[str], before: Mapping[str, Any], now: Mapping[str, Any]
) -> None:
    """Sees to it that old and new trials can stand in one table.

    Raises:
        InputError: naming each key that must stay what it was.
    """
    rule = "must stay what it was when a search is resumed, so that its trials can be compared"
    hint = f"; a new search can learn from this one: search.warm_start: [{request.directory.path}]"
    problems = [
        Problem(key, f"{rule}: {spelled(before.get(key))}, but got {spelled(now.get(key))}{hint}")
        for key in different
        if key.startswith(MUST_STAY) and key not in MAY_CHANGE_ALL_THE_SAME
    ]
    if problems:
        raise InputError(problems)


def configurations_outside(space: Space, state: SearchState) -> int:
    """How many configurations on record the space could not have proposed."""
    first = [trial for trial in state.trials.values() if trial.repeat == 0]
    return sum(hparams_within(space, trial.config) is None for trial in first)


def _resolved_document(path: Path) -> dict[str, Any]:
    """The space of a search that was begun.

    Raises:
        InputError: the file is gone or damaged.
    """
    rule = "--resume needs the search's space after --set and defaults"
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError.of("", f"{rule}, but it cannot be read: {error.strerror}", str(path)) from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError.of("", f"{rule}, but it is damaged", str(path))
    return document


def check_same_split(state: SearchState, split_hash: str) -> None:
    """A search that is resumed trains and validates on the same images, wherever they lie now.

    Raises:
        InputError: the split is another one.
    """
    if state.split_hash and state.split_hash != split_hash:  # early records did not hold it
        text = "the images must be those that the search began with"
        raise InputError.of("dataset", f"{text}: split {state.split_hash}, but got {split_hash}")


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """`section.key` -> value."""
    flat: dict[str, Any] = {}
    for name, section in document.items():
        if isinstance(section, dict):
            flat |= {f"{name}.{key}": value for key, value in section.items()}
        else:
            flat[name] = section
    return flat
