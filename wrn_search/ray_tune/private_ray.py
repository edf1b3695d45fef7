"""Ray for the length of a search on this machine: its own, quiet and private."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from wrn_search.hardware.machine import Node
from wrn_search.ray_tune.loopback import check_loopback
from wrn_search.ray_tune.ray_authentication import token_of_our_own
from wrn_search.ray_tune.ray_environment import quiet_options, ray_environment
from wrn_search.ray_tune.ray_folder import ray_folder
from wrn_search.ray_tune.trial_imports import nothing_from_here, package_alone

_CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # on Linux too, whatever its name says
_WAITING = "RAY_prestart_worker_first_driver"  # a Python process at each core that waits for tasks


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
            with _only_what_trials_need():
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
def _only_what_trials_need() -> Iterator[None]:
    """Ray starts without what only a cluster of several users or nodes needs.

    Those are the servers of dashboard and jobs, as where `ray[default]` is not installed, the autoscaler's monitor, and
    who forwards workers' logs, which a search keeps itself. Nor does a Python process wait at each core for tasks that
    never come: a trial has settings of its own, and so a process of its own.
    """
    from ray._private import parameter, services, utils

    wanted = {
        (utils, "get_dashboard_dependency_error"): lambda: ImportError("not wanted"),
        (services, "start_api_server"): lambda *_, **__: (None, None),
        (parameter, "RayParams"): partial(parameter.RayParams, include_log_monitor=False, no_monitor=True),
    }
    before = {(module, name): getattr(module, name, None) for module, name in wanted}
    waiting = os.environ.get(_WAITING)
    os.environ[_WAITING] = "0"
    try:
        for (module, name), value in wanted.items():
            setattr(module, name, value)
        yield
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)
        os.environ.pop(_WAITING)
        if waiting is not None:
            os.environ[_WAITING] = waiting
