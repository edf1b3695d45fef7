"""Whether this process shows Ray a token, and which: decided by us, since Ray's own default depends on the past.

Ray 2.60 writes a token into the user's home at the first `ray.init` of its own. From then on `ray start --head` demands
it and `ray start --address` does not show it, so a cluster that worked yesterday is refused today. Hence:

- A private Ray has a token of its own, which is in no file: other users of the machine cannot speak to it, and the home
  is left as it was.
- To a cluster that the user names a token is shown if it asks for one, and none otherwise (`cluster/cluster_token.py`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


@contextmanager
def token_of_our_own() -> Iterator[None]:
    """This process, and those that it starts, know a fresh token (256 bits) for as long as the block lasts."""
    with authentication("token", secrets.token_hex(32)):
        yield


@contextmanager
def authentication(mode: str, token: str | None = None) -> Iterator[None]:
    """Ray's authentication mode, `disabled` or `token`, for as long as the block lasts.

    Args:
        mode: Ray's word for it.
        token: default the one that Ray finds: RAY_AUTH_TOKEN, the file RAY_AUTH_TOKEN_PATH, ~/.ray/auth_token.
    """
    before = {name: os.environ.get(name) for name in (MODE, TOKEN)}
    os.environ[MODE] = mode
    if token is not None:
        os.environ[TOKEN] = token
    _read_again()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _read_again()


def has_token() -> bool:
    """Whether there is a token at one of Ray's places, in whatever mode."""
    try:
        from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined] # compiled

        return bool(AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True))
    except ImportError:  # a Ray without tokens, before 2.52
        return False


def place_of_token() -> str:
    """Where Ray takes the token from, for people."""
    if os.environ.get(TOKEN):
        return TOKEN
    path = os.environ.get(TOKEN_PATH)
    return f"{TOKEN_PATH} ({path})" if path else "~/.ray/auth_token"


def _read_again() -> None:
    """Ray's compiled part reads mode and token once a process, so it must be told that they have changed."""
    try:
        from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined] # compiled
    except ImportError:
        return
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()
