"""What a caller asks for, checked before anything starts: the space, the results directory, the machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from wrn_search.results.directory import ResultsDirectory
from wrn_search.results.mirror import is_address, local_copy
from wrn_search.results.record import read_events
from wrn_search.results.state import FINAL, SearchState, fold
from wrn_search.search.precision import resolved_precision
from wrn_search.search.rungs import rungs_of
from wrn_search.search.share_plan import trial_text
from wrn_search.search.sizing import Allotment, Node, allot, local_node
from wrn_search.search.storage import disk_text
from wrn_search.search.warm_start import read_sources
from wrn_search.space.definition import Space
from wrn_search.space.domains import finite_values
from wrn_search.space.errors import InputError, Problem
from wrn_search.space.explain import explanation, text_of
from wrn_search.space.leaves import spelled
from wrn_search.space.membership import hparams_within
from wrn_search.space.reader import read_space, space_from_mapping

SpaceLike = str | Path | Mapping[str, Any] | Space
ADAPTIVE_SEARCHERS = ("tpe",)
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
class Request:
    """A search that was asked for."""

    space: Space
    space_text: str  # the space file as given
    directory: ResultsDirectory
    address: str | None = None  # of the copy in an object store
    outside: int = (
        0  # configurations on record that lie outside the space: an earlier session had another one
    )

    @property
    def rows(self) -> int:
        """Trials at most: configurations times repeats."""
        size = self.space.size
        configurations = self.space.trials if size is None else min(self.space.trials, size + self.outside)
        return configurations * self.space.search.repeats


@dataclass(frozen=True)
class Begun:
    """A search that is to be resumed."""

    state: SearchState
    changed: dict[str, Any]  # key of the space file -> its value from now on

    @property
    def has_another_space(self) -> bool:
        """Whether configurations can be proposed now that could not before."""
        return any(key.startswith(SPACE) for key in self.changed)


def request_of(space: SpaceLike, overrides: Sequence[str], results: str | Path | None) -> Request:
    """The checked request.

    Raises:
        InputError: every problem of the space.
    """
    if isinstance(space, Space):
        space = space.to_document()
    if isinstance(space, Mapping):
        checked, text = space_from_mapping(space, overrides), yaml.safe_dump(dict(space), sort_keys=False)
    else:
        checked, text = read_space(space, overrides), Path(space).read_text(encoding="utf-8-sig")
    address = _address(results)
    place = results_root() / local_copy(address).name if address else results or results_root() / checked.name
    return Request(_with_absolute_paths(checked), text, ResultsDirectory(place), address)


def results_root() -> Path:
    """Where results directories lie: $WRN_SEARCH_RESULTS (shared storage of a cluster), else `results`."""
    return Path(os.environ.get("WRN_SEARCH_RESULTS") or "results").expanduser()


def _address(results: str | Path | None) -> str | None:
    """The address of the copy in an object store, if results are to have one.

    Raises:
        InputError: no such store is known.
    """
    if is_address(text := str(results)):
        return text
    if (scheme := re.match(r"([a-z][a-z0-9+.-]*)://", text, re.IGNORECASE)) is not None:
        rule = "must be a directory (for a cluster one that all nodes share) or s3://BUCKET/NAME"
        raise InputError.of("--results", f"{rule}, but got {text} ({scheme[1]}:// is not supported yet)")
    return None


def _with_absolute_paths(space: Space) -> Space:
    """Trial processes, and the next session, may have other working directories."""
    dataset, search = space.dataset, space.search
    if dataset.root is not None:
        dataset = dataset.model_copy(update={"root": _absolute(dataset.root)})
    if search.warm_start:
        search = search.model_copy(
            update={"warm_start": tuple(_absolute(path) for path in search.warm_start)}
        )
    return space.model_copy(update={"dataset": dataset, "search": search})


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


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
    begun = Begun(fold(read_events(directory.events)), {key: now.get(key) for key in different})
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


def check_batch_size(space: Space, train_images: int) -> None:
    """A step must not take more images than there are.

    Raises:
        InputError: the largest batch size of the space is larger than the training split.
    """
    largest = max(int(value) for value in finite_values(space.training.batch_size) or ())
    if largest > train_images:
        text = f"batch_size must be at most the {train_images} images that are trained on, but got {largest}"
        raise InputError.of("training.batch_size", text)


def allotment_of(request: Request, nodes: Sequence[Node]) -> Allotment:
    """What the search takes of these nodes.

    Raises:
        InputError: they cannot give what `resources` asks for.
    """
    space = request.space
    adaptive = space.search.searcher in ADAPTIVE_SEARCHERS
    return allot(space.resources, nodes, space.trials, request.rows, adaptive)


def dry_run(
    space: SpaceLike,
    *,
    overrides: Sequence[str] = (),
    results: str | Path | None = None,
    resume: bool = False,
    address: str | None = None,
) -> str:
    """The plan of a search in words; looks for the data and the hardware, starts no Ray and writes nothing.

    With `address` the hardware is that of the Ray cluster there.

    Raises:
        InputError: bad input or options, missing data, or a request that this machine cannot meet.
    """
    from wrn_search.training.preparation import check_presence

    request = request_of(space, overrides, results)
    changes: list[str] = []
    if resume:
        begun = begun_search(request)
        request = replace(request, outside=configurations_outside(request.space, begun.state))
        ended = sum(trial.status in FINAL for trial in begun.state.trials.values())
        where = f"{ended} trials have ended there"
        changes = [f"changed       {key}: {spelled(value)}" for key, value in begun.changed.items()]
    else:
        request.directory.check_new()
        where = "new"
    read_sources(request.space.search.warm_start, request.directory.path)
    presence = check_presence(request.space.dataset)
    nodes = [local_node()]
    if address is not None:
        from wrn_search.search.ray_session import ray_at

        with ray_at(address) as joined:
            nodes = joined
    allotment = allotment_of(request, nodes)
    shape = request.space.dataset.facts.image_shape or (0, 0, 0)
    precision = resolved_precision(request.space.training.precision, shape, allotment.gpus_per_trial)
    each, shares = trial_text(request.space, nodes, allotment, precision)
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    machines = "this machine" if address is None else f"{len(nodes)} nodes of the cluster at {address}"
    lines = [
        text_of(explanation(request.space, rungs_of(request.space))),
        f"images        {presence}",
        f"hardware      {machines}, {cpus} cores and {gpus} GPUs: "
        f"{allotment.concurrent} trials at once{' at most' if allotment.by_memory else ''}, each with {each}",
        *shares,
        f"results       {request.directory.path} ({where})",
        *([f"copy          {request.address}"] if request.address else []),
        f"disk          {disk_text(request.space, allotment.concurrent, request.rows)}",
        *changes,
        "Dry run: nothing was started or written.",
    ]
    return "\n".join(lines)


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """`section.key` -> value."""
    flat: dict[str, Any] = {}
    for name, section in document.items():
        if isinstance(section, dict):
            flat |= {f"{name}.{key}": value for key, value in section.items()}
        else:
            flat[name] = section
    return flat
