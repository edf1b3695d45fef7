"""A search on nodes of Ray that are not alike, with simulated GPUs: each is used by what it can hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

import wrn_search
from tests.test_gpu_sharing_end_to_end import GRID, ROOT
from wrn_search.cluster.living_nodes import is_connected
from wrn_search.decisions.gpu_packing import Grant, Places

pytestmark = pytest.mark.slow

SMALL, LARGE = 12 * 10**8, 80 * 10**9


@contextmanager
def _cluster(data: Path, *nodes: dict[str, Any]) -> Iterator[None]:
    """Connected to a cluster of these nodes, the first of which is the head; GPUs are there in name only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(data))
        patch.setenv("WRN_SEARCH_SIMULATED_GPUS", "1")
        patch.setenv("PYTHONPATH", str(ROOT))
        is_connected()  # sets the environment as the program does
        cluster = Cluster()
        for node in nodes:
            cluster.add_node(**node)
        ray.init(address=cluster.address, log_to_driver=False)
        patch.setattr(
            "wrn_search.cluster.living_nodes.gpu_bytes_by_node",
            lambda: {
                node["NodeID"]: SMALL if "accelerator_type:SMALL" in node["Resources"] else LARGE
                for node in ray.nodes()
                if node["Resources"].get("GPU")
            },
        )
        yield
        ray.shutdown()
        cluster.shutdown()


def _with_gpu(kind: str) -> dict[str, Any]:
    return {"num_cpus": 2, "num_gpus": 1, "resources": {f"accelerator_type:{kind}": 1}}


@pytest.fixture
def _two_nodes(tmp_path: Path) -> Iterator[None]:
    """A node with a GPU too small for most trials, and one with a large GPU."""
    with _cluster(tmp_path / "data", _with_gpu("SMALL"), _with_gpu("LARGE")):
        yield


@pytest.fixture
def _head_without_gpus(tmp_path: Path) -> Iterator[None]:
    """As on Kubernetes: the head offers neither cores nor GPUs, two workers a large GPU each."""
    head = {"num_cpus": 0, "num_gpus": 0}
    with _cluster(tmp_path / "data", head, _with_gpu("LARGE"), _with_gpu("LARGE")):
        yield


@pytest.mark.usefixtures("_two_nodes")
def test_large_trials_go_to_the_large_gpu_and_small_ones_fill_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[Places, int, Grant]] = []
    take = Places.take

    def taking(self: Places, number: int, asked: Any) -> Grant | None:
        grant = take(self, number, asked)
        if grant is not None:
            taken.append((self, number, grant))
        return grant

    monkeypatch.setattr(Places, "take", taking)
    # 371 MB and 923 MB of context do not fit 1.2 GB; 91 MB do.
    space = GRID | {"model": {"depth": 10, "widen_factor": {"choice": [0.5, 16.0]}}}
    search = wrn_search.run(space, results=tmp_path / "results", quiet=True)
    # The forecast before it plays with places of its own.
    granted = [(number, grant) for places, number, grant in taken if places is taken[-1][0]]
    trials, _ = wrn_search.read(tmp_path / "results")
    assert search.reason == "finished"
    assert set(trials["status"]) == {"completed"}
    widths = dict(zip(trials["number"], trials["widen_factor"], strict=True))
    kinds = {
        width: {grant.accelerator for number, grant in granted if widths[number] == width}
        for width in (0.5, 16)
    }
    assert kinds[16] == {"LARGE"}
    assert "SMALL" in kinds[0.5]
    assert len(granted) == len(trials) == 4


@pytest.mark.usefixtures("_head_without_gpus")
def test_a_head_without_gpus_shares_the_gpus_of_its_workers(tmp_path: Path) -> None:
    search = wrn_search.run(GRID, results=tmp_path / "results", quiet=True)
    trials, _ = wrn_search.read(tmp_path / "results")
    assert search.reason == "finished"
    assert set(trials["status"]) == {"completed"}
    assert set(trials["gpu_fraction"]) == {1 / 8}, "by the workers' memory"
    manifest = json.loads((tmp_path / "results" / "manifest.json").read_text())
    assert manifest["concurrent"] == 4, "a trial for each core of the workers"
    assert sorted(node["gpus"] for node in manifest["nodes"]) == [0, 1, 1]
