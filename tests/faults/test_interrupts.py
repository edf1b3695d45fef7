"""Ctrl-C, SIGTERM, epochs that hang, and two drivers on one results directory."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from tests.faults.comparing import Verdict, check_readable, verdict
from tests.faults.harness import ADAPTIVE, Search, times
from wrn_search.results.events import Retried
from wrn_search.results.events_jsonl import read_events

Judge = Callable[[Verdict], None]
SECONDS_TO_STOP = 60.0  # ten for the epoch, the rest for Ray's end on a busy machine


def interrupted(
    folder: Path,
    generator: random.Random,
    stop: Callable[[Search], None],
    count: int,
    ends: Sequence[int] = (130,),
) -> Search:
    """A search that is stopped at so many random moments, or fewer if it ends before, and finished."""
    search = Search(folder, ADAPTIVE)
    for _ in range(count):
        search.start()
        if not search.wait_for_moment(generator, start=0.4):
            break
        before = time.monotonic()
        stop(search)
        assert search.end() in ends, search.errors
        assert time.monotonic() - before < SECONDS_TO_STOP
        assert "Traceback" not in search.errors
        assert "SIGTERM received" not in search.errors
        check_readable(search.results)
    search.finish()
    return search


def press(search: Search) -> None:
    """Ctrl-C in a terminal, which signals the whole group."""
    os.killpg(search.session.pid, signal.SIGINT)


@pytest.mark.exhaustive  # beside the one that is pressed twice, and `stop` in the journey of the pages
def test_ctrl_c(tmp_path: Path, adaptive: Path, kills: int, seed: int, judge: Judge) -> None:
    def stop(search: Search) -> None:
        press(search)
        search.strikes.append(time.time())

    search = interrupted(tmp_path, random.Random(f"Ctrl-C {seed}"), stop, times(kills))
    judge(verdict("Ctrl-C", adaptive, [search]))


def test_ctrl_c_twice(tmp_path: Path, adaptive: Path, kills: int, seed: int, judge: Judge) -> None:
    generator = random.Random(f"twice {seed}")

    def stop(search: Search) -> None:
        press(search)
        search.strikes.append(time.time())
        time.sleep(generator.uniform(0.0, 0.5))
        if search.session.poll() is None:
            press(search)

    # One that comes when the interpreter already ends kills the process, which a shell calls 130 as well.
    search = interrupted(tmp_path, generator, stop, times(kills), ends=(130, -signal.SIGINT))
    judge(verdict("Ctrl-C twice", adaptive, [search]))


@pytest.mark.exhaustive  # beside Ctrl-C, which takes the same way, and the SIGTERM of a job of Slurm in tests/cluster
def test_sigterm(tmp_path: Path, adaptive: Path, kills: int, seed: int, judge: Judge) -> None:
    def stop(search: Search) -> None:
        search.strike([psutil.Process(search.session.pid)], signal.SIGTERM)

    search = interrupted(tmp_path, random.Random(f"SIGTERM {seed}"), stop, times(kills))
    judge(verdict("SIGTERM", adaptive, [search]))


def test_an_epoch_that_hangs(tmp_path: Path, adaptive: Path, seed: int, judge: Judge) -> None:
    """In C code that never gives the interpreter back: `search.trial_timeout` ends the process."""
    generator = random.Random(f"hang {seed}")
    search = Search(tmp_path, ADAPTIVE, ["--set", "search.trial_timeout=6"])
    search.start()
    for _ in range(2):
        if search.wait_for_moment(generator, start=0.0, most_events=20) and (
            trials := search.trial_processes()
        ):
            search.strike(trials[:1], signal.SIGUSR2)
    assert search.end() == 0, search.errors
    reasons = [
        event.reason
        for _, event in read_events(search.results / "events.jsonl")
        if isinstance(event, Retried)
    ]
    assert reasons
    assert all(reason.startswith("an epoch must end within search.trial_timeout (6 s)") for reason in reasons)
    judge(verdict("an epoch hangs", adaptive, [search]))


def test_a_second_driver_is_refused(tmp_path: Path, adaptive: Path, judge: Judge) -> None:
    """On a running search, which does not notice. It stands still meanwhile: on a busy machine it could end before."""
    first, second = Search(tmp_path, ADAPTIVE), Search(tmp_path, ADAPTIVE)
    first.start_until(lambda: first.lines() > 10)
    first.session.send_signal(signal.SIGSTOP)
    errors = first.folder / "stderr.txt"
    errors.unlink()  # the first one goes on writing to its own
    second.start()
    assert second.end() == 2, second.errors
    assert "one search at a time may write this record, but another one is running" in errors.read_text()
    first.session.send_signal(signal.SIGCONT)
    first.strikes.append(time.time())
    assert first.end() == 0
    judge(verdict("a second driver", adaptive, [first]))


def test_of_two_drivers_that_start_at_once_one_wins(tmp_path: Path, adaptive: Path) -> None:
    drivers = [Search(tmp_path, ADAPTIVE) for _ in range(2)]
    for driver in drivers:
        driver.start()
    assert sorted(driver.end() for driver in drivers) == [0, 2]
    assert verdict("two starts at once", adaptive, drivers[:1]).held
