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
from wrn_search.results.s3_copy.object_store import ObjectStore, segment_name

SEGMENT_BYTES = 1 << 20
SECONDS_BETWEEN_UPLOADS = 30.0
_UPLOADED = ("search.yaml", "resolved.yaml", "manifest.json", "trials.parquet", "report.html")
_FOLDERS = ("epochs", "tensorboard", "confirm")


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
