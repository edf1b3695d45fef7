from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.decisions.playing import space_of
from wrn_search.errors import InputError
from wrn_search.results.events import Proposed, SearchStarted
from wrn_search.results.events_jsonl import Record
from wrn_search.session.resume import Begun, check_same_split, configurations_outside, resumed_search
from wrn_search.session.search_request import asked_to_resume, request_of

DOCUMENT = {"name": "asked", "dataset": {"name": "digits"}, "model": {"dropout": {"uniform": [0, 0.5]}}}


def _proposed(number: int, dropout: float) -> Proposed:
    config = space_of().trial_config({"dropout": dropout}, number, precision="fp32", compile="off")
    config = replace(config, epochs=60, depth=16)
    return Proposed(number, str(number), number, 0, {"dropout": dropout}, config.to_dict(), 1, 1)


def _begun(path, document=DOCUMENT) -> None:
    """A results directory whose search has begun."""
    path.mkdir()
    request = request_of(document, [], path)
    (path / "resolved.yaml").write_text(yaml.safe_dump(request.space.to_document()))
    with Record.create(path / "events.jsonl") as record:
        record.append(SearchStarted("asked", "id", 60, 90.0, "digits", "split"))


def _resumed(space, overrides, results) -> Begun:
    return resumed_search(asked_to_resume(space, overrides, results))[1]


def test_results_go_to_the_name_unless_told_otherwise(tmp_path) -> None:
    assert str(request_of(DOCUMENT, [], None).directory.path) == "results/asked"
    assert request_of(DOCUMENT, [], tmp_path).directory.path == tmp_path


@pytest.mark.parametrize("address", ["gs://bucket/search", "gs://x", "hdfs://name:9/x"])
def test_an_unknown_store_is_refused_before_anything_is_made(tmp_path, monkeypatch, address) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^--results: must be a directory .* but got .* not supported yet"):
        request_of(DOCUMENT, [], address)
    assert list(tmp_path.iterdir()) == []


def test_rows_are_the_trials_that_there_can_be() -> None:
    assert request_of(DOCUMENT, ["search.trials=5", "search.repeats=3"], None).rows == 15
    finite = DOCUMENT | {"model": {"depth": {"choice": [10, 16]}}}
    assert request_of(finite, ["search.repeats=3"], None).rows == 6


