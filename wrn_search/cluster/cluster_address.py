"""The Ray cluster at an address that the user names: whether one answers there, and the connection to it."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from wrn_search.cluster.cluster_token import authentication_of, is_refusal, refused
from wrn_search.cluster.living_nodes import LivingNode, living_nodes
from wrn_search.errors import InputError
from wrn_search.memory.probe.probe_on_gpus import gpu_bytes_by_node
from wrn_search.plugins import environment_of_nodes, shipped_files
from wrn_search.ray_tune.ray_authentication import authentication, has_token, place_of_token
from wrn_search.ray_tune.ray_environment import PACKAGE, quiet_options, ray_environment
from wrn_search.ray_tune.trial_imports import nothing_from_here

SECONDS_FOR_AN_ANSWER = 5.0
# The head node speaks gRPC, which is HTTP/2: a client's first words, with empty settings, and the type of the answer.
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_HTTP2_SETTINGS = 4


@contextmanager
def ray_at(address: str) -> Iterator[list[LivingNode]]:
    """The Ray cluster at an address; hands out its nodes.

    Raises:
        InputError: no cluster answers there.
    """
    with ray_environment(), authentication(check_answers(address)):
        _connect(address)
        import ray

        try:
            with (
                Path(os.devnull).open("w") as nowhere,
                redirect_stdout(nowhere),
            ):  # Ray prints there when a node leaves
                yield living_nodes(gpu_bytes_by_node())
        finally:
            ray.shutdown()


def _connect(address: str) -> None:
    import ray

    try:
        with tempfile.TemporaryDirectory(prefix="wrn-search-plugins-") as scratch:  # Ray keeps a copy
            code = _our_code(Path(scratch))
            ray.init(address=address, runtime_env=code, job_config=nothing_from_here(), **quiet_options())
    except (
        OSError,
        ValueError,
        RuntimeError,
        ray.exceptions.RayError,
    ) as error:  # OSError: ConnectionError too
        if "ersion mismatch" in str(error):
            text = "the cluster's Ray and Python must be this process's, but got:"
            raise InputError.of("--address", f"{text} {' '.join(str(error).split())}") from None
        if is_refusal(error):
            raise refused(address, place_of_token() if has_token() else None) from None
        raise no_answer(address, error) from None


def check_answers(address: str) -> str:
    """Sees to it, within seconds, that a cluster seems to be at an address: Ray itself would try for minutes.

    Returns:
        Its RAY_AUTH_MODE.

    Raises:
        InputError: none answers there, or it wants a token that this process does not have.
    """
    _refuse_scheme(address)
    with ray_environment():
        try:
            return _knock(head_address(address))
        except InputError:
            raise
        except (OSError, OverflowError, ValueError) as error:  # OSError: ConnectionError too
            raise no_answer(address, error) from None


def _refuse_scheme(address: str) -> None:
    """An address of another protocol is told with its scheme, and with the variable if it stands in one.

    Raises:
        InputError: it is one.
    """
    by_variable = address == "auto" and os.environ.get("RAY_ADDRESS")
    given = os.environ["RAY_ADDRESS"] if by_variable else address
    scheme, colons, _ = given.partition("://")
    if not colons:
        return
    whose = {
        "ray": "Ray Client's",
        "http": "that of a dashboard or job server",
        "https": "that of a job server",
    }
    came = f"{whose.get(scheme, 'one')} ({scheme}://), {given}"
    text = f"must be HOST:PORT of a cluster's head node or auto, but got {came}"
    how = "unset it, or run" if by_variable else "run"
    raise InputError.of(
        "RAY_ADDRESS" if by_variable else "--address",
        f"{text}; {how} the command on the head node (ray submit, ray job submit)",
    )


def no_answer(address: str, error: Exception) -> InputError:
    """That a cluster must answer at an address, and what came instead."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    variable = os.environ.get("RAY_ADDRESS") if address == "auto" else None
    address += f" (RAY_ADDRESS={variable})" if variable else ""
    text = f"a Ray cluster must answer at {address} (start one with `ray start --head` or `ray up`)"
    return InputError.of("--address", f"{text}, but got: {reason}")


def _our_code(scratch: Path) -> dict[str, Any]:
    """The runtime environment that brings this package to every node, so that no other version of it runs there.

    And the files of plugins.

    Args:
        scratch: an empty folder, for as long as Ray has not taken them.
    """
    plugins = shipped_files(scratch)
    modules = [str(PACKAGE), *([str(plugins)] if plugins is not None else [])]
    return {"py_modules": modules, "excludes": ["__pycache__/"], "env_vars": environment_of_nodes()}


def head_address(address: str) -> str:
    """HOST:PORT as Ray understands an address: RAY_ADDRESS goes before `auto`, this machine's own IP for localhost.

    Raises:
        ConnectionError: it knows none.
    """
    from ray._private.services import get_ray_address_from_environment, resolve_ip_for_localhost

    found = str(get_ray_address_from_environment("auto", None)) if address == "auto" else address
    host, colon, port = found.rpartition(":")
    return f"{resolve_ip_for_localhost(host)}:{port}" if host and colon else found


def _knock(address: str) -> str:
    """Sees to it that Ray's head node listens at HOST:PORT; returns its RAY_AUTH_MODE.

    Raises:
        OSError, OverflowError: nobody answers, somebody else does, or there is no such host or port.
        InputError: it wants a token that this process does not have.
    """
    host, colon, port = address.rpartition(":")
    if not (colon and port.isdecimal()):
        return "disabled"  # ray.init says what is wrong with it
    with socket.create_connection((host.strip("[]"), int(port)), SECONDS_FOR_AN_ANSWER) as connection:
        connection.sendall(_HTTP2_PREFACE)
        answer = connection.recv(4)
    if len(answer) < 4 or answer[3] != _HTTP2_SETTINGS:
        raise ConnectionError(f"what listens at {address} does not speak Ray's protocol")
    mode = authentication_of(address)
    if mode is None:
        raise ConnectionError(
            f"what listens at {address} does not answer as Ray's head node (its port is 6379)"
        )
    return mode
