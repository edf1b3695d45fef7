"""What a session, and a plan of one, make of a copy, against a real S3 server program."""

from __future__ import annotations

import pytest

from tests.results.searches import every_event
from wrn_search.errors import InputError
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.s3_copy.copy_of_a_session import CopyBehind, copied, ready_copy
from wrn_search.results.s3_copy.object_store import ObjectStore
from wrn_search.results.s3_copy.owner import owner_of
from wrn_search.results.s3_copy.upload import Mirror
from wrn_search.results.state_from_events import fold
from wrn_search.results.trial_state import FINAL
from wrn_search.session.dry_run import dry_run
from wrn_search.session.search_request import request_of
from wrn_search.space.yaml_with_lines import yaml_text

SPACE = {
    "name": "small",
    "dataset": {"name": "digits"},
    "model": {"depth": {"choice": [10, 16]}},
    "search": {"searcher": "random", "trials": 9},
    "resources": {"concurrent": 1, "cpus_per_trial": 1},
}


def break_down(text: str) -> None:
    raise OSError(text)


@pytest.mark.parametrize("why", [RuntimeError("Ray is gone"), KeyboardInterrupt()])
def test_a_copy_that_falls_behind_does_not_hide_what_went_wrong(
    why, directory, address, tmp_path, monkeypatch, capsys
) -> None:
    owner = ready_copy(address, ResultsDirectory(tmp_path / "none"), resume=False)

    def session() -> None:
        with copied(directory, owner):
            monkeypatch.setattr(owner.store, "put", lambda name, content: break_down("the network is down"))
            raise why

    with pytest.raises(type(why)):
        session()
    told = capsys.readouterr().err
    assert told == (
        f"the results are whole in {directory.path}, but not their copy at {address}: the network is down; "
        "--resume brings it up\n"
    )


def test_a_copy_that_falls_behind_is_an_error_of_its_own(
    directory, address, tmp_path, monkeypatch, capsys
) -> None:
    owner = ready_copy(address, ResultsDirectory(tmp_path / "none"), resume=False)

    def session() -> None:
        with copied(directory, owner):
            monkeypatch.setattr(owner.store, "put", lambda name, content: break_down("the network is down"))

    with pytest.raises(CopyBehind, match="the network is down; --resume brings it up"):
        session()


def test_a_dry_run_looks_at_what_is_only_in_the_copy(directory, address, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_RESULTS", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match="a search must be there to be resumed"):
        dry_run(SPACE, results=address, resume=True)
    directory.resolved.write_text(yaml_text(request_of(SPACE, (), None).space.to_document()))
    store = ObjectStore(address)
    Mirror(directory, store, tell=lambda text: None, seconds=3600).close()
    before = {name: store.get(name) for name in store.names()}
    plan = dry_run(SPACE, overrides=["search.trials=12"], results=address, resume=True)
    ended = sum(trial.status in FINAL for trial in fold(every_event()).trials.values())
    assert f"{ended} trials ended there" in plan
    assert "search.trials: 12" in plan
    assert str(tmp_path / "elsewhere" / "small") in plan
    with pytest.raises(InputError, match=r"results are never overwritten, but s3://.* holds a search"):
        dry_run(SPACE, results=address)
    assert not (tmp_path / "elsewhere").exists()
    assert {name: store.get(name) for name in store.names()} == before
    assert owner_of(store) == {}
