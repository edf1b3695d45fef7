"""Searches over several Ray nodes, all on this machine: nodes join, leave, and may not be what they should be."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wrn_search
from wrn_search.results.events import Completed, Event, Interrupted, Reported, Retried, Started
from wrn_search.results.events_jsonl import read_events

ROOT = Path(__file__).resolve().parents[2]
SPACE = ROOT / "search_spaces" / "digits_quickstart.yaml"
TRIALS, EPOCHS = 12, 8
OPTIONS = [
    *("--set", f"training.epochs={EPOCHS}"),
    *("--set", "search.scheduler=none"),
    *("--set", "search.searcher=random"),
]
DEADLINE = 400  # seconds; a hang must not stop the tests

pytestmark = pytest.mark.cluster


class Nodes:
    """A Ray cluster of nodes with one core each, and a folder for prepared images each."""

    def __init__(self, folder: Path):
        from ray.cluster_utils import Cluster

        self.folder = folder
        self._cluster = Cluster()
        self.join()

    @property
    def address(self) -> str:
        """HOST:PORT of the head."""
        return str(self._cluster.address)

    def join(self, **environment: str) -> Any:
        """One node more; the first is the head."""
        data = self.folder / f"data-{len(self._cluster.list_all_nodes())}-{time.monotonic_ns()}"
        variables = {"WRN_SEARCH_DATA": str(data), "RAY_memory_monitor_refresh_ms": "0", **environment}
        return self._cluster.add_node(num_cpus=1, include_dashboard=False, env_vars=variables)

    def kill(self, node: Any) -> None:
        """As when a machine is switched off."""
        self._cluster.remove_node(node, allow_graceful=False)

    def prepared(self) -> list[list[Path]]:
        """Of each node, its folders of images that are ready to train on."""
        return [
            list(data.glob("prepared/digits-[!s]*/meta.json")) for data in sorted(self.folder.glob("data-*"))
        ]

    def close(self) -> None:
        """Ends them all."""
        self._cluster.shutdown()

    def search(self, *options: str) -> subprocess.Popen[str]:
        """The command, begun, with its data where a user of no node has them."""
        return subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "run_search.py"),
                str(SPACE),
                "--address",
                self.address,
                *OPTIONS,
                *options,
            ],
            cwd=self.folder,
            env=os.environ | {"WRN_SEARCH_DATA": str(self.folder / "driver")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    """A head alone, so far; in a temporary folder of its own, so that nobody else's `ray.init()` joins it."""
    with tempfile.TemporaryDirectory(prefix="wrn-", dir="/tmp", ignore_cleanup_errors=True) as short:
        monkeypatch.setenv("RAY_TMPDIR", short)  # paths of sockets must be short
        nodes = Nodes(tmp_path)
        yield nodes
        nodes.close()


@pytest.fixture
def another_torch(tmp_path: Path) -> dict[str, str]:
    """What makes a node believe that it has another torch."""
    installed = tmp_path / "packages" / "torch-1.0.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.0.0\n")
    return {"PYTHONPATH": str(installed.parent)}


