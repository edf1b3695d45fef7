"""TensorBoard's own server over a folder of runs, asked by HTTP as its page asks it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Board = Callable[..., Any]  # (route, body to post or None) -> what the server answers


@contextmanager
def serving(logdir: Path) -> Iterator[Board]:
    """`tensorboard --logdir`; yields a function that asks it."""
    options = ["--logdir", str(logdir), "--host", "127.0.0.1", "--port", "0"]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        addresses = (re.search(r"http://[\d.]+:\d+", line) for line in server.stdout or ())
        address = next(match[0] for match in addresses if match)
        yield lambda route, body=None: _ask(address + route, body)
    finally:
        server.kill()  # SIGINT is ignored below a shell that runs its commands in the background
        server.communicate(timeout=120)


def _ask(url: str, body: Any) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def rows_of(board: Board, sessions: int) -> dict[str, Any]:
    """The rows of the HParams tab by name, once the server has read so many runs."""
    statuses = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
    body = {"allowedStatuses": statuses, "colParams": [], "startIndex": 0, "sliceSize": 1000}
    until = time.monotonic() + 30
    while time.monotonic() < until:
        groups = board("/data/plugin/hparams/session_groups", body).get("sessionGroups", [])
        if sum(len(group["sessions"]) for group in groups) == sessions:
            return {group["name"]: group for group in groups}
        time.sleep(0.2)
    raise AssertionError(f"the server should see {sessions} sessions, but got {groups}")
