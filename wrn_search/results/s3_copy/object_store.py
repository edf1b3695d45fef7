"""A folder of an object store (S3), and where a search lies in it: for machines that may go with their disks.

pyarrow's file systems were chosen because pyarrow is here anyway.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from wrn_search.errors import InputError

_SEGMENTS = "events"  # folder of the segments, each named by the place of its first byte
OWNER = ".owner.json"  # names the session that may write here


def is_address(results: str) -> bool:
    """Whether results are to lie in an object store."""
    return results.startswith("s3://")


def local_copy(address: str) -> Path:
    """Where the local half of a search in an object store lies: `results/` and the last part of its address.

    Raises:
        InputError: the address names no bucket, or no folder in it.
    """
    check_holds_no_secret(address)
    parts = urlsplit(address)
    name = parts.path.rstrip("/").rpartition("/")[2]
    if not parts.netloc or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise InputError.of("--results", f"must be s3://BUCKET/.../NAME, but got {address}")
    return Path("results") / name


def check_holds_no_secret(address: str) -> None:
    """Credentials do not stand in an address: it lands in the manifest, in shell histories and on screens.

    Raises:
        InputError: they do; says nothing of them.
    """
    scheme, separator, rest = address.partition("://")
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host_and_port = scheme.lower() != "s3" and re.fullmatch(r"[^@:]*:[0-9]+", place)
    secret_key = re.search(r"[?&](access|secret|session|aws)[_a-z-]*(key|token|id)=", rest, re.IGNORECASE)
    if separator and ((("@" in place or ":" in place) and not host_and_port) or secret_key):
        text = "an address must hold no credentials, but got some (not shown)"
        hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; and since a key on a command line "
        raise InputError.of("--results", f"{text}; {hint}may be in a shell's history, make a new one")


class ObjectStore:
    """A folder of an object store.

    Raises:
        InputError: the address cannot be understood.
    """

    def __init__(self, address: str):
        self.address = address
        try:
            self._files, self._root = fs.FileSystem.from_uri(address)
        except (pa.ArrowException, ValueError, OSError) as error:
            raise InputError.of(
                "--results", f"must be an address such as s3://BUCKET/NAME, but got: {error}"
            ) from None

    @property
    def root(self) -> str:
        """BUCKET/FOLDER."""
        return str(self._root)

    @property
    def region(self) -> str | None:
        """The one that pyarrow found for it."""
        return getattr(self._files, "region", None)

    def names(self, folder: str = "") -> list[str]:
        """Files below a folder, as paths relative to the root.

        Raises:
            OSError: the store does not answer.
        """
        below = fs.FileSelector(self._path(folder), recursive=True, allow_not_found=True)
        infos = self._files.get_file_info(below)
        return sorted(info.path[len(self._root) + 1 :] for info in infos if info.type == fs.FileType.File)

    def put(self, name: str, content: bytes) -> None:
        """Writes one object as a whole.

        Raises:
            OSError: it could not be stored.
        """
        with self._files.open_output_stream(self._path(name)) as stream:
            stream.write(content)

    def get(self, name: str) -> bytes:
        """The content of one object.

        Raises:
            OSError: it is not there, or the store does not answer.
        """
        with self._files.open_input_stream(self._path(name)) as stream:
            content: bytes = stream.read()
        return content

    def remove(self, name: str) -> None:
        """Removes one object; it may have gone already."""
        with contextlib.suppress(FileNotFoundError):
            self._files.delete_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else str(self._root)


def segment_name(first_byte: int) -> str:
    """Where the segment of the record that begins at a byte lies."""
    return f"{_SEGMENTS}/{first_byte:015d}.jsonl"


def holds_search(store: ObjectStore) -> bool:
    """Whether a search was begun there.

    Raises:
        InputError: the store does not answer, or does not let us in.
    """
    try:
        return segment_name(0) in store.names(_SEGMENTS)
    except OSError as error:
        text = "the object store must answer and let us in"
        raise InputError.of("--results", f"{text}, but got: {error} ({store.address})") from None
