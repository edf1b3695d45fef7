"""One process at a time, with locks of the file system and without."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.file_system.without_locks import ERRORS, environment
from wrn_search.errors import InputError
from wrn_search.file_system.exclusive_lock import held_by
from wrn_search.results.events import Completed
from wrn_search.results.events_jsonl import Record, read_events

TRIES = 20
LINES = 30  # of each try and driver
# Two drivers open one record at the same moment, twenty times over; each tells which lines it was promised.
_DRIVER = f"""
import sys, time
from pathlib import Path
from wrn_search.errors import InputError
from wrn_search.results.events import Completed
from wrn_search.results.events_jsonl import Record
folder, me, other = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
for place in range({TRIES}):
    (folder / f"{{place}}.{{me}}").touch()
    while not (folder / f"{{place}}.{{other}}").exists():
        time.sleep(0.001)
    stood = []
    try:
        with Record.open(folder / f"{{place}}.jsonl") as record:
            for number in range({LINES}):
                record.append(Completed(number * 10 + int(me)))
                stood.append(number * 10 + int(me))
                time.sleep(0.001)
    except InputError as error:
        stood = str(error)
    print([place, stood], flush=True)
"""
_HOLDER = """
import sys, time
from pathlib import Path
from wrn_search.results.events_jsonl import Record
record = Record.open(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def without_locks(tmp_path_factory) -> dict[str, str]:
    """The environment of processes on a file system without locks."""
    return environment(tmp_path_factory.mktemp("without_locks"), ERRORS["ENOLCK"])


@pytest.fixture
def path(tmp_path) -> Path:
    Record.create(tmp_path / "events.jsonl").close()
    return tmp_path / "events.jsonl"


def holding(path: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A process that holds a record."""
    command = [sys.executable, "-c", _HOLDER, path]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n", process.stderr.read()
    return process


def opening(path: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What comes of opening the record in another process."""
    code = f"""
from pathlib import Path
from wrn_search.errors import InputError
from wrn_search.results.events import Completed
from wrn_search.results.events_jsonl import Record
try:
    with Record.open(Path({str(path)!r})) as record:
        record.append(Completed(1))
except InputError as error:
    print(error)
"""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("error", ERRORS)
def test_two_drivers_without_locks_lose_no_line(error, tmp_path_factory, tmp_path) -> None:
    without_locks = environment(tmp_path_factory.mktemp("without_locks"), ERRORS[error])
    for place in range(TRIES):
        Record.create(tmp_path / f"{place}.jsonl").close()
    drivers = [
        subprocess.Popen(
            [sys.executable, "-c", _DRIVER, tmp_path, str(me), str(1 - me)],
            env=without_locks,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for me in (0, 1)
    ]
    told = [driver.communicate(timeout=100) for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0, 0], told
    answers = [[eval(line) for line in output.splitlines()] for output, _ in told]
    for place in range(TRIES):
        stood = [answer[place][1] for answer in answers]
        lines = [event.number for _, event in read_events(tmp_path / f"{place}.jsonl")]
        promised = [number for numbers in stood if isinstance(numbers, list) for number in numbers]
        assert sorted(lines) == sorted(promised)
        for me, answer in enumerate(stood):
            if isinstance(answer, str):
                assert answer.endswith(f"process {drivers[1 - me].pid} on {socket.gethostname()}")
    assert any(f"{tmp_path}: this file system has no locks" in errors for _, errors in told)
    assert list(tmp_path.glob(".*lease*")) == []


def test_a_killed_holder_without_locks_blocks_nobody(without_locks, path) -> None:
    process = holding(path, without_locks)
    refusal = opening(path, without_locks).stdout
    assert f"but another one is running: process {process.pid} on {socket.gethostname()}" in refusal
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert opening(path, without_locks).stdout == ""
    assert [event for _, event in read_events(path)] == [Completed(1)]


def test_a_node_with_locks_and_one_without_do_not_write_the_same_record(without_locks, path) -> None:
    process = holding(path, without_locks)
    with pytest.raises(InputError, match=rf"another one is running: process {process.pid} on "):
        Record.open(path)
    assert held_by(path) == f"process {process.pid} on {socket.gethostname()}"
    process.kill()
    process.communicate()
    assert held_by(path) is None


def test_whoever_holds_a_lock_is_told_and_nothing_of_it_stays(path) -> None:
    assert held_by(path) is None
    with Record.open(path):
        assert held_by(path) == f"process {os.getpid()} on {socket.gethostname()}"
    assert held_by(path) is None
    assert [each.name for each in path.parent.iterdir()] == ["events.jsonl"]
