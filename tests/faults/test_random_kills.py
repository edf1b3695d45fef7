"""Kills at random moments: none loses, doubles or changes a row, and none costs a trial more than is promised.

That is an epoch where each leaves a checkpoint, as in most tests here, so that little time goes by between two kills.

`--kills` are spread over the faults; a search that ends before its kills have come is judged and followed by another.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.cluster import cluster
from tests.faults.comparing import Verdict, check_readable, verdict
from tests.faults.harness import ADAPTIVE, INDEPENDENT, Search
from wrn_search.results.event_lines import from_line
from wrn_search.results.events import (
    Completed,
    Diverged,
    Failed,
    Interrupted,
    Retried,
    SearchEnded,
    SearchResumed,
    SearchStarted,
    Stopped,
)

EPOCHS = INDEPENDENT["training"]["epochs"]
Judge = Callable[[Verdict], None]
# Events that are on the disk when their append returns, or when the record is closed, as after a session's first event.
SYNCED = (
    *(SearchStarted, SearchResumed, Stopped, Completed, Diverged, Failed, Retried, Interrupted, SearchEnded),
)
SHARES = {"driver": 0.30, "two trials": 0.14, "machine": 0.20, "trial": 0.24, "node": 0.12, "between": 0.1}


def share(kills: int, fault: str) -> int:
    """How many of all kills fall to a fault."""
    return max(1, round(kills * SHARES[fault]))


def killed(
    folder: Path,
    document: dict[str, Any],
    generator: random.Random,
    count: int,
    after: Callable[..., None],
    checkpoint_seconds: float = 0.0,
) -> list[Search]:
    """Searches whose driver or whole tree is killed `count` times in all, gone on with each time, and finished."""
    searches: list[Search] = []
    while count:
        search = Search(folder / str(len(searches)), document, checkpoint_seconds=checkpoint_seconds)
        searches.append(search)
        while count:
            search.start()
            if not search.wait_for_moment(generator):
                if search.end() == 1 and search.overloaded():
                    continue
                assert search.end() == 0, search.errors
                break
            after(search)
            search.end()
            check_readable(search.results)
            count -= 1
        search.finish()
    return searches


def kill_driver(search: Search) -> None:
    """`kill -9` of the command alone."""
    search.strike([psutil.Process(search.session.pid)], signal.SIGKILL)


def test_the_driver_is_killed(tmp_path: Path, adaptive: Path, kills: int, seed: int, judge: Judge) -> None:
    generator = random.Random(f"driver {seed}")
    searches = killed(tmp_path, ADAPTIVE, generator, share(kills, "driver"), kill_driver)
    judge(verdict("driver, kill -9", adaptive, searches))


@pytest.mark.exhaustive  # beside the driver of one trial at a time
def test_the_driver_of_two_trials_is_killed(
    tmp_path: Path, independent: Path, kills: int, seed: int, judge: Judge
) -> None:
    generator = random.Random(f"two trials {seed}")
    searches = killed(tmp_path, INDEPENDENT, generator, share(kills, "two trials"), kill_driver)
    judge(verdict("driver, kill -9, two trials at once", independent, searches))


@pytest.mark.parametrize("checkpoint_seconds", [pytest.param(0.3, marks=pytest.mark.exhaustive), 60.0])
def test_the_driver_is_killed_between_two_checkpoints(
    tmp_path: Path, adaptive: Path, kills: int, seed: int, judge: Judge, checkpoint_seconds: float
) -> None:
    """As users run it, and with writes in the background all the time: epochs since are trained again, bit for bit."""
    generator = random.Random(f"between {checkpoint_seconds} {seed}")
    count = share(kills, "between")
    searches = killed(tmp_path, ADAPTIVE, generator, count, kill_driver, checkpoint_seconds)
    name = f"driver, kill -9, checkpoints {checkpoint_seconds:g} s apart"
    judge(verdict(name, adaptive, searches, may_repeat=EPOCHS))


def test_the_machine_goes_down(tmp_path: Path, adaptive: Path, kills: int, seed: int, judge: Judge) -> None:
    """Every process of the search at once; then the record loses what had not reached the disk, torn anywhere."""
    generator = random.Random(f"machine {seed}")

    def power_off(search: Search) -> None:
        search.strike(search.tree(), signal.SIGKILL)
        search.end()
        lose_power(search.results / "events.jsonl", generator)

    searches = killed(tmp_path, ADAPTIVE, generator, share(kills, "machine"), power_off)
    # What a second of the record told is trained again where the trial itself was proposed in that second.
    judge(verdict("all processes at once, record cut", adaptive, searches, may_repeat=EPOCHS))


def lose_power(record: Path, generator: random.Random) -> None:
    """Cuts a record at a random byte of what an append may not have brought to the disk yet: a second at most."""
    lines = record.read_bytes().splitlines(keepends=True) if record.exists() else []
    events = [from_line(line.decode()) for line in lines if line.endswith(b"\n")]
    safe = 0
    for place, (_, seconds, event) in enumerate(events):
        if isinstance(event, SYNCED) or seconds < events[-1][1] - 1.0:
            safe = sum(map(len, lines[: place + 1]))
    if lines:
        os.truncate(record, generator.randint(safe, record.stat().st_size))


def test_a_trial_process_is_killed(
    tmp_path: Path, adaptive: Path, kills: int, seed: int, judge: Judge
) -> None:
    """By kill -9, by a segmentation fault, or by `os._exit(0)` from within; the session goes on by itself."""
    generator = random.Random(f"trial {seed}")
    count, searches = share(kills, "trial"), []
    signals = [signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR1]
    while count:
        search = Search(tmp_path / str(len(searches)), ADAPTIVE)
        searches.append(search)
        search.start()
        while count and search.wait_for_moment(generator, most_events=6):
            if trials := search.trial_processes():
                search.strike(trials[:1], signals[count % 3])
                count -= 1
        assert search.end() == 0, search.errors
        assert "Traceback" not in search.errors
    judge(verdict("trial process: kill -9, SIGSEGV, os._exit", adaptive, searches))


# The raylet beside the control store, and beside those of the nodes that tests/cluster kills.
@pytest.mark.parametrize("process", [pytest.param("raylet", marks=pytest.mark.exhaustive), "gcs_server"])
def test_rays_own_processes_are_killed(
    tmp_path: Path, adaptive: Path, seed: int, judge: Judge, process: str
) -> None:
    """The only raylet, or the control store, of a search's own Ray: the session ends, and the next one goes on."""
    generator = random.Random(f"{process} {seed}")
    search = Search(tmp_path, ADAPTIVE)
    search.start()
    assert search.wait_for_moment(generator, start=0.0)
    search.strike([each for each in search.tree() if each.name() == process], signal.SIGKILL)
    search.end()
    check_readable(search.results)
    search.finish()
    judge(verdict(f"{process} of the search's own Ray", adaptive, [search]))


