"""A machine of a cluster is taken away, once with notice and once without: its trials go on on another one."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import wrn_search
from tests.cluster.hosts import DEADLINE, Host, TwoHosts, why_not
from wrn_search.results.events import Event, Interrupted, Reported, Retried, Started
from wrn_search.results.events_jsonl import read_events

ROOT = Path(__file__).resolve().parents[2]
SPACE = ROOT / "search_spaces" / "digits_quickstart.yaml"
TRIALS, EPOCHS, PORT = 10, 6, 6379
OPTIONS = [
    *("--set", f"training.epochs={EPOCHS}"),
    *("--set", f"search.trials={TRIALS}"),
    *("--set", "search.scheduler=none"),
    *("--set", "search.searcher=random"),
    *("--set", "search.retries=0"),  # a fault that is charged would fail a trial
    *("--set", "model.widen_factor=2"),
]
REASON = why_not()
pytestmark = [pytest.mark.cluster, pytest.mark.skipif(REASON is not None, reason=str(REASON))]


@pytest.fixture
def hosts() -> Iterator[TwoHosts]:
    """A cluster by hand: a core each on the head and on the worker."""
    base = Path(tempfile.mkdtemp(prefix="wrn-cluster-", dir="/var/tmp"))
    hosts = None
    try:
        hosts = TwoHosts(base)
        for host in (hosts.head, hosts.worker):
            host.environment |= {"RAY_AUTH_MODE": "disabled", "RAY_memory_monitor_refresh_ms": "0"}
            host.environment["PATH"] = f"{host.home}/.wrn-search/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            host.environment["PYTHONPATH"] = str(ROOT)
        _start(hosts, "--head", f"--port={PORT}", "--include-dashboard=false", host=hosts.head)
        _start(hosts, f"--address={hosts.addresses['head']}:{PORT}", host=hosts.worker)
        yield hosts
    finally:
        if hosts is not None:
            hosts.close()
        shutil.rmtree(base)


def _start(hosts: TwoHosts, *options: str, host: Host) -> None:
    address = hosts.addresses["head" if host is hosts.head else "worker"]
    own = [f"--node-ip-address={address}", "--num-cpus=1", "--disable-usage-stats"]
    host.run("ray", "start", *options, *own)


def _until(search: subprocess.Popen[str], events: Path, holds: Callable[[list[Event]], bool]) -> list[Event]:
    """Until the record of a running search is as it should be."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and search.poll() is None:
        if events.exists() and holds(record := [event for _, event in read_events(events)]):
            return record
        time.sleep(0.2)
    search.kill()
    raise AssertionError(search.communicate())


def _on_worker(events: list[Event]) -> int:
    return sum(isinstance(event, Reported) and event.node == "wrn-worker" for event in events)


def test_a_machine_that_is_taken_away_loses_no_trial_and_with_notice_no_epoch(hosts: TwoHosts) -> None:
    results = hosts.shared / "out"
    search = hosts.head.begin(
        *("python", str(ROOT / "run_search.py"), str(SPACE), "--address", "auto"),
        *("--results", str(results), "--quiet", *OPTIONS),
    )
    notice = hosts.worker.home / "taken"
    leaving = hosts.worker.begin(
        "python", "-m", "wrn_search", "leave", "--wait-for", str(notice), "--seconds", "120"
    )
    _until(search, results / "events.jsonl", lambda events: _on_worker(events) >= 1)
    notice.touch()
    output, errors = leaving.communicate(timeout=DEADLINE)
    assert (leaving.returncode, output) == (0, ""), errors
    assert errors.splitlines()[0] == "in the cluster, waits for the notice"
    assert errors.splitlines()[-1] == "they have gone"
    assert "raylet" not in hosts.worker.run("ps", "ax").stdout, "what has nothing to do ends by itself"
    record = [event for _, event in read_events(results / "events.jsonl")]
    (left,) = [event for event in record if isinstance(event, Interrupted)]
    assert left.reason == "its node will be taken away: it left after its epoch"

    before = _on_worker(record)
    _start(hosts, f"--address={hosts.addresses['head']}:{PORT}", host=hosts.worker)  # another one comes
    _until(search, results / "events.jsonl", lambda events: _on_worker(events) > before)
    hosts.switch_off_worker()
    output, errors = search.communicate(timeout=DEADLINE)
    assert search.returncode == 0, errors
    told = [line for line in errors.splitlines() if line.startswith("a node ")]
    assert len(told) == 2, errors
    assert told[0].startswith(
        "a node will be taken away, its trials go on elsewhere after their epoch: wrn-worker ("
    )
    assert told[1].startswith("a node has left, its trials go on elsewhere: wrn-worker (")

    record = [event for _, event in read_events(results / "events.jsonl")]
    reasons = [event.reason.partition(":")[0] for event in record if isinstance(event, Interrupted)]
    assert reasons == ["its node will be taken away", "its node left the cluster"]
    assert not any(isinstance(event, Retried) for event in record)
    # The trial that had notice goes on with the next epoch: its checkpoint was the last one that it reported.
    starts = [event.number for event in record if isinstance(event, Started)]
    ends = [event.number for event in record if isinstance(event, Interrupted)]
    assert starts.count(left.number) == 1 + ends.count(left.number)  # it may be on the second machine, too
    trials, epochs = wrn_search.read(results)
    assert trials["status"].tolist() == ["completed"] * TRIALS
    assert sorted(zip(epochs["trial_id"], epochs["epoch"], strict=True)) == [
        (trial, epoch) for trial in sorted(trials["trial_id"]) for epoch in range(1, EPOCHS + 1)
    ]
    assert set(trials["node"]) <= {"wrn-head", "wrn-worker"}
    assert json.loads((results / "manifest.json").read_text())["nodes"]


def test_the_head_of_a_cluster_must_stay(hosts: TwoHosts) -> None:
    done = hosts.head.run("python", "-m", "wrn_search", "leave", check=False)
    assert done.returncode == 2
    assert "leave: must be called on another machine than the head" in done.stderr
