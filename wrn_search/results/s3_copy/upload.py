"""Uploading a search to an object store while it runs, in a thread of its own.

The record stays a local file, since no object store appends. Its bytes go up as segments of whole lines; a segment
that has reached `SEGMENT_BYTES` is closed and never written again, the last one is put anew as it grows. A checkpoint
goes up before the lines that rely on it. Everything but the segments is put under the name that it has locally, so
tables can be read in place (`pyarrow`, DuckDB).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy.conditional_put import ChangedMeanwhileError, put_if, tagged
from wrn_search.results.s3_copy.object_store import ObjectStore, segment_name
from wrn_search.results.s3_copy.owner import CopyTakenOverError, Owner

SEGMENT_BYTES = 1 << 20
SECONDS_BETWEEN_UPLOADS = 30.0
_BEFORE_THE_RECORD = (
    "search.yaml",
    "resolved.yaml",
    "manifest.json",
)  # without them it cannot be gone on with
_AFTER_IT = ("trials.parquet", "report.html")
_FOLDERS = ("epochs", "tensorboard", "logs", "confirm")
_STAYS_HERE = ("confirm/ray/",)


class Mirror:
    """Brings what changed in a results directory to an object store, in a thread of its own until `close`.

    A store that does not answer stops no search: the next round tries again, `close` tries a last time.

    Args:
        directory: the results directory.
        store: where the copy lies.
        tell: hears in words when uploads begin to fail and when they work again.
        seconds: between two rounds.
        owner: this session's claim on the copy; once another session has claimed it, nothing is written any more.

    Raises:
        OSError: the store does not answer.
    """

    def __init__(
        self,
        directory: ResultsDirectory,
        store: ObjectStore,
        tell: Callable[[str], None],
        seconds: float = SECONDS_BETWEEN_UPLOADS,
        owner: Owner | None = None,
    ):
        self._directory = directory
        self._store = store
        self._owner = owner
        self._tell = tell
        self._seconds = seconds
        self._seen: dict[str, tuple[int, int]] = {}  # name -> (size, mtime_ns) of what is up there
        self._closed_bytes = 0  # of the record, in closed segments
        self._open_bytes = 0  # of the record, in the last segment
        self._tags: dict[int, str] = {}  # first byte of a segment -> the entity tag that it has there
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
        """One round: space and checkpoints, the record up to where it was before them, then all that follows.

        What has gone here goes there last, after the line that freed it.

        Raises:
            CopyTakenOverError: another session has claimed the copy.
            OSError: something could not be stored.
        """
        gone = self._checkpoints - self._names_in(
            "checkpoints"
        )  # before the record: the line stands there by now
        record = self._directory.events.stat().st_size
        for name in _BEFORE_THE_RECORD:
            self._upload_if_new(self._directory.path / name)
        new = self._upload_new("checkpoints")
        self._upload_record(record)
        for name in _AFTER_IT:
            self._upload_if_new(self._directory.path / name)
        for folder in _FOLDERS:
            names = self._upload_new(folder)
            if (self._directory.path / folder).is_dir():
                self._remove_others(folder, names)
        for name in gone:
            self._remove(name)
        self._checkpoints = (self._checkpoints | new) - gone

    def _run(self) -> None:
        works = True
        while not self._ending.wait(self._seconds):
            try:
                self.upload()
            except CopyTakenOverError as error:
                hint = f"this search goes on without it, its results stay in {self._directory.path}"
                self._tell(f"the copy at {self._store.address} is another's now: {error}; {hint}")
                return
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
                    self._put_segment(self._closed_bytes, content)
                    self._open_bytes = len(content)
                if not is_closed or not content:
                    return
                self._closed_bytes, self._open_bytes = self._closed_bytes + len(content), 0

    def _put_segment(self, place: int, content: bytes) -> None:
        """Writes a segment of the record over the one that we know to be there, and over no other.

        A put that an older owner had under way when we claimed the copy thus comes before our first one, or not at
        all: at every moment the segments fit together.
        """
        name = segment_name(place)
        if self._owner is None:
            self._store.put(name, content)
            return
        self._owner.check()
        try:
            self._tags[place] = put_if(self._store, name, content, self._tags.get(place))
        except ChangedMeanwhileError:  # one of an earlier session, or an older owner's last one
            self._owner.check()
            found = tagged(self._store, name)
            if found is not None and found[0] == content:
                self._tags[place] = found[1]
            else:
                self._tags[place] = put_if(self._store, name, content, found[1] if found else None)

    def _names_in(self, folder: str) -> set[str]:
        """Names of what lies in a folder here and has, or is to have, its copy."""
        paths = sorted((self._directory.path / folder).rglob("*"))
        names = {path.relative_to(self._directory.path).as_posix() for path in paths if _counts(path)}
        return {name for name in names if not name.startswith(_STAYS_HERE)}

    def _upload_new(self, folder: str) -> set[str]:
        """Uploads what is new or changed below a folder; returns the names of all that lies there."""
        names = self._names_in(folder)
        for name in sorted(names):
            self._upload_if_new(self._directory.path / name)
        return names

    def _upload_if_new(self, path: Path) -> None:
        name = path.relative_to(self._directory.path).as_posix()
        try:
            status = path.stat()
            stamp = (status.st_size, status.st_mtime_ns)
            if self._seen.get(name) != stamp:
                self._put(name, path.read_bytes())
                self._seen[name] = stamp
        except FileNotFoundError:
            pass  # not there yet, or gone in the meantime

    def _remove_others(self, folder: str, kept: set[str]) -> None:
        """Compaction makes one part of many, a run that is written anew has another name: nothing is there twice."""
        for name in set(self._store.names(folder)) - kept:
            self._remove(name)

    def _put(self, name: str, content: bytes) -> None:
        if self._owner is not None:
            self._owner.check(strictly=False)
        self._store.put(name, content)

    def _remove(self, name: str) -> None:
        if self._owner is not None:
            self._owner.check()
        self._store.remove(name)
        self._seen.pop(name, None)


def _counts(path: Path) -> bool:
    """Whether a file is whole and one of the results."""
    return path.is_file() and not path.name.startswith(".") and path.suffix != ".partial"
