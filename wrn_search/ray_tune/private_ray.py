"""A Ray of our own for the length of a search, quiet and private."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from wrn_search.hardware.machine import Node
from wrn_search.ray_tune.ray_environment import PACKAGE, quiet_options, set_environment


@contextmanager
def own_ray(node: Node) -> Iterator[None]:
    """A Ray of our own on this machine; never joins a cluster by accident, also not through RAY_ADDRESS."""
    set_environment()
    import ray

    # Trial processes inherit it: they must find the same package wherever the command was started.
    package = str(PACKAGE.parent)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([package, *([before] if before else [])])
    try:
        ray.init(address="local", num_cpus=node.cpus, num_gpus=node.gpus, **quiet_options())
        yield
    finally:
        ray.shutdown()
        if before is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = before
