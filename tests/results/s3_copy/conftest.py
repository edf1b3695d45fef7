"""A small search and an empty folder in a bucket, for the tests of the copy."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pytest

from tests.results.searches import every_event, record_of
from tests.s3_server import CREDENTIALS, new_bucket, s3_server
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import TableWriter


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """HOST:PORT of a running S3 server."""
    with s3_server() as place:
        yield place


@pytest.fixture
def address(server, monkeypatch, request) -> str:
    """An empty folder in a bucket of that server."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return new_bucket(server, f"bucket{zlib.crc32(request.node.name.encode())}")


@pytest.fixture
def directory(tmp_path) -> ResultsDirectory:
    """Results of a small search: record, tables and two checkpoints."""
    made = ResultsDirectory(tmp_path / "small")
    made.create()
    made.started()
    record_of(made.events, every_event()).close()
    state = fold(read_events(made.events))
    TableWriter(made, state).flush()
    made.checkpoints.mkdir()
    for name in ("a.pt", "b.pt", "c.pt.partial"):
        (made.checkpoints / name).write_bytes(name.encode() * 100)
    made.manifest.write_text("{}")
    return made
