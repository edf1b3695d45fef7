"""Ray for the length of a search on this machine: its own, quiet and private."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from wrn_search.hardware.machine import Node
from wrn_search.ray_tune.loopback import check_loopback
from wrn_search.ray_tune.ray_authentication import token_of_our_own
from wrn_search.ray_tune.ray_environment import quiet_options, ray_environment
from wrn_search.ray_tune.ray_folder import ray_folder
from wrn_search.ray_tune.trial_imports import nothing_from_here, package_alone

_CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # on Linux too, whatever its name says


def check_own_ray() -> None:
    """Sees to it that a Ray of our own can start here, before anything is written.

    Raises:
        InputError: there is no folder for its sockets, or its processes could not speak to each other.
    """
    ray_folder()
    check_loopback()


@contextmanager
def own_ray(node: Node) -> Iterator[None]:
    """A Ray of our own on this machine; never joins a cluster by accident, also not through RAY_ADDRESS.

    Nobody else can speak to it: it listens on loopback only, and wants a token that only its processes have.
    """
    folder = ray_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with package_alone(folder), ray_environment(), token_of_our_own(), _loopback_only():
        import ray

        try:
            with _no_job_server():
                ray.init(
                    address="local",
                    num_cpus=node.cpus,
                    num_gpus=node.gpus,
                    job_config=nothing_from_here(),
                    _temp_dir=str(folder),
                    **quiet_options(),
                )
            yield
        finally:
            ray.shutdown()


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


@contextmanager
def _no_job_server() -> Iterator[None]:
    """Ray starts as where `ray[default]` is not installed: without the servers of a cluster's dashboard and jobs.

    Nobody could speak to them here, and they cost a search some 2 of 20 CPU seconds (Ray 2.60), dashboard or not.
    """
    from ray._private import utils

    installed = getattr(utils, "get_dashboard_dependency_error", None)  # another Ray may ask otherwise
    utils.get_dashboard_dependency_error = lambda: ImportError("not wanted")
    try:
        yield
    finally:
        utils.get_dashboard_dependency_error = installed
