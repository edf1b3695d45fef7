"""What goes up when, and what leaves the store when, against a real S3 server program."""

from __future__ import annotations

from tests.results.searches import every_event, record_of
from wrn_search.results.events import Completed
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy.copy_of_a_session import add_to_copy, copied, copied_again, ready_copy
from wrn_search.results.s3_copy.fetch import fetch
from wrn_search.results.s3_copy.object_store import ObjectStore
from wrn_search.results.s3_copy.upload import Mirror


def test_a_checkpoint_leaves_the_store_after_the_line_that_frees_it(directory, address, monkeypatch) -> None:
    """Else a machine that goes on from the copy trains that trial from its first epoch."""
    store = ObjectStore(address)
    mirror = Mirror(directory, store, tell=lambda text: None, seconds=3600)
    mirror.upload()
    freed = directory.checkpoints / "a.pt"
    upload_new = mirror._upload_new

    def ends_meanwhile(folder: str) -> set[str]:
        if folder == "checkpoints" and freed.exists():
            with Record.open(directory.events) as record:
                record.append(Completed(4))
            freed.unlink()
        return upload_new(folder)

    monkeypatch.setattr(mirror, "_upload_new", ends_meanwhile)
    mirror.upload()  # the line came after the record's size was taken: it goes up in the next round
    assert not store.get(store.names("events")[-1]).endswith(directory.events.read_bytes()[-100:])
    assert "checkpoints/a.pt" in store.names("checkpoints")
    mirror.close()
    assert "checkpoints/a.pt" not in store.names("checkpoints")
    assert store.get(store.names("events")[-1]).endswith(directory.events.read_bytes()[-100:])


def test_a_run_that_is_written_anew_leaves_no_older_file(directory, address) -> None:
    """Else TensorBoard shows the steps 1, 1, 2, 2."""
    run = directory.tensorboard / "000_WRN-16-4"
    run.mkdir(parents=True)
    (run / "events.out.tfevents.1").write_bytes(b"first")
    store = ObjectStore(address)
    mirror = Mirror(directory, store, tell=lambda text: None, seconds=3600)
    mirror.upload()
    (run / "events.out.tfevents.1").unlink()
    (run / "events.out.tfevents.2").write_bytes(b"second")
    mirror.close()
    assert store.names("tensorboard") == ["tensorboard/000_WRN-16-4/events.out.tfevents.2"]


def test_the_page_and_a_confirmation_come_after_the_session_and_are_copied(
    directory, address, tmp_path
) -> None:
    owner = ready_copy(address, ResultsDirectory(tmp_path / "none"), resume=False)
    with copied(directory, owner):
        pass
    directory.report.write_text("the page")
    add_to_copy(directory, directory.report)
    confirmation = directory.confirmation
    with copied_again(directory):
        confirmation.path.mkdir()
        record_of(confirmation.events, every_event()[:3]).close()
        (confirmation.ray / "tune").mkdir(parents=True)
        (confirmation.ray / "tune" / "scratch").touch()
    assert owner.store.get("report.html") == b"the page"
    assert owner.store.names("confirm") == ["confirm/events.jsonl"]
    found = ResultsDirectory(tmp_path / "found")
    fetch(owner.store, found)
    assert len(read_events(found.confirmation.events)) == 3
    assert found.report.read_text() == "the page"


def test_what_comes_after_a_session_is_not_put_into_a_copy_that_went_on(
    directory, address, tmp_path, capsys
) -> None:
    with copied(directory, ready_copy(address, ResultsDirectory(tmp_path / "none"), resume=False)):
        pass
    successor = ready_copy(address, ResultsDirectory(tmp_path / "other"), resume=True)
    directory.report.write_text("the older page")
    add_to_copy(directory, directory.report)
    with copied_again(directory):
        pass
    assert "report.html" not in successor.store.names()
    told = capsys.readouterr().err
    assert "report.html is not in the copy at" in told
    assert "is not brought up: process " in told
