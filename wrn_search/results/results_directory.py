"""The results directory of one search: where each file lies, and how a new one begins."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from wrn_search.errors import InputError
from wrn_search.file_system.exclusive_lock import ExclusiveLock
from wrn_search.file_system.lease import HeldError, hidden_beside
from wrn_search.file_system.write_probe import PROBE
from wrn_search.results.atomic_files import is_leftover, leftovers

# Says that a start is under way, and is locked by it: before the first event, these files beside it are ours and may
# be cleared by the next start.
_STARTING = ".starting"
_FILES = (
    "events.jsonl",
    "search.yaml",
    "resolved.yaml",
    "manifest.json",
    "trials.parquet",
    "epochs",
    "report.html",
    "verdict.json",
    "tensorboard",
    "checkpoints",
    "logs",
    "ray",
)


_LOCKED = (_STARTING, "events.jsonl")


class ResultsDirectory:
    """The files of one search. Making one touches nothing; `create` does."""

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self._starting: int | None = None  # descriptor of the locked file while a start is under way
        self._start_lock: ExclusiveLock | None = None

    @property
    def events(self) -> Path:
        """The record; everything else follows from it."""
        return self.path / "events.jsonl"

    @property
    def starting(self) -> Path:
        """Is there, and locked, while a start is under way that has not written its first event."""
        return self.path / _STARTING

    @property
    def space_file(self) -> Path:
        """The space file as given."""
        return self.path / "search.yaml"

    @property
    def resolved(self) -> Path:
        """The space after `--set` and defaults."""
        return self.path / "resolved.yaml"

    @property
    def manifest(self) -> Path:
        """Versions, hardware and command line."""
        return self.path / "manifest.json"

    @property
    def trials(self) -> Path:
        """One row a trial."""
        return self.path / "trials.parquet"

    @property
    def epochs(self) -> Path:
        """The folder of part files with one row a trial and epoch."""
        return self.path / "epochs"

    @property
    def report(self) -> Path:
        """The page that answers the search's question."""
        return self.path / "report.html"

    @property
    def verdict(self) -> Path:
        """The last verdict, so far or of a report, for those who ask how the search stands."""
        return self.path / "verdict.json"

    @property
    def tensorboard(self) -> Path:
        """The folder of TensorBoard runs."""
        return self.path / "tensorboard"

    @property
    def checkpoints(self) -> Path:
        """The folder of what trials need to go on."""
        return self.path / "checkpoints"

    @property
    def logs(self) -> Path:
        """The folder of whole traces of trials that failed, a file each."""
        return self.path / "logs"

    @property
    def confirmation(self) -> ResultsDirectory:
        """The results directory of the finalists that `confirm` retrains."""
        return ResultsDirectory(self.path / "confirm")

    @property
    def audit(self) -> ResultsDirectory:
        """The results directory of the stopped trials that `audit` trains to their end."""
        return ResultsDirectory(self.path / "audit")

    @property
    def ray(self) -> Path:
        """Scratch of Ray Tune; may be deleted."""
        return self.path / "ray"

    def exists(self) -> bool:
        """Whether a search was started here: its record holds an event."""
        try:
            with self.events.open("rb") as file:
                return file.readline().endswith(b"\n")
        except OSError:
            return False

    @property
    def place(self) -> str:
        """The same for every way to write the path; for one that leads nowhere too."""
        return os.path.realpath(self.path)

    def as_unreadable(self) -> str:
        """For the end of a message that no search is here: a file, or that nobody can look; empty where one can."""
        try:
            self.events.stat()
        except NotADirectoryError:
            around = self.path.parent
            hint = f" (name its directory {around})" if ResultsDirectory(around).exists() else ""
            return f", as it is a file{hint}" if self.path.is_file() else ""
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f", as it cannot be read ({error.strerror})"
        return "" if os.access(self.events, os.R_OK) else f", as its {self.events.name} cannot be read"

    def check_is_there(self) -> None:
        """Sees to it that there is a directory.

        Raises:
            InputError: there is none, or a file, or nobody can look.
        """
        if unreadable := self.as_unreadable():
            text = f"must be a results directory, but {unreadable.removeprefix(', as ')}"
            raise InputError.of("", text, str(self.path))
        if not self.path.is_dir():
            text = "must be a results directory, but there is no such directory"
            raise InputError.of("", text, str(self.path))

    def why_none(self) -> str:
        """What is there instead of a search, for the end of a message: `but there is nothing`."""
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return "but there is nothing"
        except OSError as error:
            return f"but it cannot be read: {error.strerror}"
        if not stat.S_ISDIR(mode):
            return "but it is a file"
        try:
            with self.events.open("rb") as file:
                empty = not file.readline()
        except FileNotFoundError:
            return f"but it is a folder without {self.events.name}"
        except OSError as error:
            return f"but its {self.events.name} cannot be read: {error.strerror}"
        return f"but its {self.events.name} {'is empty' if empty else 'holds no whole event'}"

    def check_new(self) -> None:
        """Sees to it that a search can begin here and that nothing is overwritten. Touches nothing.

        Raises:
            InputError: there is something in the way, or no directory can be made here.
        """
        try:
            parent = next(folder for folder in self.path.absolute().parents if folder.exists())
            in_the_way = self.path.exists() and not self._is_failed_start() and not self._is_empty_folder()
        except OSError as error:
            text = f"must be a path at which a directory can be made, but got: {error.strerror} ({self.path})"
            raise InputError.of("--results", text) from None
        if self.path.is_symlink() and not self.path.exists():
            text = f"must be a path at which a directory can be made, but {self.path} is a link that leads nowhere"
            raise InputError.of("--results", text)
        if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
            text = f"must be below a directory that can be written, but {parent} is none ({self.path})"
            raise InputError.of("--results", text)
        if in_the_way and self.exists():
            text = f"results are never overwritten, but {self.path} exists and holds a search"
            hint = "go on with it with --resume, or name another with --results DIR"
            raise InputError.of("--results", f"{text}; {hint}")
        if in_the_way:
            text = f"must be a new or an empty directory, but {self.path} exists and holds something else"
            raise InputError.of(
                "--results", f"{text}; name another with --results DIR (--resume is for searches)"
            )

    def create(self) -> None:
        """Makes the directory. What an earlier start left that died before its first event is cleared.

        Raises:
            InputError: see `check_new`, another search starts here, or the directory cannot be made or written.
        """
        self.check_new()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock_start()
            if self.exists():  # another start was faster
                self.started()
                self.check_new()
            self._clear()
        except HeldError as held:
            text = f"one search at a time may start in a directory, but another one starts in {self.path}"
            raise InputError.of("--results", f"{text}: {held}") from None
        except OSError as error:
            text = (
                f"must be a directory that can be made and written, but got: {error.strerror} ({self.path})"
            )
            raise InputError.of("--results", text) from None

    def _is_failed_start(self) -> bool:
        """Whether a start died here before its first event, and nobody has put files of his own here."""
        if not (self.path / _STARTING).exists() or self.exists():
            return False
        return all(_is_ours(path.name) for path in self.path.iterdir())

    def _is_empty_folder(self) -> bool:
        """Whether nothing is there, but for what a check of the nodes left that was killed."""
        return self.path.is_dir() and all(path.name.startswith(PROBE) for path in self.path.iterdir())

    def started(self) -> None:
        """Call it once the record holds the first event: from now on nothing here is cleared."""
        (self.path / _STARTING).unlink(missing_ok=True)
        if self._starting is not None:
            if self._start_lock is not None:
                self._start_lock.release()
            os.close(self._starting)
            self._starting = self._start_lock = None

    def _lock_start(self) -> None:
        """Locks the file that says that a start is under way.

        Raises:
            HeldError: another process has locked it.
        """
        path = self.path / _STARTING
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._start_lock = ExclusiveLock.take(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._starting = descriptor

    def _clear(self) -> None:
        """Removes the files of a failed start, and only those that have a place here."""
        for path in (self.path / name for name in _FILES):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            for leftover in leftovers(path):
                leftover.unlink(missing_ok=True)
        for probe in self.path.glob(f"{PROBE}*"):
            probe.unlink(missing_ok=True)


def _is_ours(name: str) -> bool:
    """Whether a start that dies before its first event may have made a file of this name."""
    locks = (hidden_beside(Path(each), kind).name for each in _LOCKED for kind in ("holder", "lease-"))
    return (
        name in (_STARTING, *_FILES)
        or name.startswith((PROBE, *locks))
        or any(is_leftover(name, each) for each in _FILES)
    )
