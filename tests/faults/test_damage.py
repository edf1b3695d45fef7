"""Files that are torn, damaged or gone when a search is resumed: made up for where that can be, else named."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.faults.comparing import Verdict, verdict
from tests.faults.harness import ADAPTIVE, Search, made_once
from wrn_search.results.events import Proposed
from wrn_search.results.events_jsonl import read_events

Damage = Callable[[Path, random.Random], None]
EPOCHS = ADAPTIVE["training"]["epochs"]


@pytest.fixture(scope="module")
def killed(common: Path, seed: int) -> Path:
    """The folder of a search whose driver was killed in the middle of a trial that has a checkpoint."""

    def kill(folder: Path) -> None:
        search = Search(folder, ADAPTIVE)
        search.start()
        assert search.wait_until(lambda: search.lines() >= 35 + seed % 5)
        search.strike([psutil.Process(search.session.pid)], signal.SIGKILL)
        search.end()

    return made_once(common / "killed", kill)


@pytest.fixture
def broken(killed: Path, tmp_path: Path) -> Search:
    """A copy of that search, to be damaged and resumed."""
    shutil.copytree(killed, tmp_path / "search")
    return Search(tmp_path / "search", ADAPTIVE, strikes=[0.0])


def torn_event(results: Path, generator: random.Random) -> None:
    """The last line lacks its end, as after a kill within a write."""
    record = results / "events.jsonl"
    last = record.read_bytes().splitlines(keepends=True)[-1]
    os.truncate(record, record.stat().st_size - generator.randint(1, len(last) - 1))


def remains_of_writes(results: Path, generator: random.Random) -> None:
    """What kills within writes leave: halves of an event, of a checkpoint and of the tables."""
    with (results / "events.jsonl").open("ab") as file:
        file.write(b'{"seq":')
    (results / "checkpoints" / "00003-deadbeef.pt.partial").write_bytes(generator.randbytes(100))
    (results / ".trials.parquet.tmp").write_bytes(generator.randbytes(100))
    (results / "epochs" / ".part-000000.parquet.tmp").write_bytes(generator.randbytes(100))


def damaged_tables(results: Path, generator: random.Random) -> None:
    """Garbage in the place of every Parquet file; the record knows all that they said."""
    for path in [results / "trials.parquet", *(results / "epochs").glob("*.parquet")]:
        path.write_bytes(generator.randbytes(generator.randint(0, 2000)))


def no_tables(results: Path, generator: random.Random) -> None:
    """The tables, the TensorBoard files and Ray's scratch are gone."""
    (results / "trials.parquet").unlink()
    for folder in ("epochs", "tensorboard", "ray"):
        shutil.rmtree(results / folder)


def truncated_checkpoints(results: Path, generator: random.Random) -> None:
    """Each checkpoint lacks its end."""
    for path in (results / "checkpoints").glob("*.pt"):
        os.truncate(path, generator.randrange(path.stat().st_size))


def flipped_bits(results: Path, generator: random.Random) -> None:
    """One bit of each checkpoint is another one."""
    for path in (results / "checkpoints").glob("*.pt"):
        content = bytearray(path.read_bytes())
        content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        path.write_bytes(content)


def garbage_checkpoints(results: Path, generator: random.Random) -> None:
    """Each checkpoint is something else."""
    for path in (results / "checkpoints").glob("*.pt"):
        path.write_bytes(generator.randbytes(5000))


def no_checkpoints(results: Path, generator: random.Random) -> None:
    """The folder of the checkpoints is gone."""
    shutil.rmtree(results / "checkpoints")


CURABLE: dict[str, tuple[Damage, int]] = {  # with the epochs that a trial may train again
    "torn last event": (torn_event, 1),
    "remains of torn writes": (remains_of_writes, 1),
    "corrupt Parquet files": (damaged_tables, 1),
    "tables and TensorBoard gone": (no_tables, 1),
    "truncated checkpoints": (truncated_checkpoints, EPOCHS),
    "a flipped bit in a checkpoint": (flipped_bits, EPOCHS),
    "garbage for checkpoints": (garbage_checkpoints, EPOCHS),
    "checkpoints gone": (no_checkpoints, EPOCHS),
}


# Other values of what those below prove; the readers of each file are tested with such damage where they stand, and the
# record is cut at random bytes in test_random_kills.py.
EXHAUSTIVE = (
    "torn last event",
    "corrupt Parquet files",
    "truncated checkpoints",
    "garbage for checkpoints",
    "checkpoints gone",
)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.exhaustive if name in EXHAUSTIVE else ()) for name in CURABLE],
)
def test_damage_is_made_up_for(
    broken: Search, adaptive: Path, seed: int, judge: Callable[[Verdict], None], name: str
) -> None:
    damage, may_repeat = CURABLE[name]
    damage(broken.results, random.Random(f"{name} {seed}"))
    broken.finish()
    judge(verdict(name, adaptive, [broken], may_repeat, best_stays="checkpoint" not in name))


def _garbage(lines: list[bytes], place: int) -> list[bytes]:
    return [*lines[:place], b"\x00" * 40 + b"\n", *lines[place + 1 :]]


def _missing(lines: list[bytes], place: int) -> list[bytes]:
    return lines[:place] + lines[place + 1 :]


def _doubled(lines: list[bytes], place: int) -> list[bytes]:
    return lines[:place] + lines[place - 1 :]


def _flipped(lines: list[bytes], place: int) -> list[bytes]:
    """One bit in the middle of a line, such as that of a digit: still JSON, and another number."""
    line = bytearray(lines[place])
    line[len(line) // 2] ^= 1
    return [*lines[:place], bytes(line), *lines[place + 1 :]]


@pytest.mark.parametrize("damage", [_garbage, _missing, _doubled, _flipped])
def test_damage_in_the_middle_of_the_record_is_named_and_left_alone(
    broken: Search, seed: int, damage: Callable[[list[bytes], int], list[bytes]]
) -> None:
    record = broken.results / "events.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    place = random.Random(f"{damage.__name__} {seed}").randrange(1, len(lines) - 1)
    record.write_bytes(b"".join(damage(lines, place)))
    before = {path: path.read_bytes() for path in broken.results.rglob("*") if path.is_file()}
    broken.start()
    assert broken.end() == 2
    assert broken.errors.startswith(f"out/events.jsonl:{place + 1}: ")
    assert len(broken.errors.splitlines()) == 1
    assert {path: path.read_bytes() for path in broken.results.rglob("*") if path.is_file()} == before


def test_a_run_of_a_trial_that_the_record_lost_does_not_stay(broken: Search, adaptive: Path) -> None:
    """A loss of power may take a proposal whose TensorBoard run has reached the disk; another trial may follow."""
    record = broken.results / "events.jsonl"
    events = [event for _, event in read_events(record)]
    last = max(place for place, event in enumerate(events) if isinstance(event, Proposed))
    record.write_bytes(b"".join(record.read_bytes().splitlines(keepends=True)[:last]))
    whole = next(path for path in (broken.results / "tensorboard").iterdir() if path.is_dir())
    shutil.copytree(whole, whole.with_name(f"{events[last].number:03d}_WRN-10-4_p0.99_wd0"))
    broken.finish()
    assert verdict("run without a trial", adaptive, [broken], EPOCHS).held
