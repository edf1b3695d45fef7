"""The copy of a search in an object store, from the check before it begins to the last upload after its end."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from wrn_search.errors import InputError
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy.fetch import check_continues, fetch
from wrn_search.results.s3_copy.object_store import ObjectStore, holds_search
from wrn_search.results.s3_copy.upload import Mirror


class CopyBehind(OSError):
    """The last upload failed: the results are whole, their copy is not."""


def ready_copy(address: str | None, directory: ResultsDirectory, resume: bool) -> ObjectStore | None:
    """The object store at an address, looked into; what is only there is fetched when it is to go on.

    Raises:
        InputError: the store does not answer, holds a search that would be overwritten, or another one.
        OSError: what is there could not be fetched.
    """
    if address is None:
        return None
    store = ObjectStore(address)
    there, here = holds_search(store), directory.exists()
    if there and not resume:
        text = f"results are never overwritten, but {address} holds a search"
        raise InputError.of("--results", f"{text}; go on with it with --resume, or name another")
    if there and here:
        check_continues(store, directory)
    elif there:
        fetch(store, directory)
    return store


@contextmanager
def copied(directory: ResultsDirectory, store: ObjectStore | None) -> Iterator[None]:
    """Keeps the copy abreast while the block runs, and brings it up to the end.

    Raises:
        CopyBehind: the last upload failed.
    """
    if store is None:
        yield
        return
    mirror = Mirror(directory, store, _tell)
    try:
        yield
    finally:
        try:
            mirror.close()
        except OSError as error:
            text = f"the results are whole in {directory.path}, but not their copy at {store.address}"
            raise CopyBehind(f"{text}: {error}; --resume brings it up") from error


def _tell(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody may be listening
        print(text, file=sys.stderr, flush=True)
