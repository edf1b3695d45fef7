"""The copy of a search in an object store, from the check before it begins to the last upload after its end."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from wrn_search.errors import InputError
from wrn_search.file_system.exclusive_lock import held_by
from wrn_search.results.atomic_files import atomic_write_text
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy.fetch import check_continues, fetch
from wrn_search.results.s3_copy.object_store import ObjectStore, holds_search
from wrn_search.results.s3_copy.owner import CopyTakenOverError, Owner, claim, owner_of
from wrn_search.results.s3_copy.upload import Mirror

_CLAIM = ".copy.json"  # beside the results: where their copy lies, and the token of this side's claim on it


class CopyBehind(OSError):
    """The last upload failed: the results are whole, their copy is not."""


def ready_copy(address: str | None, directory: ResultsDirectory, resume: bool) -> Owner | None:
    """This session's claim on the copy at an address; what is only there is fetched when it is to go on.

    Raises:
        InputError: the store does not answer, holds a search that would be overwritten, or another one; or the search
            runs here.
        OSError: what is there could not be fetched.
    """
    if address is None:
        return None
    store = ObjectStore(address)
    there, here = holds_search(store), directory.exists()
    if there and not resume:
        text = f"results are never overwritten, but {address} holds a search"
        raise InputError.of("--results", f"{text}; go on with it with --resume, or name another")
    if not there and not here and resume:
        return Owner(store, "")  # whoever resumes is told that there is nothing
    if here and (holder := held_by(directory.events)) is not None:  # it must not lose its copy by our asking
        text = "one search at a time may write this record, but another one is running"
        raise InputError.of("", f"{text}: {holder}", str(directory.events))
    if there and here:
        check_continues(store, directory)
    try:
        is_ours = owner_of(store).get("token", "") == _claimed(directory).get("token")
        owner = claim(store)
    except OSError as error:
        text = "the object store must let us write"
        raise InputError.of("--results", f"{text}, but got: {error} ({store.address})") from None
    if there and not here:
        fetch(store, directory)
    elif there and not is_ours:  # its owner may have gone on until we claimed it
        check_continues(store, directory)
    return owner


@contextmanager
def looked_at(address: str | None, directory: ResultsDirectory, resume: bool) -> Iterator[ResultsDirectory]:
    """The results directory as a session would find it, for plans: claims nothing and writes nothing that stays.

    What is only in the copy is read into a temporary directory.

    Raises:
        InputError: see `ready_copy`.
        OSError: what is there cannot be read.
    """
    if address is None:
        yield directory
        return
    store = ObjectStore(address)
    there, here = holds_search(store), directory.exists()
    if there and not resume:
        raise InputError.of("--results", f"results are never overwritten, but {address} holds a search")
    if there and here:
        check_continues(store, directory)
    if here or not there:
        yield directory
        return
    with TemporaryDirectory() as folder:
        found = ResultsDirectory(folder)
        fetch(store, found, only=(found.resolved.name,))
        yield found


@contextmanager
def copied(directory: ResultsDirectory, owner: Owner | None) -> Iterator[None]:
    """Keeps the copy abreast while the block runs, and brings it up to the end.

    Raises:
        CopyBehind: the last upload failed, and nothing else did.
    """
    if owner is None:
        yield
        return
    claimed = {"address": owner.store.address, "token": owner.token}
    atomic_write_text(directory.path / _CLAIM, json.dumps(claimed) + "\n")
    mirror = Mirror(directory, owner.store, _tell, owner=owner)
    try:
        yield
    except BaseException:  # is what went wrong first; of the copy a line tells
        try:
            mirror.close()
        except OSError as error:
            _tell(_behind(directory, owner, error))
        raise
    try:
        mirror.close()
    except OSError as error:
        raise CopyBehind(_behind(directory, owner, error)) from error


@contextmanager
def copied_again(directory: ResultsDirectory) -> Iterator[None]:
    """The same for what comes after a search, such as a confirmation: brought to the copy that the search has, if any.

    A copy that does not answer, or went on elsewhere, is named on stderr and keeps nothing from running.
    """
    owner = claim_of(directory)
    try:
        if owner is not None:
            owner.check()
    except OSError as error:
        assert owner is not None
        _tell(f"the copy at {owner.store.address} is not brought up: {error}")
        owner = None
    with copied(directory, owner):
        yield


def add_to_copy(directory: ResultsDirectory, path: Path) -> None:
    """Puts a file of the results that came after their session beside the rest, if they have a copy.

    What keeps it out is named on stderr: the file itself is whole.
    """
    owner = claim_of(directory)
    if owner is None or not path.resolve().is_relative_to(directory.path.resolve()):
        return
    try:
        owner.check()
        owner.store.put(path.resolve().relative_to(directory.path.resolve()).as_posix(), path.read_bytes())
    except OSError as error:
        _tell(f"{path.name} is not in the copy at {owner.store.address}: {error}")


def claim_of(directory: ResultsDirectory) -> Owner | None:
    """The claim that the last session here had on a copy; None where there was none."""
    claimed = _claimed(directory)
    try:
        return Owner(ObjectStore(claimed["address"]), claimed["token"])
    except (KeyError, TypeError, InputError):
        return None


def _claimed(directory: ResultsDirectory) -> dict[str, str]:
    try:
        found = json.loads((directory.path / _CLAIM).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _behind(directory: ResultsDirectory, owner: Owner, error: OSError) -> str:
    text = f"the results are whole in {directory.path}, but not their copy at {owner.store.address}"
    if isinstance(error, CopyTakenOverError):
        return f"{text}, which is another's now: {error}"
    return f"{text}: {error}; --resume brings it up"


def _tell(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody may be listening
        print(text, file=sys.stderr, flush=True)
