"""What a resumed search is: the recorded one, with what its user changes, and nothing it needs twice."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.decisions.playing import conductor_of, metrics, new_record, play
from tests.decisions.playing import space_of as played_space
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.errors import InputError
from wrn_search.results import events_jsonl
from wrn_search.results.event_lines import from_line
from wrn_search.results.events import Proposed, Reported, SearchEnded, SearchResumed, SearchStarted, Started
from wrn_search.results.events_jsonl import Record, read_events, read_whole_lines
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.space_on_record import manifest_on_record, mend_small_files
from wrn_search.results.state_from_events import fold
from wrn_search.session.resume import Begun, is_whole, resumed_search
from wrn_search.session.search_request import Request, asked_to_resume, request_of
from wrn_search.session.search_run import run
from wrn_search.space.space import Space

ROOT = Path(__file__).resolve().parents[2]
FILE = """\
name: asked
dataset: {name: digits}
model:
  depth: {choice: [10, 16]}
  dropout: {uniform: [0, 0.5]}
training: {batch_size: 64}
search: {reduction_factor: 3, trials: 9}
"""


def _begin(folder: Path, text: str = FILE, overrides: tuple[str, ...] = ()) -> Path:
    """A search whose first session was given `text` and --set; its space file beside it."""
    file = folder / "space.yaml"
    file.write_text(text)
    request = request_of(file, overrides, folder / "out")
    request.directory.path.mkdir()
    _session(request, SearchStarted("asked", "id", 60, 90.0, "digits", "split", **_told(request)))
    return file


def _session(request: Request, first: SearchStarted | SearchResumed, *later: Any) -> None:
    events = request.directory.events
    with Record.open(events) if events.exists() else Record.create(events) as record:
        for event in (first, *later):
            record.append(event)


def _told(request: Request) -> dict[str, Any]:
    versions, hardware = {"python": "3.11"}, {"cores": 2}
    return {
        "space": request.space.to_document(),
        "given": request.space_text,
        "versions": versions,
        "hardware": hardware,
        "details": {"created_at": "then", "command": ["run_search.py"]},
    }


def _resumed(space: Path | str, *overrides: str, results: Path | None = None) -> tuple[Space, Begun]:
    request, begun = resumed_search(asked_to_resume(space, overrides, results))
    return request.space, begun


def test_what_the_first_session_was_set_to_stays(tmp_path) -> None:
    file = _begin(
        tmp_path, overrides=("model.depth=16", "training.batch_size=32", "search.reduction_factor=2")
    )
    space, begun = _resumed(file, results=tmp_path / "out")
    assert (space.model.depth, space.training.batch_size, space.search.reduction_factor) == (16, 32, 2)
    assert begun.changed == {}


def test_what_is_changed_in_the_file_or_set_now_changes_and_all_of_it_is_told(tmp_path) -> None:
    file = _begin(tmp_path, overrides=("training.batch_size=32", "search.max_hours=3"))
    file.write_text(FILE.replace("trials: 9", "trials: 20").replace("batch_size: 64", "learning_rate: 0.05"))
    space, begun = _resumed(file, "search.reduction_factor=4", results=tmp_path / "out")
    assert (space.search.trials, space.search.reduction_factor, space.search.max_hours) == (20, 4, 3)
    assert (space.training.learning_rate, space.training.batch_size) == (
        0.05,
        128,
    )  # its line went: the default
    assert begun.changes == [
        "search.reduction_factor: 4 (until now 3)",
        "search.trials: 20 (until now 9)",
        "training.batch_size: 128 (until now 32)",
        "training.learning_rate: 0.05 (until now 0.1)",
    ]


def test_a_file_that_the_last_session_saw_already_does_not_undo_what_that_one_was_set_to(tmp_path) -> None:
    file = _begin(tmp_path)
    file.write_text(FILE.replace("trials: 9", "trials: 20"))
    request, _ = resumed_search(asked_to_resume(file, ["search.trials=30"], tmp_path / "out"))
    _session(request, SearchResumed({"search.trials": 30}, **_told(request)))
    space, begun = _resumed(file, results=tmp_path / "out")
    assert (space.search.trials, begun.changed) == (30, {})


def test_a_decided_search_is_only_read_until_something_else_is_asked_of_it(tmp_path) -> None:
    text = FILE.replace("trials: 9", "trials: 90, stop_when: decided")
    file = _begin(tmp_path, text)
    asked = request_of(file, (), tmp_path / "out")
    _session(asked, SearchResumed(**_told(asked)), SearchEnded("decided"))
    wholes = {}
    for override in ("search.trials=90", "search.trials=120", "search.stop_when=null"):
        request, begun = resumed_search(asked_to_resume(file, (override,), tmp_path / "out"))
        wholes[override] = is_whole(request, begun)
    assert wholes == {"search.trials=90": True, "search.trials=120": False, "search.stop_when=null": False}


@pytest.mark.parametrize("lost", [[], ["resolved.yaml", "search.yaml", "manifest.json"]])
def test_no_space_file_is_needed(tmp_path, lost) -> None:
    _begin(tmp_path, overrides=("model.depth=16",))
    directory = ResultsDirectory(tmp_path / "out")
    mend_small_files(directory, fold(read_events(directory.events)))
    for name in lost:
        (directory.path / name).unlink()
    space, begun = _resumed(directory.path, "search.trials=12")
    assert (space.model.depth, space.search.trials, begun.changed) == (16, 12, {"search.trials": 12})


def test_two_places_are_refused(tmp_path) -> None:
    _begin(tmp_path)
    with pytest.raises(
        InputError, match=r"^--results: must be left out where SPACE is the results directory"
    ):
        _resumed(tmp_path / "out", results=tmp_path / "other")
    assert _resumed(tmp_path / "out", results=tmp_path / "out")[1].changed == {}


def test_mistakes_in_what_is_changed_are_told_with_their_line(tmp_path) -> None:
    file = _begin(tmp_path)
    file.write_text(FILE.replace("trials: 9", "trails: 20"))
    with pytest.raises(InputError, match=rf"^{file}:7: search.trails: unknown key, must be .*'trials'"):
        _resumed(file, results=tmp_path / "out")


def test_an_older_record_is_read_from_the_files_beside_it(tmp_path) -> None:
    file = _begin(tmp_path, overrides=("training.batch_size=32",))
    directory = ResultsDirectory(tmp_path / "out")
    mend_small_files(directory, fold(read_events(directory.events)))
    directory.events.unlink()
    with Record.create(directory.events) as record:
        record.append(SearchStarted("asked", "id", 60, 90.0, "digits", "split"))
    assert _resumed(file, results=directory.path)[0].training.batch_size == 32
    assert _resumed(directory.path)[1].changed == {}
    file.write_text(FILE.replace("trials: 9", "trials: 10"))
    assert _resumed(file, results=directory.path)[1].changed == {"search.trials": 10}


def test_lost_files_are_written_anew_from_the_record_and_whole_ones_stay(tmp_path) -> None:
    _begin(tmp_path, overrides=("training.batch_size=32",))
    directory = ResultsDirectory(tmp_path / "out")
    request, _ = resumed_search(asked_to_resume(directory.path, [], None))
    told = _told(request) | {"versions": {"python": "3.13"}}
    _session(request, SearchResumed({"search.trials": 30}, **told))
    state = fold(read_events(directory.events))
    mend_small_files(directory, state)
    assert directory.space_file.read_text() == FILE
    assert yaml.safe_load(directory.resolved.read_text()) == state.space
    manifest = json.loads(directory.manifest.read_text())
    assert (manifest["search_id"], manifest["versions"], manifest["created_at"]) == (
        "id",
        {"python": "3.11"},
        "then",
    )
    assert [(each["versions"], each["changed"]) for each in manifest["sessions"]] == [
        ({"python": "3.13"}, {"search.trials": 30})
    ]
    directory.manifest.write_text(json.dumps(manifest | {"gpu_memory": "measured"}))
    mend_small_files(directory, state)
    assert json.loads(directory.manifest.read_text())["gpu_memory"] == "measured"
    directory.manifest.write_text("{")
    directory.resolved.write_text("a: &a [*a]")
    mend_small_files(directory, state)
    assert json.loads(directory.manifest.read_text()) == manifest == manifest_on_record(state)
    assert yaml.safe_load(directory.resolved.read_text()) == state.space


def _trial(request: Request) -> tuple[Any, ...]:
    config = request.space.trial_config({"depth": 10, "dropout": 0.1}, 0, precision="fp32", compile="off")
    return Proposed(0, "0", 0, 0, {"depth": 10, "dropout": 0.1}, config.to_dict(), 1, 1), Started(0, 1, 0.0)


@pytest.mark.parametrize(
    ("later", "needed"),
    [
        ((), True),  # killed before its knowledge was on record
        ("a trial", False),
        ((SearchEnded("interrupted"),), False),
    ],
)
def test_sources_are_needed_until_all_they_teach_is_on_record(tmp_path, later, needed) -> None:
    file = _begin(tmp_path)
    overrides = ["search.warm_start=[gone]", "search.searcher=tpe"]
    request, begun = resumed_search(asked_to_resume(file, overrides, tmp_path / "out"))
    gone = str(Path("gone").absolute())
    assert begun.sources == (gone,)
    events = _trial(request) if later == "a trial" else later
    _session(request, SearchResumed(begun.changed, **_told(request)), *events)
    begun = _resumed(file, results=tmp_path / "out")[1]
    assert (begun.changed, begun.sources) == ({}, (gone,) if needed else ())
    more = _resumed(file, f"search.warm_start=[{gone}, new]", results=tmp_path / "out")[1]
    assert str(Path("new").absolute()) in more.sources
    assert (gone in more.sources) is needed


def _run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_search.py"), *map(str, arguments)]
    environment = {**os.environ, "WRN_SEARCH_DATA": str(cwd / "data")}
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False, env=environment
    )


@pytest.mark.slow
def test_the_command_goes_on_with_a_results_directory_alone(tmp_path) -> None:
    """Its warm-start source has moved, its files are lost, and what was --set at first stays as it was."""
    (tmp_path / "source").mkdir()
    source = played_space(search={"trials": 2, "searcher": "random"})
    with new_record(tmp_path / "source" / "events.jsonl", source) as record:
        play(conductor_of(source, record), lambda assignment, epoch: 50.0)
    (tmp_path / "space.yaml").write_text(
        "name: small\ndataset: {name: digits, train_images: 128}\n"
        "model: {depth: 10, widen_factor: 0.25, dropout: {uniform: [0.0, 0.5]}}\n"
        "training: {epochs: 1, batch_size: 64}\nsearch: {trials: 1, warm_start: [source]}\n"
    )
    first = _run("space.yaml", "--set", "training.batch_size=32", "--quiet", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    results = tmp_path / "results" / "small"
    (tmp_path / "source").rename(tmp_path / "moved")
    for name in ("resolved.yaml", "manifest.json", "search.yaml"):
        (results / name).unlink()
    resumed = _run("results/small", "--resume", "--trials", "2", "--quiet", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert "changed search.trials: 2 (until now 1)\n" in resumed.stderr
    state = fold(read_events(results / "events.jsonl"))
    assert [trial.config["batch_size"] for trial in state.trials.values()] == [32, 32]
    assert len(state.known) == 2
    manifest = json.loads((results / "manifest.json").read_text())
    assert manifest["versions"]["torch"]
    assert manifest["sessions"][0]["changed"] == {"search.trials": 2}
    assert state.sessions[1][1].hardware["cores"] >= 1
    assert yaml.safe_load((results / "resolved.yaml").read_text())["search"]["trials"] == 2
    plan = _run("results/small", "--resume", "--trials", "3", "--dry-run", cwd=tmp_path)
    assert "changed       search.trials: 3 (until now 2)" in plan.stdout


_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize("content", [_BOMB, "a: &a [*a]", "a: &a {b: *a}", "a: " + "[" * 5000])
def test_a_hostile_resolved_space_is_refused_in_a_line_and_at_once(tmp_path, content) -> None:
    """Of an older record, which does not hold the space; PyYAML alone took 46 s, or ended in a RecursionError."""
    _begin(tmp_path)
    directory = ResultsDirectory(tmp_path / "out")
    directory.events.unlink()
    with Record.create(directory.events) as record:
        record.append(SearchStarted("asked", "id", 60, 90.0, "digits", "split"))
    directory.resolved.write_text(content)
    with pytest.raises(
        InputError, match=r"resolved.yaml: must tell the search.s space .*, but it is damaged: [a-z]"
    ):
        _resumed(directory.path)


def test_a_hostile_record_ends_the_command_with_a_line(tmp_path) -> None:
    """A space in the record is checked as one in a file, and so is what it says of a trial."""
    file = _begin(tmp_path)
    directory = ResultsDirectory(tmp_path / "out")
    request = request_of(file, [], directory.path)
    told = _told(request)
    told["space"] = {**told["space"], "training": {"batch_size": -5, "learning_rate": "fast"}}
    with Record.open(directory.events) as record:
        record.append(SearchResumed({}, **told))
    with pytest.raises(InputError, match=r"training.batch_size: must be .*, but got -5\n.*learning_rate"):
        _resumed(directory.path)
    config = request.space.trial_config({"depth": 10, "dropout": 0.1}, 0, precision="fp32", compile="off")
    odd = config.to_dict() | {"epochs": 10**9}
    with Record.open(directory.events) as record:
        record.append(Proposed(0, "0", 0, 0, {"depth": 10, "dropout": 0.1}, odd, 1, 1))
    done = _run("out", "--resume", cwd=tmp_path)
    text = "proposed.config: epochs must be a whole number from 1 to 100000, but got 1000000000"
    assert (done.returncode, done.stderr) == (2, f"out/events.jsonl:3: {text}\n")


def _held() -> Counter[type]:
    """How many epochs and reports there are in this process."""
    gc.collect()
    return Counter(type(each) for each in gc.get_objects() if isinstance(each, EpochMetrics | Reported))


def test_a_record_is_read_once_and_held_folded(tmp_path, monkeypatch) -> None:
    """It was parsed twice and held three times: over 1 GB at 10,000 trials of 60 epochs."""
    _begin(tmp_path)
    directory = ResultsDirectory(tmp_path / "out")
    request, _ = resumed_search(asked_to_resume(directory.path, [], None))
    elsewhere = _held()  # by the fixtures of other tests
    with Record.open(directory.events) as record:
        for event in _trial(request):
            record.append(event)
        for epoch in range(1, 31):
            record.append(Reported(0, metrics(epoch, 50.0), "node", "cpu"))
    parsed = []
    monkeypatch.setattr(events_jsonl, "from_line", lambda *line: parsed.append(1) or from_line(*line))
    request, begun = resumed_search(asked_to_resume(directory.path, [], None))
    with Record.open(directory.events) as another:  # a line came meanwhile
        another.append(Reported(0, metrics(31, 50.0), "node", "cpu"))
        another.forget()
    del event
    parsed_by_another, lines = 33, 34
    with Record.open(directory.events, read=begun.read) as record:
        begun.let_go()
        conductor = conductor_of(request.space, record)
        record.append(SearchResumed())
        record.forget()
        assert len(parsed) - parsed_by_another == lines
        assert conductor.state.trials[0].epochs_done == 31
        held = _held() - elsewhere
        assert held[EpochMetrics] == 31
        assert held[Reported] <= 1  # a frame may still name the last one
    assert [type(event) for _, event in read_events(directory.events)][-2:] == [Reported, SearchResumed]


def test_a_record_that_became_shorter_is_read_anew(tmp_path) -> None:
    _begin(tmp_path)
    path = tmp_path / "out" / "events.jsonl"
    with Record.open(path) as record:
        record.append(SearchResumed())
    read = read_whole_lines(path)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    with Record.open(path, read=read) as record:
        assert [type(event) for _, event in record.events] == [SearchStarted]


def test_a_running_search_is_refused_before_anything_is_made_ready(tmp_path, monkeypatch) -> None:
    """Ray takes ten seconds and more to start, in which the search that runs can end: then nothing was refused."""

    def too_late(*_: object) -> None:
        raise AssertionError("the record is asked first")

    monkeypatch.setattr("wrn_search.session.search_run.check_ray", too_late)
    monkeypatch.setattr("wrn_search.session.search_run.prepare", too_late)
    file = _begin(tmp_path)
    with (
        Record.open(tmp_path / "out/events.jsonl"),
        pytest.raises(InputError, match=f"but another one is running: process {os.getpid()} on "),
    ):
        run(file, results=tmp_path / "out", resume=True, quiet=True)


@pytest.mark.parametrize("ended", ["finished", "decided", "budget", "max_hours"])
def test_a_search_with_nothing_left_to_do_begins_no_session_and_runs_no_command(
    ended: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`on_end` was run when it ended; asked again it is read, though the command is named for the first time now."""
    monkeypatch.setattr("wrn_search.session.search_run.check_ray", None)  # no session can begin
    space = played_space(search={"trials": 2, "repeats": 1, "max_hours": 1})
    directory = ResultsDirectory(tmp_path / "out")
    directory.path.mkdir()
    with new_record(directory.events, space) as record:
        play(conductor_of(space, record), lambda assignment, epoch: 50.0)
        record.append(SearchEnded(ended))
    directory.resolved.write_text(yaml.safe_dump(space.to_document()))
    touched = tmp_path / "touched"
    command = f"on_end=[touch, '{touched}']"
    result = run(directory.path, overrides=[command, "description=new"], resume=True, quiet=True)
    assert (result.reason, result.on_end) == (ended, ())
    assert not touched.exists()


def test_a_spent_budget_is_whole_until_there_is_more(tmp_path) -> None:
    file = _begin(tmp_path, overrides=("search.budget={epochs: 600}",))
    request, _ = resumed_search(asked_to_resume(file, [], tmp_path / "out"))
    _session(request, SearchEnded("budget", {"epochs": 590, "gpu_hours": 2.0}))
    request, begun = resumed_search(asked_to_resume(file, [], tmp_path / "out"))
    assert is_whole(request, begun)
    request, begun = resumed_search(asked_to_resume(file, ["search.budget.epochs=700"], tmp_path / "out"))
    assert not is_whole(request, begun)
    assert begun.changes == ["search.budget: {epochs: 700} (until now {epochs: 600})"]
    with pytest.raises(
        InputError, match=r"search.budget: gpu_hours must be above the 2 that are spent, but got 1.5"
    ):
        resumed_search(asked_to_resume(file, ["search.budget={gpu_hours: 1.5}"], tmp_path / "out"))
