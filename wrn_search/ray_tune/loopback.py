"""Whether the processes of a machine can speak to each other: Ray's would try for minutes without a word."""

from __future__ import annotations

import socket

from wrn_search.errors import InputError

SECONDS = 5.0


def check_loopback() -> None:
    """Sees to it that a connection to this machine itself is possible, by IPv4 or by IPv6.

    Raises:
        InputError: it is not, within seconds.
    """
    try:
        _connect("127.0.0.1", socket.AF_INET)
    except OSError as error:
        try:
            _connect("::1", socket.AF_INET6)
        except OSError:
            rule = "the loopback interface must be up (ip link set lo up): Ray's processes speak through it"
            text = f"{rule}, but got: {error.strerror or error} (127.0.0.1)"
            raise InputError.of("", text) from None


def _connect(host: str, family: socket.AddressFamily) -> None:
    with socket.create_server((host, 0), family=family) as server:
        socket.create_connection(server.getsockname()[:2], timeout=SECONDS).close()
