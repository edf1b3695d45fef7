"""A copy of a search in an object store (S3): for machines that may be taken away with their disks.

The record stays a local file, since no object store appends. Its bytes go up as segments of whole lines; a segment
that has reached `SEGMENT_BYTES` is closed and never written again, the last one is put anew as it grows. A checkpoint
goes up before the lines that rely on it. Everything but the segments is put under the name that it has locally, so
tables can be read in place (`pyarrow`, DuckDB). pyarrow's file systems were chosen because pyarrow is here anyway.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from wrn_search.results.directory import ResultsDirectory
from wrn_search.space.errors import InputError

SEGMENT_BYTES = 1 << 20
SECONDS_BETWEEN_UPLOADS = 30.0
_SEGMENTS = "events"  # folder of the segments, each named by the place of its first byte
_UPLOADED = ("search.yaml", "resolved.yaml", "manifest.json", "trials.parquet", "report.html")
_FOLDERS = ("epochs", "tensorboard", "confirm")
_SEGMENT_NAME = re.compile(r"[0-9]{15}\.jsonl")


def is_address(results: str) -> bool:
    """Whether results are to lie in an object store."""
    return results.startswith("s3://")


def local_copy(address: str) -> Path:
    """Where the local half of a search in an object store lies: `results/` and the last part of its address.

    Raises:
        InputError: the address names no bucket, or no folder in it.
    """
    parts = urlsplit(address)
    name = parts.path.rstrip("/").rpartition("/")[2]
    if not parts.netloc or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise InputError.of("--results", f"must be s3://BUCKET/.../NAME, but got {address}")
    return Path("results") / name


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


class Mirror:
    """Brings what changed in a results directory to an object store, in a thread of its own until `close`.

    A store that does not answer stops no search: the next round tries again, `close` tries a last time.

    Args:
        directory: the results directory.
        store: where the copy lies.
        tell: hears in words when uploads begin to fail and when they work again.
        seconds: between two rounds.

    Raises:
        OSError: the store does not answer.
    """

    def __init__(
        self,
        directory: ResultsDirectory,
        store: ObjectStore,
        tell: Callable[[str], None],
        seconds: float = SECONDS_BETWEEN_UPLOADS,
    ):
        self._directory = directory
        self._store = store
        self._tell = tell
        self._seconds = seconds
        self._seen: dict[str, tuple[int, int]] = {}  # name -> (size, mtime_ns) of what is up there
        self._closed_bytes = 0  # of the record, in closed segments
        self._open_bytes = 0  # of the record, in the last segment
        self._checkpoints = set(store.names("checkpoints"))
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The last round.

        Raises:
            OSError: something could not be stored.
        """
        self._ending.set()
        self._thread.join()
        self.upload()

    def upload(self) -> None:
        """One round: checkpoints, then the record up to where it was before them, then all that follows from it.

        Raises:
            OSError: something could not be stored.
        """
        record = self._directory.events.stat().st_size
        kept = self._upload_new("checkpoints")
        self._upload_record(record)
        for name in _UPLOADED:
            self._upload_if_new(self._directory.path / name)
        for folder in _FOLDERS:
            names = self._upload_new(folder)
            if folder == "epochs":
                self._remove_others(folder, names)
        for name in self._checkpoints - kept:
            self._store.remove(name)
        self._checkpoints = kept

    def _run(self) -> None:
        works = True
        while not self._ending.wait(self._seconds):
            try:
                self.upload()
            except OSError as error:
                if works:
                    self._tell(f"the copy at {self._store.address} falls behind, the search goes on: {error}")
                works = False
            else:
                if not works:
                    self._tell(f"the copy at {self._store.address} is up to date again")
                works = True

    def _upload_record(self, size: int) -> None:
        """The lines that are whole within the first `size` bytes."""
        with self._directory.events.open("rb") as file:
            while True:
                file.seek(self._closed_bytes)
                content = file.read(min(SEGMENT_BYTES, size - self._closed_bytes))
                content = content[: content.rfind(b"\n") + 1]
                is_closed = size - self._closed_bytes > SEGMENT_BYTES
                if len(content) > self._open_bytes or (is_closed and content):
                    self._store.put(segment_name(self._closed_bytes), content)
                    self._open_bytes = len(content)
                if not is_closed or not content:
                    return
                self._closed_bytes, self._open_bytes = self._closed_bytes + len(content), 0

    def _upload_new(self, folder: str) -> set[str]:
        """Uploads what is new or changed below a folder; returns the names of all that lies there."""
        names = set()
        for path in sorted((self._directory.path / folder).rglob("*")):
            if path.is_file() and not path.name.startswith(".") and path.suffix != ".partial":
                names.add(self._upload_if_new(path))
        return names

    def _upload_if_new(self, path: Path) -> str:
        name = path.relative_to(self._directory.path).as_posix()
        try:
            status = path.stat()
            stamp = (status.st_size, status.st_mtime_ns)
            if self._seen.get(name) != stamp:
                self._store.put(name, path.read_bytes())
                self._seen[name] = stamp
        except FileNotFoundError:
            pass  # not there yet, or gone in the meantime
        return name

    def _remove_others(self, folder: str, kept: set[str]) -> None:
        """Compaction makes one part of many: rows must not be there twice."""
        for name in set(self._store.names(folder)) - kept:
            self._store.remove(name)
            self._seen.pop(name, None)


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


def fetch(store: ObjectStore, directory: ResultsDirectory) -> None:
    """Makes the local half anew from what was uploaded, for a machine that never had it.

    Raises:
        InputError: the segments there do not fit together, or a name would lead out of the directory.
        OSError: the store does not answer, or the disk is full.
    """
    directory.path.mkdir(parents=True, exist_ok=True)
    for name in store.names():
        if not name.startswith(f"{_SEGMENTS}/"):
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
