"""What a caller asks for, checked before anything starts: the space, the results directory, the machine."""

from __future__ import annotations

import copy
import platform
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrn_search.decisions.budget.most_trials import most_trials
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.memory_of_the_machine import MachineMemory, is_memory_known, machine_memory
from wrn_search.decisions.trials_at_once import Allotment, allot
from wrn_search.errors import InputError
from wrn_search.hardware.arithmetic_on_offer import arithmetic_here
from wrn_search.hardware.machine import Node
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy.object_store import check_holds_no_secret, is_address, local_copy
from wrn_search.results.state_from_events import SearchState
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.session.automatic_precision import resolved_precision
from wrn_search.session.watching.callbacks import EventCallback
from wrn_search.space.rules.starting_file import RANDOM
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_of
from wrn_search.space.yaml_with_lines import Source, read_source, with_override, yaml_text
from wrn_search.user_paths import UnknownPath, expanded, results_root, user_path

SpaceLike = str | Path | Mapping[str, Any] | Space


@dataclass(frozen=True)
class Request:
    """A search that was asked for."""

    space: Space
    space_text: str  # the space file as given
    directory: ResultsDirectory
    address: str | None = None  # of the copy in an object store
    on_end: tuple[str, ...] = ()  # what is run at the end: only what this session was told by its user
    outside: int = (
        0  # configurations on record that lie outside the space: an earlier session had another one
    )
    callbacks: tuple[EventCallback, ...] = ()  # hear each event of this session

    @property
    def rows(self) -> int:
        """Trials at most: configurations times repeats, as far as a budget in epochs pays for them."""
        return most_trials(self.space, self.outside)


@dataclass(frozen=True)
class Asked:
    """What a caller wrote, before it is checked as a search."""

    source: Source | None  # the space file; None where the search on record stands for it
    space_text: str  # as given; empty where the search on record stands for it
    default_name: str
    overrides: Sequence[str]
    directory: ResultsDirectory
    address: str | None  # of the copy in an object store


def request_of(space: SpaceLike, overrides: Sequence[str], results: str | Path | None) -> Request:
    """The checked request for a new search.

    Raises:
        InputError: every problem of the space.
    """
    source, text, default_name = _read(space)
    checked = space_of(source, overrides, default_name)
    directory, address = _place(results, checked.name)
    return Request(with_absolute_paths(checked), text, directory, address, checked.on_end)


def asked_to_resume(space: SpaceLike, overrides: Sequence[str], results: str | Path | None) -> Asked:
    """What is to be gone on with: a space file's search, or without a file the one in a results directory or copy.

    Raises:
        InputError: the file cannot be read, or two places are named.
    """
    if isinstance(space, str | Path) and (is_address(str(space)) or Path(space).is_dir()):
        if results is not None and str(results) != str(space):
            text = f"must be left out where SPACE is the results directory itself ({space})"
            raise InputError.of("--results", f"{text}, but got {results}")
        directory, address = _place(space, "")
        return Asked(None, "", "", overrides, directory, address)
    source, text, default_name = _read(space)
    named = source
    for assignment in overrides:
        named = with_override(named, assignment)
    if results is None:
        name = named.value.get("name", default_name)
        if not isinstance(name, str) or name != Path(name).name:  # the reader says what is wrong with it
            name = space_of(source, overrides, default_name).name
        results = results_root() / name
    directory, address = _place(results, "")
    return Asked(source, text, default_name, overrides, directory, address)


def _read(space: SpaceLike) -> tuple[Source, str, str]:
    """The document of a space, its text as given, and the name of a search that has none."""
    if isinstance(space, Space):
        space = space.to_document()
    if isinstance(space, Mapping):
        return Source(copy.deepcopy(dict(space))), yaml_text(space), "search"
    path = user_path(space, "SPACE")
    source = read_source(path)
    return source, path.read_text(encoding="utf-8-sig"), path.stem


def _place(results: str | Path | None, name: str) -> tuple[ResultsDirectory, str | None]:
    """The results directory, and the address of its copy."""
    results = None if results is None else _expanded(results)
    address = _address(results)
    place = results_root() / local_copy(address).name if address else results or results_root() / name
    return ResultsDirectory(place), address


