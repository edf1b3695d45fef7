"""What a caller asks for, checked before anything starts: the space, the results directory, the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wrn_search.results.directory import ResultsDirectory
from wrn_search.results.record import read_events
from wrn_search.results.state import FINAL, SearchState, fold
from wrn_search.search.rungs import rungs_of
from wrn_search.search.sizing import Allotment, Node, allot, local_node
from wrn_search.space.definition import Space
from wrn_search.space.domains import finite_values
from wrn_search.space.errors import InputError, Problem
from wrn_search.space.explain import explanation, text_of
from wrn_search.space.leaves import spelled
from wrn_search.space.reader import read_space, space_from_mapping

SpaceLike = str | Path | Mapping[str, Any] | Space
ADAPTIVE_SEARCHERS = ("tpe",)
# What may change between the sessions of one search without making its trials incomparable.
MAY_CHANGE = (
    "description",
    "dataset.root",
    "resources.",
    "search.max_failed_share",
    "search.max_hours",
    "search.retries",
    "search.trial_timeout",
    "search.trials",
)


@dataclass(frozen=True)
class Request:
    """A search that was asked for."""

    space: Space
    space_text: str  # the space file as given
    directory: ResultsDirectory

    @property
    def rows(self) -> int:
        """Trials at most: configurations times repeats."""
        size = self.space.size
        configurations = self.space.trials if size is None else min(self.space.trials, size)
        return configurations * self.space.search.repeats


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
    if checked.dataset.root is not None:  # trial processes have working directories of their own
        root = str(Path(checked.dataset.root).expanduser().absolute())
        checked = checked.model_copy(update={"dataset": checked.dataset.model_copy(update={"root": root})})
    return Request(checked, text, ResultsDirectory(results or results_root() / checked.name))


def results_root() -> Path:
    """Where results directories lie: $WRN_SEARCH_RESULTS (shared storage of a cluster), else `results`."""
    return Path(os.environ.get("WRN_SEARCH_RESULTS") or "results").expanduser()


def resumable_state(request: Request) -> SearchState:
    """The state of the search to resume.

    Raises:
        InputError: there is none, or it is not the search that the space describes.
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
    rule = "must stay what it was when a search is resumed, so that its trials can be compared"
    problems = [
        Problem(key, f"{rule}: {spelled(before.get(key))}, but got {spelled(now.get(key))}")
        for key in sorted(before.keys() | now.keys(), key=str)
        if before.get(key) != now.get(key) and not str(key).startswith(MAY_CHANGE)
    ]
    if problems:
        raise InputError(problems)
    return fold(read_events(directory.events))


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
    except (UnicodeDecodeError, yaml.YAMLError):
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
    if resume:
        ended = sum(trial.status in FINAL for trial in resumable_state(request).trials.values())
        begun = f"{ended} trials have ended there"
    else:
        request.directory.check_new()
        begun = "new"
    presence = check_presence(request.space.dataset)
    nodes = [local_node()]
    if address is not None:
        from wrn_search.search.ray_session import ray_at

        with ray_at(address) as joined:
            nodes = joined
    allotment = allotment_of(request, nodes)
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    machines = "this machine" if address is None else f"{len(nodes)} nodes of the cluster at {address}"
    lines = [
        text_of(explanation(request.space, rungs_of(request.space))),
        f"images        {presence}",
        f"hardware      {machines}, {cpus} cores and {gpus} GPUs: {allotment.concurrent} trials at once, "
        f"each with {allotment.cpus_per_trial} threads and {allotment.gpus_per_trial:g} of a GPU",
        f"results       {request.directory.path} ({begun})",
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
