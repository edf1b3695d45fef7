import pytest
import yaml

from tests.search.playing import space_of
from wrn_search.results.events import SearchStarted
from wrn_search.results.record import Record
from wrn_search.search.request import check_batch_size, check_same_split, request_of, resumable_state
from wrn_search.space.errors import InputError

DOCUMENT = {"name": "asked", "dataset": {"name": "digits"}, "model": {"dropout": {"uniform": [0, 0.5]}}}


def _begun(path, document=DOCUMENT) -> None:
    """A results directory whose search has begun."""
    path.mkdir()
    request = request_of(document, [], path)
    (path / "resolved.yaml").write_text(yaml.safe_dump(request.space.to_document()))
    with Record.create(path / "events.jsonl") as record:
        record.append(SearchStarted("asked", "id", 60, 90.0, "digits", "split"))


def test_results_go_to_the_name_unless_told_otherwise(tmp_path) -> None:
    assert str(request_of(DOCUMENT, [], None).directory.path) == "results/asked"
    assert request_of(DOCUMENT, [], tmp_path).directory.path == tmp_path


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
    assert resumable_state(request_of(DOCUMENT, overrides, tmp_path / "search")).search == "asked"


def test_another_search_does_not(tmp_path) -> None:
    _begun(tmp_path / "search")
    overrides = ["training.epochs=9", "model.dropout=0.1", "dataset.validation=200"]
    with pytest.raises(InputError) as caught:
        resumable_state(request_of(DOCUMENT, overrides, tmp_path / "search"))
    rule = "must stay what it was when a search is resumed, so that its trials can be compared"
    assert str(caught.value).splitlines() == [
        f"dataset.validation: {rule}: 300, but got 200",
        f"model.dropout: {rule}: {{uniform: [0.0, 0.5]}}, but got 0.1",
        f"training.epochs: {rule}: 60, but got 9",
    ]


def test_there_must_be_a_search_to_resume(tmp_path) -> None:
    with pytest.raises(
        InputError, match=r"^--resume: a search must be there to be resumed, but .* holds none"
    ):
        resumable_state(request_of(DOCUMENT, [], tmp_path / "nothing"))


def test_a_batch_takes_no_more_images_than_there_are() -> None:
    space = space_of(training={"batch_size": {"choice": [64, 512]}})
    check_batch_size(space, 512)
    with pytest.raises(InputError, match=r"batch_size must be at most the 511 images .* but got 512"):
        check_batch_size(space, 511)


@pytest.mark.parametrize("content", [None, b"", b"name: [", b"- 1", b"\xff\xfe"])
def test_a_search_whose_resolved_space_is_gone_or_damaged_is_not_resumed(tmp_path, content) -> None:
    _begun(tmp_path / "search")
    path = tmp_path / "search" / "resolved.yaml"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"resolved.yaml: --resume needs .*, but it (cannot be read|is damaged)"
    ):
        resumable_state(request_of(DOCUMENT, [], tmp_path / "search"))


def test_the_images_must_be_those_of_the_beginning(tmp_path) -> None:
    _begun(tmp_path / "search")
    state = resumable_state(request_of(DOCUMENT, ["dataset.root=elsewhere"], tmp_path / "search"))
    check_same_split(state, "split")
    with pytest.raises(
        InputError, match=r"^dataset: the images must be those .*: split split, but got other"
    ):
        check_same_split(state, "other")


@pytest.mark.parametrize("content", [None, b"", b'{"seq":0,"ti'])
def test_tables_without_a_record_are_not_gone_on_with(tmp_path, content) -> None:
    _begun(tmp_path / "search")
    events = tmp_path / "search" / "events.jsonl"
    events.unlink() if content is None else events.write_bytes(content)
    (tmp_path / "search" / "trials.parquet").touch()
    with pytest.raises(
        InputError, match=r"^--resume: the record must be whole, but .*events.jsonl is missing"
    ):
        resumable_state(request_of(DOCUMENT, [], tmp_path / "search"))
