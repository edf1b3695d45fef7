"""The copy in an object store, against a real S3 server program on loopback (moto's)."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from tests.results.searches import every_event
from tests.s3_server import CREDENTIALS
from wrn_search.errors import InputError
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy import fetch as fetch_module
from wrn_search.results.s3_copy import upload as mirror_module
from wrn_search.results.s3_copy.fetch import check_continues, fetch
from wrn_search.results.s3_copy.object_store import ObjectStore, holds_search, local_copy, segment_name
from wrn_search.results.s3_copy.upload import Mirror
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.session.search_request import request_of


def _mirrored(directory: ResultsDirectory, store: ObjectStore) -> list[str]:
    """What the store holds after one session's mirror."""
    Mirror(directory, store, tell=lambda text: None, seconds=3600).close()
    return store.names()


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_everything_that_counts_goes_up_and_comes_back(directory, address, tmp_path) -> None:
    store = ObjectStore(address)
    assert not holds_search(store)
    assert _mirrored(directory, store) == [
        *("checkpoints/a.pt", "checkpoints/b.pt", "epochs/part-000000.parquet", segment_name(0)),
        *("manifest.json", "trials.parquet"),
    ]
    assert holds_search(store)
    again = ResultsDirectory(tmp_path / "elsewhere")
    fetch(store, again)
    expected = _files(directory.path)
    del expected["checkpoints/c.pt.partial"]
    assert _files(again.path) == expected
    with Record.open(again.events) as record:
        assert len(record.events) == len(every_event())


def test_tables_are_read_in_place(directory, address) -> None:
    store = ObjectStore(address)
    _mirrored(directory, store)
    files, root = fs.FileSystem.from_uri(address)
    assert pq.read_table(f"{root}/trials.parquet", filesystem=files).num_rows == 6


@pytest.mark.parametrize(
    "segment_bytes",
    [
        pytest.param(500, marks=pytest.mark.slow),
        pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.exhaustive]),
        10**6,
    ],
)
def test_closed_segments_are_never_written_again(directory, address, monkeypatch, segment_bytes) -> None:
    monkeypatch.setattr(mirror_module, "SEGMENT_BYTES", max(segment_bytes, 2000))  # a line at least
    store = ObjectStore(address)
    written: list[str] = []
    put = store.put
    monkeypatch.setattr(store, "put", lambda name, content: (written.append(name), put(name, content)))
    lines = directory.events.read_bytes().splitlines(keepends=True)
    directory.events.write_bytes(b"")
    mirror = Mirror(directory, store, tell=lambda text: None, seconds=3600)
    for line in lines:
        with directory.events.open("ab") as file:
            file.write(line)
        mirror.upload()
        assert b"".join(store.get(name) for name in store.names("events")) == directory.events.read_bytes()
    mirror.close()
    segments = store.names("events")
    if len(segments) > 1:
        last_write = {name: place for place, name in enumerate(written) if name.startswith("events/")}
        order = [name for name, _ in sorted(last_write.items(), key=lambda item: item[1])]
        assert order == segments  # each was done with before the next began
    # Another session cuts the record in the same places.
    before = {name: store.get(name) for name in segments}
    _mirrored(directory, store)
    assert {name: store.get(name) for name in store.names("events")} == before


def test_half_a_line_stays_here(directory, address) -> None:
    with directory.events.open("ab") as file:
        file.write(b'{"seq":99,"ti')
    store = ObjectStore(address)
    _mirrored(directory, store)
    assert store.get(segment_name(0)).endswith(b"}\n")


def test_what_is_no_longer_needed_goes_there_too(directory, address) -> None:
    store = ObjectStore(address)
    mirror = Mirror(directory, store, tell=lambda text: None, seconds=3600)
    mirror.upload()
    (directory.checkpoints / "a.pt").unlink()
    (directory.epochs / "part-000000.parquet").rename(directory.epochs / "part-000001.parquet")
    mirror.close()
    assert [name for name in store.names() if "/" in name and not name.startswith("events")] == [
        "checkpoints/b.pt",
        "epochs/part-000001.parquet",
    ]


