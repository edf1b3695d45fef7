"""Turns: many together or one alone, among real processes; nobody is passed over, a dead one holds nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from wrn_search.file_system.turns import Turns

SECONDS = 20.0  # for a process to start


def _use(folder: Path, alone: bool, pipe: Connection) -> None:
    """Says when it is in, and leaves when it is told to."""
    turns = Turns(folder, "device")
    with turns.alone() if alone else turns.together():
        pipe.send("in")
        pipe.recv()
    pipe.send("out")


class _User:
    """A process that wants a turn."""

    def __init__(self, folder: Path, *, alone: bool = False):
        spawning = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawning.Pipe()
        self.process = spawning.Process(target=_use, args=(folder, alone, theirs), daemon=True)
        self.process.start()

    def is_in(self, seconds: float) -> bool:
        return self.pipe.poll(seconds) and self.pipe.recv() == "in"

    def leave(self) -> None:
        self.pipe.send("leave")
        assert self.pipe.poll(SECONDS) and self.pipe.recv() == "out"  # noqa: PT018
        self.process.join(SECONDS)


def test_who_wants_to_be_alone_waits_for_those_inside_and_is_not_passed_over(tmp_path: Path) -> None:
    first, second = _User(tmp_path), _User(tmp_path)
    assert first.is_in(SECONDS)
    assert second.is_in(SECONDS)
    alone = _User(tmp_path, alone=True)
    assert not alone.is_in(3.0)
    late = _User(tmp_path)
    assert not late.is_in(3.0)  # it came after the one that wants to be alone
    first.leave()
    assert not alone.is_in(0.3)
    second.leave()
    assert alone.is_in(SECONDS)
    assert not late.is_in(0.3)
    alone.leave()
    assert late.is_in(SECONDS)
    late.leave()


@pytest.mark.parametrize("alone", [True, False])
def test_a_killed_process_gives_its_turn_back(tmp_path: Path, alone: bool) -> None:
    killed = _User(tmp_path, alone=alone)
    assert killed.is_in(SECONDS)
    assert killed.process.pid is not None
    os.kill(killed.process.pid, signal.SIGKILL)
    with Turns(tmp_path, "device").alone():
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_copy_of_the_process_that_outlives_a_turn_does_not_hold_it(tmp_path: Path) -> None:
    """Processes that decode images are forked while an epoch is trained, and live on."""
    reading, writing = os.pipe()
    with Turns(tmp_path, "device").together():
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)  # until the test is over
            os._exit(0)
    done = threading.Event()

    def alone() -> None:
        with Turns(tmp_path, "device").alone():
            done.set()

    threading.Thread(target=alone, daemon=True).start()
    free = done.wait(5.0)
    os.close(writing)
    os.waitpid(child, 0)
    assert free


def test_other_names_are_other_turns(tmp_path: Path) -> None:
    had = threading.Event()

    def other() -> None:
        with Turns(tmp_path / "not" / "there", "two").alone():
            had.set()

    with Turns(tmp_path / "not" / "there", "one").alone():
        threading.Thread(target=other, daemon=True).start()
        assert had.wait(60.0)


@pytest.mark.slow
def test_after_so_many_seconds_nobody_waits_any_more_for_one_that_stays(tmp_path: Path) -> None:
    was_alone = threading.Event()

    def alone() -> None:
        with Turns(tmp_path, "device").alone():
            was_alone.set()

    turns = Turns(tmp_path, "device")
    with turns.together(most=3.0):
        threading.Thread(target=alone, daemon=True).start()
        assert not was_alone.wait(1.0)
        assert was_alone.wait(SECONDS)
    with turns.together(most=0.0):
        pass
    with turns.together(most=60.0):  # what was late let go of nothing that came after
        assert not _User(tmp_path, alone=True).is_in(3.0)
