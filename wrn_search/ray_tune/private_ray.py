"""Ray for the length of a search on this machine: its own, quiet and private."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from wrn_search.hardware.machine import Node
from wrn_search.ray_tune.ray_authentication import token_of_our_own
from wrn_search.ray_tune.ray_environment import PACKAGE, quiet_options, ray_environment

_CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # on Linux too, whatever its name says


@contextmanager
def own_ray(node: Node) -> Iterator[None]:
    """A Ray of our own on this machine; never joins a cluster by accident, also not through RAY_ADDRESS.

    Nobody else can speak to it: it listens on loopback only, and wants a token that only its processes have.
    """
    # Trial processes inherit it: they must find the same package wherever the command was started.
    package = str(PACKAGE.parent)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([package, *([before] if before else [])])
    try:
        with ray_environment(), token_of_our_own(), _loopback_only():
            import ray

            try:
                ray.init(address="local", num_cpus=node.cpus, num_gpus=node.gpus, **quiet_options())
                yield
            finally:
                ray.shutdown()
    finally:
        if before is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = before


@contextmanager
def _loopback_only() -> Iterator[None]:
    """Ray's servers listen on all interfaces unless Ray is told that it may have no second node.

    An address is no way to tell it: `_node_ip_address="127.0.0.1"` is replaced by that of the machine (Ray 2.60).
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER  # read from the environment when ray was imported
    os.environ[_CLUSTERS] = "0"  # for its processes
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
