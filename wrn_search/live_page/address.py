"""Where the live page listens, and the token without which it tells nothing."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass
from urllib.parse import quote

from wrn_search.errors import InputError

LOOPBACK = "127.0.0.1"
ANY_PORT = 0
_BACKLOG = 64


@dataclass(frozen=True)
class Listening:
    """A socket that listens, and who may ask."""

    socket: socket.socket
    host: str
    port: int
    token: str

    @property
    def address(self) -> str:
        """Of the page, for a browser."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        if self.host in ("0.0.0.0", "::"):  # all of them: by its name others find this machine
            shown = socket.gethostname()
        return f"http://{shown}:{self.port}/?token={quote(self.token)}"

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can ask."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def listen(host: str = LOOPBACK, port: int = ANY_PORT) -> Listening:
    """A socket at this address; without a port at one that is free.

    Raises:
        InputError: the port is taken or may not be used, or the host is none of this machine.
    """
    if not 0 <= port <= 65535:
        raise InputError.of("--port", f"must be 1 to 65535, but got {port}")
    try:
        ((family, _, _, _, place), *_) = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError.of(
            "--host", f"must be an address of this machine, but got '{host}': {reason}"
        ) from None
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of a server that has just ended
        made.bind(place)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        if port == ANY_PORT or "assign" in str(error.strerror):
            text = f"must be an address of this machine, but got '{host}': {error.strerror}"
            raise InputError.of("--host", text) from None
        text = f"must be a free port, but {port} on {host} cannot be had: {error.strerror}"
        raise InputError.of("--port", f"{text}; without --port a free one is taken") from None
    return Listening(made, host, made.getsockname()[1], secrets.token_urlsafe(24))
