"""A real S3 server program (moto's) on loopback, and a bucket on it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pyarrow import fs

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
_PROGRAM = "from moto.server import main; import sys; main(sys.argv[1:])"


@contextmanager
def s3_server() -> Iterator[str]:
    """HOST:PORT of a running server, which ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", _PROGRAM, "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def new_bucket(server: str, name: str) -> str:
    """The address of a folder `searches/small` in a new bucket; the credentials must be in the environment."""
    files = fs.S3FileSystem(endpoint_override=server, scheme="http", allow_bucket_creation=True)
    files.create_dir(name)
    return f"s3://{name}/searches/small?endpoint_override={server}&scheme=http"


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the S3 server did not start")
