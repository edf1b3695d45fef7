"""Ray for the length of a search: its own, quiet and private, or the one that the user names."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wrn_search.search.gpu_memory import gpu_bytes_by_node
from wrn_search.search.sizing import Node, node_of
from wrn_search.space.errors import InputError

# What Tune must not do: print its own boxes and warnings, write its own logs, snapshot its state, catch our signals.
_ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Its monitor's way of ending a process takes the whole of Tune along; the kernel's way ends one trial.
    "RAY_memory_monitor_refresh_ms": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "1000000000",
    "TUNE_WARN_THRESHOLD_S": "1000000000",
}

SECONDS_FOR_AN_ANSWER = 5.0


@contextmanager
def own_ray(node: Node) -> Iterator[None]:
    """A Ray of our own on this machine; never joins a cluster by accident, also not through RAY_ADDRESS."""
    _set_environment()
    import ray

    # Trial processes inherit it: they must find the same package wherever the command was started.
    package = str(Path(__file__).resolve().parents[2])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([package, *([before] if before else [])])
    try:
        ray.init(address="local", num_cpus=node.cpus, num_gpus=node.gpus, **_quiet())
        yield
    finally:
        ray.shutdown()
        if before is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = before


@contextmanager
def ray_at(address: str) -> Iterator[list[Node]]:
    """The Ray cluster at an address; hands out its nodes.

    Raises:
        InputError: no cluster answers there.
    """
    _set_environment()
    import ray

    if address.startswith("ray://"):
        text = "must be HOST:PORT of a cluster's head node or auto, but got Ray Client's"
        raise InputError.of("--address", f"{text} {address}; run the command on the head node (ray submit)")
    try:
        _knock(address)
        ray.init(address=address, **_quiet())
    except (OSError, OverflowError, ValueError, RuntimeError) as error:  # OSError: ConnectionError too
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        text = (
            f"a Ray cluster must answer at {address} (start one with `ray start --head`), but got: {reason}"
        )
        raise InputError.of("--address", text) from None
    try:
        yield joined_nodes()
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Sees to it that something listens at HOST:PORT: Ray itself would try for minutes.

    Raises:
        OSError, OverflowError: nobody answers, or there is no such host or port.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), SECONDS_FOR_AN_ANSWER).close()


def joined_nodes() -> list[Node]:
    """The living nodes of the Ray that this process is connected to."""
    import ray

    memory = gpu_bytes_by_node()
    return [
        node_of(node["Resources"], memory.get(node["NodeID"], 0)) for node in ray.nodes() if node["Alive"]
    ]


def is_connected() -> bool:
    """Whether this process (a notebook) has connected to Ray already."""
    _set_environment()
    import ray

    return bool(ray.is_initialized())


def _set_environment() -> None:
    os.environ.update(_ENVIRONMENT)


def _quiet() -> dict[str, Any]:
    logging.getLogger("ray").setLevel(logging.ERROR)
    # Tune tells with a traceback that its last snapshot finds no room; nobody reads it, and we tell the reason.
    logging.getLogger("ray.tune.execution.experiment_state").setLevel(logging.CRITICAL)
    return {
        "include_dashboard": False,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
    }