def _wait_until(
    search: subprocess.Popen[str], events: Path, holds: Callable[[list[tuple[float, Event]]], bool]
) -> float:
    """Until the record of a running search is as it should be; the time (as in the record) when it was."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and search.poll() is None:
        if events.exists() and holds(list(read_events(events))):
            return time.time()
        time.sleep(0.2)
    search.kill()
    raise AssertionError(search.communicate())


def _reports(least: int) -> Callable[[list[tuple[float, Event]]], bool]:
    return lambda events: sum(isinstance(event, Reported) for _, event in events) >= least


def _most_at_once(events: list[tuple[float, Event]], since: float = 0, until: float = float("inf")) -> int:
    """How many trials had a process at once, at most, in a span of time."""
    running: set[int] = set()
    most = 0
    for moment, event in events:
        if isinstance(event, Started):
            running.add(event.number)
        elif isinstance(event, Completed | Interrupted | Retried):
            running.discard(event.number)
        if since <= moment <= until:
            most = max(most, len(running))
    return most


def test_a_plan_asks_the_nodes_what_they_can_compute_with_and_plays_with_their_places(nodes: Nodes) -> None:
    nodes.join()
    output, errors = nodes.search("--results", "out", "--dry-run").communicate(timeout=DEADLINE)
    lines = {line[:14].strip(): line for line in output.splitlines()}
    assert "2 nodes of the cluster" in lines["hardware"], errors
    assert "so auto is fp32 (training.precision)" in lines["weakest node"], "bf16 does not pay on digits"
    assert "forecast" in lines
    assert "on this machine, as if the nodes' cores were as fast" in output
    assert not (nodes.folder / "out").exists()


def test_no_trial_is_lost_while_nodes_leave_and_join(nodes: Nodes) -> None:
    second = nodes.join()
    events = nodes.folder / "out" / "events.jsonl"
    search = nodes.search(
        "--set", f"search.trials={TRIALS}", "--set", "search.retries=0", "--results", "out", "--quiet"
    )
    _wait_until(search, events, _reports(16))
    killed = time.time()
    nodes.kill(second)
    nodes.join()
    output, errors = search.communicate(timeout=DEADLINE)
    assert search.returncode == 0, errors
    assert output.startswith(f"digits_quickstart: {TRIALS} trials on digits ({TRIALS} completed)")
    assert "a node has left, its trials go on elsewhere: " in errors

    trials, epochs = wrn_search.read(nodes.folder / "out")
    assert trials["number"].tolist() == list(range(TRIALS))
    assert trials["status"].tolist() == ["completed"] * TRIALS  # though a lost process is not tried again
    assert sorted(zip(epochs["trial_id"], epochs["epoch"], strict=True)) == [
        (trial, epoch) for trial in sorted(trials["trial_id"]) for epoch in range(1, EPOCHS + 1)
    ]
    record = list(read_events(events))
    (displaced,) = [event for _, event in record if isinstance(event, Interrupted)]
    assert displaced.reason.startswith("its node left the cluster: ")
    left = next(moment for moment, event in record if isinstance(event, Interrupted))
    assert _most_at_once(record, until=killed) == 2  # a core each, so both nodes trained
    assert _most_at_once(record, since=left) == 2  # and the one that joined did
    assert [len(ready) for ready in nodes.prepared()] == [1, 1, 1]


def test_a_node_with_other_packages_is_named_before_anything_is_written(nodes: Nodes, another_torch) -> None:
    nodes.join(**another_torch)
    search = nodes.search("--results", "deep/down/out")
    output, errors = search.communicate(timeout=DEADLINE)
    assert (search.returncode, output) == (2, "")
    assert errors.startswith("--address: every node must have the driver's torch (")
    assert "), but got 1.0.0 on " in errors
    assert len(errors.splitlines()) == 1
    assert not (nodes.folder / "deep").exists()


def test_a_node_that_joins_with_other_packages_gets_no_trial(nodes: Nodes, another_torch) -> None:
    events = nodes.folder / "out" / "events.jsonl"
    search = nodes.search(
        "--set", "search.trials=5", "--set", "training.epochs=4", "--results", "out", "--quiet"
    )
    _wait_until(search, events, _reports(2))
    nodes.join(**another_torch)
    _, errors = search.communicate(timeout=DEADLINE)
    assert search.returncode == 0, errors
    assert errors.startswith(
        "a node that joined is not used: --address: every node must have the driver's torch ("
    )
    assert _most_at_once(list(read_events(events))) == 1


def test_more_gpus_than_the_cluster_has(nodes: Nodes) -> None:
    search = nodes.search("--set", "resources.gpus_per_trial=1", "--results", "out")
    output, errors = search.communicate(timeout=DEADLINE)
    assert (search.returncode, output) == (2, "")
    assert errors == "resources.gpus_per_trial: a GPU must be there, but got 1 CPUs and 0 GPUs\n"