def test_a_copy_that_went_on_elsewhere_is_not_overwritten(directory, address) -> None:
    store = ObjectStore(address)
    _mirrored(directory, store)
    check_continues(store, directory)
    lines = directory.events.read_bytes().splitlines(keepends=True)
    directory.events.write_bytes(b"".join(lines[:-3]))
    with pytest.raises(InputError, match=r"^--results: the record in .* must go on where the copy ends"):
        check_continues(store, directory)
    directory.events.write_bytes(b"".join(lines))
    with Record.open(directory.events) as record:
        record.append(every_event()[-1][1])
    check_continues(store, directory)


def test_a_missing_segment_is_named(directory, address, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(mirror_module, "SEGMENT_BYTES", 1500)
    store = ObjectStore(address)
    _mirrored(directory, store)
    segments = store.names("events")
    store.remove(segments[1])
    with pytest.raises(InputError, match=r"segments must follow each other, but byte \d+ is missing"):
        fetch(store, ResultsDirectory(tmp_path / "elsewhere"))
    assert not ResultsDirectory(tmp_path / "elsewhere").exists()


def test_a_store_that_goes_away_stops_nothing_and_is_told_once(directory, address, monkeypatch) -> None:
    store, told = ObjectStore(address), []
    put, broken = store.put, [True]

    def put_or_not(name: str, content: bytes) -> None:
        if broken[0]:
            raise OSError("the network is down")
        put(name, content)

    monkeypatch.setattr(store, "put", put_or_not)
    mirror = Mirror(directory, store, told.append, seconds=0.02)
    deadline = time.monotonic() + 30
    while not told and time.monotonic() < deadline:
        time.sleep(0.02)
    broken[0] = False
    while len(told) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    mirror.close()
    assert [text.partition(": ")[2] or text[-19:] for text in told] == [
        "the network is down",
        "is up to date again",
    ]
    assert holds_search(store)


def test_a_last_upload_that_fails_is_an_error(directory, address, monkeypatch) -> None:
    store = ObjectStore(address)
    mirror = Mirror(directory, store, tell=lambda text: None, seconds=3600)
    monkeypatch.setattr(store, "put", lambda name, content: (_ for _ in ()).throw(OSError("denied")))
    with pytest.raises(OSError, match="denied"):
        mirror.close()


@pytest.mark.parametrize(
    "address", ["s3://", "s3://bucket", "s3://bucket/", "s3://bucket/..", "s3://bucket/a b"]
)
def test_an_address_must_name_a_folder_in_a_bucket(address) -> None:
    with pytest.raises(InputError, match=r"^--results: must be s3://BUCKET/\.\.\./NAME, but got "):
        local_copy(address)


@pytest.mark.parametrize(
    "address",
    [
        *("s3://KEY:SECRET@bucket/name", "S3://KEY:SECRET@bucket/name", "s3://KEY@bucket/name"),
        *(
            "s3://KEY:SEC/RET@bucket/name",
            "s3://bucket/name?secret_key=SECRET",
            "gs://KEY:SECRET@bucket/name",
        ),
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(address) -> None:
    with pytest.raises(InputError, match=r"^--results: an address must hold no credentials") as refusal:
        request_of({"name": "small", "dataset": {"name": "digits"}}, (), address)
    assert not {"KEY", "SECRET", "RET"} & set(re.split(r"\W+", str(refusal.value)))


def test_the_local_half_is_named_like_the_copy() -> None:
    assert local_copy("s3://bucket/searches/small?endpoint_override=x:1&scheme=http") == Path("results/small")


def test_a_store_where_nobody_answers_is_told_in_a_line(monkeypatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    store = ObjectStore("s3://bucket/x?endpoint_override=127.0.0.1:1&scheme=http")
    with pytest.raises(
        InputError, match=r"^--results: the object store must answer and let us in, but got: "
    ):
        holds_search(store)


def test_names_of_a_stranger_lead_nowhere(directory, address, tmp_path) -> None:
    with pytest.raises(InputError, match="names must lie below the results directory"):
        fetch_module._inside(tmp_path, "checkpoints/../../x")


def test_a_state_is_the_same_after_the_round_trip(directory, address, tmp_path) -> None:
    store = ObjectStore(address)
    _mirrored(directory, store)
    fetch(store, again := ResultsDirectory(tmp_path / "again"))
    first, second = (fold(read_events(each.events)) for each in (directory, again))
    assert isinstance(first, SearchState)
    assert first == second
