"""Leases among processes that cannot see each other: a holder on another host, one that slept, two takers at once."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from wrn_search.file_system import lease as lease_module
from wrn_search.file_system.holder import Holder, this_process
from wrn_search.file_system.lease import HeldError, Lease, LeaseLostError

ELSEWHERE = replace(this_process(), host="node-7", boot="another", pid=4711)


@pytest.fixture
def target(tmp_path, monkeypatch) -> Path:
    """A file to be held; a lease expires in a fifth of a second."""
    monkeypatch.setattr(lease_module, "SECONDS_TO_EXPIRY", 0.2)
    monkeypatch.setattr(lease_module, "_SECONDS_BETWEEN_LOOKS", 0.01)
    return tmp_path / "events.jsonl"


def write(target: Path, holder: Holder, beat: int = 1, number: int = 1) -> None:
    """What a holder on another host leaves at a beat."""
    path = target.with_name(f".{target.name}.lease-{number}")
    path.write_text(json.dumps({"beat": f"{beat:010d}", **vars(holder)}))


def test_a_holder_elsewhere_that_beats_is_refused_by_name(target) -> None:
    write(target, ELSEWHERE)
    told: list[str] = []

    def beat(text: str) -> None:
        told.append(text)
        write(target, ELSEWHERE, beat=2)

    with pytest.raises(HeldError, match=r"^process 4711 on node-7$"):
        Lease.take(target, beat)
    assert len(told) == 1
    assert "to see whether process 4711 on node-7 still lives" in told[0]


def test_a_holder_elsewhere_that_is_silent_has_lost_its_lease(target) -> None:
    write(target, ELSEWHERE, number=4)
    lease = Lease.take(target, lambda text: None)
    lease.check()
    assert [path.name for path in target.parent.iterdir()] == [".events.jsonl.lease-5"]
    lease.release()
    assert list(target.parent.iterdir()) == []


def test_half_a_lease_expires_too(target) -> None:
    target.with_name(".events.jsonl.lease-1").write_bytes(b'{"beat": "00')
    Lease.take(target, lambda text: None).release()


def test_whoever_slept_too_long_is_told_who_took_over(target, monkeypatch) -> None:
    monkeypatch.setattr(lease_module, "SECONDS_BETWEEN_BEATS", 3600.0)  # asleep
    lease = Lease.take(target, lambda text: None)
    write(target, ELSEWHERE, number=2)
    lease._beat_at = time.monotonic() - 1
    for _ in range(2):
        with pytest.raises(LeaseLostError, match="process 4711 on node-7 has taken over"):
            lease.check()
    lease.release()
    assert [path.name for path in target.parent.iterdir()] == [".events.jsonl.lease-2"]


def test_of_many_that_find_one_expired_one_gets_it(target) -> None:
    write(target, ELSEWHERE)
    taken: list[Lease] = []
    barrier = threading.Barrier(8)

    def take() -> None:
        barrier.wait()
        with contextlib.suppress(HeldError):
            taken.append(Lease.take(target, lambda text: None))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    taken[0].release()


def test_a_process_number_that_is_used_again_is_another_process() -> None:
    me = this_process()
    assert not me.has_ended
    assert not replace(me, namespace="pid:[1]", began="1").has_ended, (
        "another container's process is not seen"
    )
    if me.began:
        assert replace(me, began="1").has_ended