def check_system() -> None:
    """Searches train in processes of Ray, and end them by signals.

    Raises:
        InputError: this system has no such signals: Windows.
    """
    if not hasattr(signal, "SIGUSR1"):
        text = f"a search must run on Linux or macOS, but got {platform.system()}"
        hint = "results can be read and reported here, too; Windows can run a search below WSL"
        raise InputError.of("", f"{text}; {hint}")


def _expanded(results: str | Path) -> str:
    """The directory or the address; text, as a path knows no `//`."""
    try:
        return expanded(str(results))
    except UnknownPath as error:
        raise InputError.of("--results", f"{error}, but got '{results}'") from None


def _address(results: str | Path | None) -> str | None:
    """The address of the copy in an object store, if results are to have one.

    Raises:
        InputError: no such store is known.
    """
    check_holds_no_secret(text := str(results))
    if is_address(text):
        return text
    if (scheme := re.match(r"([a-z][a-z0-9+.-]*)://", text, re.IGNORECASE)) is not None:
        rule = "must be a directory (for a cluster one that all nodes share) or s3://BUCKET/NAME"
        raise InputError.of("--results", f"{rule}, but got {text} ({scheme[1]}:// is not supported yet)")
    return None


def with_absolute_paths(space: Space) -> Space:
    """Trial processes, and the next session, may have other working directories.

    Raises:
        InputError: the file of `model.init_from` is not there, or does not fit.
    """
    dataset, search = space.dataset, space.search
    if dataset.root is not None:
        dataset = dataset.model_copy(update={"root": _absolute(dataset.root)})
    if search.warm_start:
        search = search.model_copy(
            update={"warm_start": tuple(_absolute(path) for path in search.warm_start)}
        )
    space = space.model_copy(update={"dataset": dataset, "search": search})
    if space.model.init_from == RANDOM:
        return space
    from wrn_search.pretrained.weights_of_a_space import with_known_weights  # torch: seconds

    return with_known_weights(space)


def _absolute(path: str) -> str:
    return str(Path(path).absolute())


def check_starting_weights(space: Space, image_shape: tuple[int, int, int] | None) -> None:
    """The file of `model.init_from` is of networks for such images, (H, W, C), as far as their shape is known.

    Raises:
        InputError: it is of networks for images of other channels.
    """
    if space.model.init_from == RANDOM or image_shape is None:
        return
    from wrn_search.pretrained.starting_weights import starting_weights
    from wrn_search.pretrained.weights_of_a_space import check_channels  # torch: seconds

    check_channels(starting_weights(space.model.init_from), image_shape)


def memory_of(
    space: Space, facts: DataFacts | None, nodes: Sequence[Node], state: SearchState | None = None
) -> MachineMemory | None:
    """What trials on CPUs take of the machines' memory; None where that, or the images, are not known.

    Args:
        space: the search.
        facts: of its images.
        nodes: the machines.
        state: of the search to resume, which keeps its precision.
    """
    if facts is None or not is_memory_known(nodes):
        return None
    # Only this machine tells its memory, so it is this one that trains.
    here = [arithmetic_here()]
    precision = resolved_precision(space.training.precision, facts.image_shape, 0.0, here, state)
    return machine_memory(space, facts, nodes, precision)


def allotment_of(request: Request, nodes: Sequence[Node], memory: MachineMemory | None = None) -> Allotment:
    """What the search takes of these nodes, and of their memory where that is known.

    Raises:
        InputError: they cannot give what `resources` asks for.
    """
    space = request.space
    searcher = SEARCHERS[space.search.searcher]
    allotment = allot(
        space.resources,
        nodes,
        space.trials_at_least,
        request.rows,
        searcher.learns,
        searcher.drawn_at_random,
        least_bytes=memory.least if memory else 0,
    )
    if "gpu_hours" in (space.search.budget or {}) and not allotment.gpus_per_trial:
        text = "gpu_hours must be spent on GPUs, but got machines without one: give hours, epochs or network_passes"
        raise InputError.of("search.budget", text)
    return allotment
