"""A real Ray cluster of many nodes on this machine: each node with a raylet and workers of its own, one shared disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from tests.faults.harness import environment


@contextmanager
def cluster(log: Path) -> Iterator[Cluster]:
    """A head node without cores, to which nodes can be added."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(log).items():
            patch.setenv(name, value)
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        try:
            yield nodes
        finally:
            nodes.shutdown()
