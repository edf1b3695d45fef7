"""Disks that are full, read-only or gone. They are real: a small tmpfs and a read-only mount, made by root."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.comparing import Verdict, check_readable, verdict
from tests.faults.harness import ADAPTIVE, Search, times
from wrn_search.results.table_reader import read_tables

Judge = Callable[[Verdict], None]


def mounted(*arguments: str) -> bool:
    """Whether `mount` did it."""
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB."""
    folder = tmp_path / "search" / "disk"
    folder.mkdir(parents=True)
    if not mounted("-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)):
        pytest.skip("only root can mount a small disk; a slow test fills one by way of /dev/full")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leaves no room."""
    with contextlib.suppress(OSError), (disk / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def test_a_full_disk(disk: Path, adaptive: Path, kills: int, seed: int, judge: Judge) -> None:
    """At random moments; what fails first may be a checkpoint, the record, a table or a TensorBoard file."""
    generator = random.Random(f"full disk {seed}")
    search = Search(disk.parent, ADAPTIVE, name="disk/out")
    for _ in range(times(kills)):
        search.start()
        if not search.wait_for_moment(generator, start=0.0):
            break
        fill(disk)
        search.strikes.append(time.time())
        while search.session.poll() is None:
            fill(disk)  # what the search clears away is taken too
            time.sleep(0.2)
        assert_stopped(search, "No space left on device")
        (disk / "filler").unlink()
    search.finish()
    judge(verdict("disk full", adaptive, [search]))


def assert_stopped(search: Search, reason: str) -> None:
    """The search has failed as a whole, its trials have not, and what it says is one line that tells how to go on."""
    assert search.end() == 1, search.errors
    assert reason in search.errors
    assert search.errors.startswith("the search failed: ")
    assert search.errors.endswith("go on with --resume\n")
    assert len(search.errors.splitlines()) == 1
    check_readable(search.results)
    trials, _ = read_tables(search.results)
    assert "failed" not in trials["status"].to_pylist()


def test_a_results_directory_that_turns_read_only(
    tmp_path: Path, adaptive: Path, seed: int, judge: Judge
) -> None:
    """Nothing can be opened for writing any more, then a resume is tried, then it can be written again."""
    search = Search(tmp_path, ADAPTIVE)
    search.start()
    assert search.wait_for_moment(random.Random(f"read-only {seed}"), start=0.0)
    place = str(search.results)
    if not (mounted("--bind", place, place) and mounted("-o", "remount,bind,ro", place)):
        search.session.kill()
        pytest.skip("only root can mount a folder read-only")
    try:
        search.strikes.append(time.time())
        assert_stopped(search, "Read-only file system")
        search.start()
        assert search.end() == 1
        assert search.errors == "the search failed: [Errno 30] Read-only file system: 'out/events.jsonl'\n"
        check_readable(search.results)
    finally:
        subprocess.run(["umount", place], check=True)
    search.finish()
    judge(verdict("results directory read-only", adaptive, [search]))


def test_a_results_directory_that_vanishes(tmp_path: Path, adaptive: Path, seed: int, judge: Judge) -> None:
    """As a network directory does, and comes back."""
    search = Search(tmp_path, ADAPTIVE)
    search.start()
    assert search.wait_for_moment(random.Random(f"vanished {seed}"), start=0.0)
    search.results.rename(tmp_path / "away")
    search.strikes.append(time.time())
    assert search.end() == 1, search.errors
    assert search.errors.startswith("the search failed: ")
    assert len(search.errors.splitlines()) == 1
    if search.results.exists():  # Ray's scratch, made anew
        search.results.rename(tmp_path / "scratch")
    (tmp_path / "away").rename(search.results)
    check_readable(search.results)
    search.finish()
    judge(verdict("results directory vanishes", adaptive, [search]))
