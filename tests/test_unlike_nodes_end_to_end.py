"""A search on two nodes of Ray with unlike simulated GPUs: each is used by what it can hold."""

from __future__ import annotations

from collections.abc import Iterator
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

SMALL, LARGE = 10**9, 80 * 10**9


@pytest.fixture
def _two_nodes(tmp_path: Path) -> Iterator[None]:
    """A node with a GPU too small for most trials, and one with a large GPU; both in name only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
        patch.setenv("WRN_SEARCH_SIMULATED_GPUS", "1")
        patch.setenv("PYTHONPATH", str(ROOT))
        is_connected()  # sets the environment as the program does
        cluster = Cluster()
        cluster.add_node(num_cpus=2, num_gpus=1, resources={"accelerator_type:SMALL": 1})
        cluster.add_node(num_cpus=2, num_gpus=1, resources={"accelerator_type:LARGE": 1})
        ray.init(address=cluster.address, log_to_driver=False)
        patch.setattr(
            "wrn_search.cluster.living_nodes.gpu_bytes_by_node",
            lambda: {
                node["NodeID"]: SMALL if "accelerator_type:SMALL" in node["Resources"] else LARGE
                for node in ray.nodes()
            },
        )
        yield
        ray.shutdown()
        cluster.shutdown()


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
    # 417 MB and 629 MB of context do not fit 1 GB; 137 MB do.
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
