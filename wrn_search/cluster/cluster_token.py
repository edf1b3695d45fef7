"""Whether a cluster wants a token, asked of its head node: the driver must do as the cluster does."""

from __future__ import annotations

import os
import queue
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wrn_search.errors import InputError
from wrn_search.ray_tune.ray_authentication import authentication, has_token, place_of_token

SECONDS_FOR_THE_HEAD = 8.0
_GRPC_UNIMPLEMENTED = 12
_REFUSED = ("Unauthenticated", "InvalidAuthToken", "authentication token")  # in Ray's words


def authentication_of(address: str) -> str | None:
    """RAY_AUTH_MODE of the cluster whose head node is at HOST:PORT; None when no head answers there in time.

    Raises:
        InputError: it wants a token that this process does not have.
    """
    with authentication("disabled"), _without_warnings_of_a_refusal():
        answer = _answer(address)
    if answer != "refused":
        return "disabled" if answer == "head" else None
    if not has_token():
        raise refused(address, None)
    with authentication("token"), _without_warnings_of_a_refusal():
        answer = _answer(address)
    if answer == "refused":
        raise refused(address, place_of_token())
    return "token" if answer == "head" else None


def refused(address: str, place: str | None) -> InputError:
    """The error of a cluster that was shown no token, or one from `place` that is not its own."""
    came = "none" if place is None else f"another one from {place}"
    how = "set RAY_AUTH_TOKEN to it, or RAY_AUTH_TOKEN_PATH to a file that holds it (docs/cluster.md)"
    text = f"the Ray cluster at {address} must be shown its authentication token, but got {came}; {how}"
    return InputError.of("--address", text)


def is_refusal(error: Exception) -> bool:
    """Whether a cluster has refused us for want of the right token."""
    return any(sign in str(error) for sign in _REFUSED)


@contextmanager
def _without_warnings_of_a_refusal() -> Iterator[None]:
    """What Ray's compiled part writes to standard error of a token that was only tried, is dropped; all else is not.

    Its level of warnings is read when Ray is loaded, so it cannot be asked to say less here.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            for line in file:
                if not (b"gcs_client.cc" in line and _REFUSED[0].encode() in line):
                    os.write(2, line)


def _answer(address: str) -> str:
    """`head`, `refused` or `nobody`: whether Ray's own client gets an answer in time.

    Other servers of a cluster speak its protocol, too, but know no head.
    """
    from ray._raylet import GcsClient  # type: ignore[attr-defined] # compiled

    answers: queue.Queue[str] = queue.Queue()

    def ask() -> None:
        try:
            GcsClient(address=address)
        except Exception as error:  # but for these two, ray.init will say it better
            unknown = getattr(error, "rpc_code", None) == _GRPC_UNIMPLEMENTED
            answers.put("refused" if is_refusal(error) else "nobody" if unknown else "head")
        else:
            answers.put("head")

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answers.get(timeout=SECONDS_FOR_THE_HEAD)
    except queue.Empty:
        return "nobody"
