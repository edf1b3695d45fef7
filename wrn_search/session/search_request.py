"""What a caller asks for, checked before anything starts: the space, the results directory, the machine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrn_search.decisions.trials_at_once import Allotment, allot
from wrn_search.errors import InputError
from wrn_search.hardware.machine import Node
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy.object_store import is_address, local_copy
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.domains import finite_values
from wrn_search.space.space import Space
from wrn_search.space.space_file import read_space, space_from_mapping
from wrn_search.space.yaml_with_lines import yaml_text
from wrn_search.user_paths import UnknownPath, expanded, results_root, user_path

SpaceLike = str | Path | Mapping[str, Any] | Space


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


def request_of(space: SpaceLike, overrides: Sequence[str], results: str | Path | None) -> Request:
    """The checked request.

    Raises:
        InputError: every problem of the space.
    """
    if isinstance(space, Space):
        space = space.to_document()
    if isinstance(space, Mapping):
        checked, text = space_from_mapping(space, overrides), yaml_text(space)
    else:
        file = user_path(space, "SPACE")
        checked, text = read_space(file, overrides), file.read_text(encoding="utf-8-sig")
    results = None if results is None else _expanded(results)
    address = _address(results)
    place = results_root() / local_copy(address).name if address else results or results_root() / checked.name
    return Request(_with_absolute_paths(checked), text, ResultsDirectory(place), address)


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
    return str(Path(path).absolute())


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
    learns = SEARCHERS[space.search.searcher].learns
    return allot(space.resources, nodes, space.trials, request.rows, learns)
