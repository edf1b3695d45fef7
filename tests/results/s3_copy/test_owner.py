"""Drivers that are cut off and come back when their successor has gone on, against a real S3 server program."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from pathlib import Path

import pytest

from tests.results.searches import reported
from wrn_search.errors import InputError
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy import upload as mirror_module
from wrn_search.results.s3_copy.conditional_put import put_if
from wrn_search.results.s3_copy.copy_of_a_session import CopyBehind, copied, ready_copy
from wrn_search.results.s3_copy.fetch import fetch
from wrn_search.results.s3_copy.object_store import ObjectStore, holds_search
from wrn_search.results.s3_copy.owner import CopyTakenOverError, Owner, claim
from wrn_search.results.s3_copy.upload import Mirror

PARTITIONS = 10
LANDS = ("before its successor's first put", "after it")


class Driver:
    """A session on a machine of its own: its record, and its copy, which it brings up when told."""

    def __init__(self, directory: ResultsDirectory, owner: Owner):
        self.directory = directory
        self.record = Record.open(directory.events)
        self.mirror = Mirror(directory, owner.store, tell=lambda text: None, seconds=3600, owner=owner)

    def train(self, epochs: int) -> None:
        """Some more lines."""
        for epoch in range(epochs):
            self.record.append(reported(4, epoch + 3, val_error=float(id(self) % 97)))

    def close(self) -> None:
        """Ends the session without a last round."""
        self.mirror._ending.set()
        self.record.close()


def copy_of(store: ObjectStore, folder: Path) -> bytes:
    """The record as anybody finds it in the store now; it must be readable."""
    found = ResultsDirectory(folder)
    fetch(store, found)
    read_events(found.events)
    return found.events.read_bytes()


@pytest.fixture
def driver(directory, address, monkeypatch):
    """The first one, its copy up to date; the record is cut into segments of a few lines."""
    monkeypatch.setattr(mirror_module, "SEGMENT_BYTES", 2500)
    owner = ready_copy(address, ResultsDirectory(directory.path / "none"), resume=False)
    first = Driver(directory, owner)
    first.mirror.upload()
    yield first
    first.close()


def successor_of(address: str, folder: Path) -> Driver:
    """A session that goes on from the copy alone."""
    directory = ResultsDirectory(folder)
    return Driver(directory, ready_copy(address, directory, resume=True))


@pytest.mark.slow
def test_after_ten_partitions_the_copy_is_readable_and_the_successors(
    driver, address, tmp_path, monkeypatch
) -> None:
    """The old driver trains and uploads on; what it was just putting may land when its successor has gone on."""
    store, scratch = ObjectStore(address), (tmp_path / f"reader{n}" for n in itertools.count())
    for number in range(PARTITIONS):
        last_put = ("none", *LANDS)[number % 3]
        driver.train(1 + number % 4)
        under_way, may_land = held_back(driver, monkeypatch) if last_put != "none" else (None, None)
        successor = successor_of(address, tmp_path / f"machine{number}")
        successor.train(2)
        for moment in LANDS:
            if last_put == moment:
                may_land.set()
                under_way.join()
                copy_of(store, next(scratch))
            successor.mirror.upload()
            assert copy_of(store, next(scratch)) == successor.directory.events.read_bytes()
        driver.train(3)
        with pytest.raises(CopyTakenOverError, match=r"process \d+ on .* has gone on with this search"):
            driver.mirror.upload()
        successor.train(1)
        successor.mirror.upload()
        assert copy_of(store, next(scratch)) == successor.directory.events.read_bytes()
        driver.close()
        driver = successor
    driver.close()


def held_back(driver: Driver, monkeypatch) -> tuple[threading.Thread, threading.Event]:
    """A round of a driver that has seen that the copy is its own, and whose put waits for the event to be set."""
    may_land, waits = threading.Event(), threading.Event()

    def late(store: ObjectStore, *arguments):
        if store is driver.mirror._store:
            waits.set()
            assert may_land.wait(60)
        return put_if(store, *arguments)

    def upload() -> None:
        with contextlib.suppress(CopyTakenOverError):
            driver.mirror.upload()

    monkeypatch.setattr(mirror_module, "put_if", late)
    thread = threading.Thread(target=upload)
    thread.start()
    assert waits.wait(60)
    return thread, may_land


def test_an_older_owner_says_so_and_its_results_stay(
    directory, address, tmp_path, capsys, monkeypatch
) -> None:
    mirrors: list[Mirror] = []

    def fast(*arguments, **more) -> Mirror:
        mirrors.append(Mirror(*arguments, seconds=0.02, **more))
        return mirrors[-1]

    monkeypatch.setattr("wrn_search.results.s3_copy.copy_of_a_session.Mirror", fast)
    owner = ready_copy(address, ResultsDirectory(tmp_path / "none"), resume=False)

    def session() -> None:
        with copied(directory, owner):
            while not holds_search(owner.store):
                time.sleep(0.02)
            successor_of(address, tmp_path / "other").close()
            with Record.open(directory.events) as record:
                record.append(reported(4, 9))
            mirrors[0]._thread.join(30)

    with pytest.raises(CopyBehind, match=r"not their copy at .*, which is another's now: process "):
        session()
    told = capsys.readouterr().err
    assert "has gone on with this search from its copy; this search goes on without it" in told


def test_of_many_sessions_that_claim_at_once_each_but_the_last_finds_out(address) -> None:
    owners: list[Owner] = []
    threads = [threading.Thread(target=lambda: owners.append(claim(ObjectStore(address)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def still_owns(owner: Owner) -> bool:
        try:
            owner.check()
        except CopyTakenOverError:
            return False
        return True

    assert len(owners) == 4
    assert sum(map(still_owns, owners)) == 1


def test_a_second_start_on_the_same_machine_does_not_take_the_copy(driver, address) -> None:
    with pytest.raises(
        InputError, match=r"one search at a time may write this record, but another one is run"
    ):
        ready_copy(address, driver.directory, resume=True)
    driver.train(1)
    driver.mirror.upload()