@pytest.mark.exhaustive  # beside the nodes that tests/cluster kills, whose trials go on likewise
def test_the_raylet_of_a_node_is_killed(
    tmp_path: Path, independent: Path, kills: int, seed: int, judge: Judge
) -> None:
    """Two nodes with a core each share a folder; one dies, and its trial goes on from its checkpoint on the other.

    Then a new node joins and the older one dies, and so on.
    """
    generator = random.Random(f"node {seed}")
    count, searches = share(kills, "node"), []
    while count:
        search = Search(tmp_path / str(len(searches)), INDEPENDENT)
        searches.append(search)
        with cluster(search.log) as nodes:
            search.options = ["--address", nodes.address]
            workers = [nodes.add_node(num_cpus=1) for _ in range(2)]
            search.start()
            while count and search.wait_for_moment(generator, start=0.0):
                kill_node(search, psutil.Process(workers.pop(0).all_processes["raylet"][0].process.pid))
                workers.append(nodes.add_node(num_cpus=1))
                count -= 1
            assert search.end() == 0, search.errors
    judge(verdict("raylet of one of two nodes", independent, searches))


def kill_node(search: Search, raylet: psutil.Process) -> None:
    """Kills a node and waits until the trial that trained there has gone on, or has ended, on the other one."""
    processes = {process.pid for process in raylet.children()}
    search.strike([raylet], signal.SIGKILL)
    last = {seed: (pid, epoch) for _, pid, seed, epoch in search.begun()}
    torn = {seed: epoch for seed, (pid, epoch) in last.items() if pid in processes and epoch < EPOCHS}

    def goes_on() -> bool:
        now = {seed: (pid, epoch) for _, pid, seed, epoch in search.begun()}
        return all(now[seed][0] not in processes and now[seed][1] >= torn[seed] for seed in torn)

    search.wait_until(goes_on)