def test_a_file_is_kept_as_given_and_a_root_made_absolute(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "# why\nname: asked\ndataset: {name: parquet, root: images}\n"
    (tmp_path / "space.yaml").write_text(text)
    request = request_of(tmp_path / "space.yaml", [], None)
    assert request.space_text == text
    assert request.space.dataset.root == str(tmp_path / "images")


def test_the_same_search_resumes_also_with_other_resources(tmp_path) -> None:
    _begun(tmp_path / "search")
    overrides = ["resources.concurrent=1", "search.max_hours=2", "description=more hours"]
    assert _resumed(DOCUMENT, overrides, tmp_path / "search").state.search == "asked"


def test_another_search_does_not(tmp_path) -> None:
    _begun(tmp_path / "search")
    overrides = [
        "training.epochs=9",
        "training.lr_schedule=cosine",
        "dataset.validation=200",
        "search.seed=1",
    ]
    with pytest.raises(InputError) as caught:
        _resumed(DOCUMENT, overrides, tmp_path / "search")
    rule = "must stay what it was when a search is resumed, so that its trials can be compared"
    hint = f"; a new search can learn from this one: search.warm_start: [{tmp_path / 'search'}]"
    assert str(caught.value).splitlines() == [
        f"dataset.validation: {rule}: 300, but got 200{hint}",
        f"search.seed: {rule}: 0, but got 1{hint}",
        f"training.epochs: {rule}: 60, but got 9{hint}",
        f"training.lr_schedule: {rule}: 'step', but got 'cosine'{hint}",
    ]


def test_a_search_goes_on_in_another_space(tmp_path) -> None:
    _begun(tmp_path / "search")
    overrides = [
        "model.dropout={uniform: [0.2, 0.3]}",
        "model.depth={choice: [10, 16]}",
        "search.searcher=random",
    ]
    begun = _resumed(DOCUMENT, overrides, tmp_path / "search")
    assert begun.changed == {
        "model.depth": {"choice": [10, 16]},
        "model.dropout": {"uniform": [0.2, 0.3]},
        "search.searcher": "random",
    }
    assert begun.has_another_space
    assert not _resumed(DOCUMENT, ["search.trials=99"], tmp_path / "search").has_another_space


def test_another_space_needs_room_for_trials(tmp_path) -> None:
    _begun(tmp_path / "search")
    with Record.open(tmp_path / "search" / "events.jsonl") as record:
        for number in range(2):
            record.append(_proposed(number, dropout=0.1))
    overrides = ["model.dropout={uniform: [0.2, 0.3]}", "search.trials=2"]
    with pytest.raises(
        InputError, match=r"^search.trials: must be above the 2 configurations that .* but got 2"
    ):
        _resumed(DOCUMENT, overrides, tmp_path / "search")


def test_trials_of_an_earlier_space_count_beside_those_of_this_one(tmp_path) -> None:
    _begun(tmp_path / "search")
    with Record.open(tmp_path / "search" / "events.jsonl") as record:
        for number, dropout in enumerate([0.1, 0.25, 0.3]):
            record.append(_proposed(number, dropout))
    overrides = ["model.dropout={choice: [0.25, 0.4]}", "search.trials=64"]
    assert request_of(DOCUMENT, overrides, tmp_path / "search").rows == 2
    request, begun = resumed_search(asked_to_resume(DOCUMENT, overrides, tmp_path / "search"))
    assert configurations_outside(request.space, begun.state) == 2
    assert request.rows == 4


def test_keys_of_a_later_version_are_no_change(tmp_path) -> None:
    _begun(tmp_path / "search")
    path = tmp_path / "search" / "resolved.yaml"
    document = yaml.safe_load(path.read_text())
    del document["search"]["warm_start"], document["search"]["keep_checkpoints"]
    path.write_text(yaml.safe_dump(document))
    assert _resumed(DOCUMENT, [], tmp_path / "search").changed == {}


def test_there_must_be_a_search_to_resume(tmp_path) -> None:
    with pytest.raises(
        InputError, match=r"^--resume: a search must be there to be resumed, but .* holds none"
    ):
        _resumed(DOCUMENT, [], tmp_path / "nothing")


@pytest.mark.parametrize("content", [None, b"", b"name: [", b"- 1", b"\xff\xfe"])
def test_a_search_whose_resolved_space_is_gone_or_damaged_is_not_resumed(tmp_path, content) -> None:
    _begun(tmp_path / "search")
    path = tmp_path / "search" / "resolved.yaml"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(
        InputError,
        match=r"resolved.yaml: must tell the search.s space .*, but it (cannot be read|is damaged)",
    ):
        _resumed(DOCUMENT, [], tmp_path / "search")


def test_the_images_must_be_those_of_the_beginning(tmp_path) -> None:
    _begun(tmp_path / "search")
    state = _resumed(DOCUMENT, ["dataset.root=elsewhere"], tmp_path / "search").state
    check_same_split(state, "split")
    with pytest.raises(
        InputError, match=r"^dataset: the images must be those .*: split split, but got other"
    ):
        check_same_split(state, "other")


def test_a_record_that_knows_the_pixels_refuses_others_and_one_that_does_not_goes_on(tmp_path) -> None:
    _begun(tmp_path / "search")
    state = _resumed(DOCUMENT, [], tmp_path / "search").state
    check_same_split(state, "split-pixels")  # a record of before pixels were hashed
    state.split_hash = "split-pixels"
    check_same_split(state, "split-pixels")
    with pytest.raises(InputError, match=r"but got split-others \(the same labels, but other pixels\)$"):
        check_same_split(state, "split-others")


@pytest.mark.parametrize("content", [None, b"", b'{"seq":0,"ti'])
def test_tables_without_a_record_are_not_gone_on_with(tmp_path, content) -> None:
    _begun(tmp_path / "search")
    events = tmp_path / "search" / "events.jsonl"
    events.unlink() if content is None else events.write_bytes(content)
    (tmp_path / "search" / "trials.parquet").touch()
    with pytest.raises(
        InputError, match=r"^--resume: the record must be whole, but .*events.jsonl is missing"
    ):
        _resumed(DOCUMENT, [], tmp_path / "search")


def test_the_results_of_a_cluster_lie_on_its_shared_storage(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_RESULTS", str(tmp_path / "shared"))
    space = space_of()
    assert request_of(space, [], None).directory.path == tmp_path / "shared" / space.name
    assert request_of(space, [], "here").directory.path == Path("here")
    monkeypatch.delenv("WRN_SEARCH_RESULTS")
    assert request_of(space, [], None).directory.path == Path("results") / space.name
