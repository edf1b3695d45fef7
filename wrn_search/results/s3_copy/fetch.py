"""Fetching a search from an object store, and whether the local record goes on where the copy ends."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from wrn_search.errors import InputError
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy.object_store import _SEGMENTS, OWNER, ObjectStore, segment_name

_SEGMENT_NAME = re.compile(r"[0-9]{15}\.jsonl")


def fetch(store: ObjectStore, directory: ResultsDirectory, only: Collection[str] | None = None) -> None:
    """Makes the local half anew from what was uploaded, for a machine that never had it.

    Args:
        store: where the copy lies.
        directory: the local half.
        only: names of what is wanted beside the record; default all.

    Raises:
        InputError: the segments there do not fit together, or a name would lead out of the directory.
        OSError: the store does not answer, or the disk is full.
    """
    directory.path.mkdir(parents=True, exist_ok=True)
    for name in store.names():
        if not name.startswith(f"{_SEGMENTS}/") and name != OWNER and (only is None or name in only):
            target = _inside(directory.path, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store.get(name))
    # Last, because a results directory with a record is a search: a fetch that was broken off is begun again.
    temporary = directory.events.with_name(f".{directory.events.name}.tmp")
    with temporary.open("wb") as file:
        for content in _segments(store):
            file.write(content)
    temporary.replace(directory.events)


def check_continues(store: ObjectStore, directory: ResultsDirectory) -> None:
    """Sees to it that the copy holds nothing that the local record lacks: else another machine went on with it.

    Raises:
        InputError: it does, or the store does not answer.
    """
    try:
        with directory.events.open("rb") as file:
            for content in _segments(store):
                if file.read(len(content)) != content:
                    text = f"the record in {directory.path} must go on where the copy ends, but it is another one"
                    hint = "was it gone on with elsewhere? move the local directory away to take the copy"
                    raise InputError.of("--results", f"{text} ({store.address}; {hint})")
    except OSError as error:
        raise InputError.of("--results", f"the copy must be readable, but got: {error}") from None


def _segments(store: ObjectStore) -> Iterator[bytes]:
    place = 0
    for name in store.names(_SEGMENTS):
        if not _SEGMENT_NAME.fullmatch(name.rpartition("/")[2]):
            continue
        if name != segment_name(place):
            rule = "the record's segments must follow each other"
            raise InputError.of("--results", f"{rule}, but byte {place} is missing ({store.address}/{name})")
        content = store.get(name)
        yield content
        place += len(content)


def _inside(folder: Path, name: str) -> Path:
    """The local path of an object; its name may come from a stranger."""
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise InputError.of("--results", f"names must lie below the results directory, but got {name}")
    return folder / name
