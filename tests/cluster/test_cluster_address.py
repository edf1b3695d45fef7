"""Addresses at which no cluster answers: told within seconds, before Ray tries for minutes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from wrn_search.cluster import cluster_address
from wrn_search.cluster.cluster_address import check_answers, ray_at
from wrn_search.errors import InputError


@contextlib.contextmanager
def _listener(answer: bytes | None) -> Iterator[str]:
    """HOST:PORT of a server that gives one answer, or none."""
    with socket.create_server(("", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.recv(100)
                    if answer is not None:
                        connection.sendall(answer)
                    else:
                        connection.recv(100)  # until the other side has had enough

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak Ray's protocol"),
        (b"", "does not speak Ray's protocol"),
        (None, "timed out"),
    ],
    ids=["a web server", "one that hangs up", "one that says nothing"],
)
def test_what_is_no_ray_is_told(answer, reason, monkeypatch) -> None:
    monkeypatch.setattr(cluster_address, "SECONDS_FOR_AN_ANSWER", 1.0)
    began = time.monotonic()
    with _listener(answer) as address, pytest.raises(InputError, match=reason) as raised, ray_at(address):
        pass
    assert time.monotonic() - began < 15
    told = (
        f"--address: a Ray cluster must answer at {address} (start one with `ray start --head` or `ray up`)"
    )
    assert str(raised.value).startswith(told)


def test_auto_goes_where_ray_address_points(monkeypatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    told = r"at auto \(RAY_ADDRESS=127.0.0.1:1\) .* Connection refused"
    with pytest.raises(InputError, match=told), ray_at("auto"):
        pass


def test_another_server_that_speaks_ray_s_protocol_is_told() -> None:
    """As at the port of Ray Client, or of a node that is no head."""
    import grpc

    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("0.0.0.0:0")
    server.start()
    began = time.monotonic()
    try:
        with (
            pytest.raises(InputError, match="does not answer as Ray's head node"),
            ray_at(f"127.0.0.1:{port}"),
        ):
            pass
    finally:
        server.stop(None).wait()
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("scheme", ["http", "https", "ray", "redis"])
@pytest.mark.parametrize("place", ["--address", "RAY_ADDRESS"])
def test_an_address_of_another_protocol_is_told_with_its_scheme_and_where_it_stands(
    scheme, place, monkeypatch
) -> None:
    """Of RAY_ADDRESS, which `ray dashboard` and the job server want so, nothing but `auto` takes notice."""
    address = f"{scheme}://127.0.0.1:8265"
    if place == "RAY_ADDRESS":
        monkeypatch.setenv(place, address)
    rule = f"^{place}: must be HOST:PORT of a cluster's head node or auto, but got .*\\({scheme}://\\), {address};"
    with pytest.raises(InputError, match=rule):
        check_answers(address if place == "--address" else "auto")
