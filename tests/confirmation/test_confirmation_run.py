"""A confirmation played without Ray: its order, seeds and splits, each test reading counted once, and kills."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.decisions.playing import (
    FACTS,
    conductor_of,
    metrics,
    new_record,
    play,
    space_of,
    trained_to_the_end,
)
from wrn_search.confirmation.choice_of_finalists import Rule
from wrn_search.confirmation.confirmation_plan import ConfirmationPlan
from wrn_search.confirmation.confirmation_request import ConfirmationRequest, confirmation_request
from wrn_search.confirmation.confirmation_run import _begin
from wrn_search.confirmation.confirmed_finalists import confirmed
from wrn_search.confirmation.printed_result import confirmed_text
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.errors import InputError
from wrn_search.results import event_lines, events, events_jsonl
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.manifest import write_manifest
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import TableWriter
from wrn_search.space.dataset_section import JoinedSettings
from wrn_search.space.yaml_with_lines import yaml_text

SEARCH = {"trials": 6, "searcher": "random", "scheduler": "none"}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The record and the space of a played search; the third of six configurations is the best one."""
    directory = ResultsDirectory(tmp_path / "played")
    directory.path.mkdir()
    space = space_of(training={"epochs": 3}, search=SEARCH)
    with new_record(directory.events, space) as record:
        errors = [9.0, 8.0, 2.0, 4.0, 7.0, 3.0]
        play(conductor_of(space, record), lambda assignment, epoch: errors[assignment.number] + 3 - epoch)
    directory.resolved.write_text(yaml_text(space.to_document()))
    directory.space_file.write_text("name: played\n")
    return directory.path


def opened(request: ConfirmationRequest) -> Record:
    """The record of a confirmation, begun as a session begins it."""
    directory = request.directory
    if not directory.exists():
        directory.path.mkdir(exist_ok=True)
        write_manifest(directory.manifest, {"search_id": "new"})
        with Record.create(directory.events) as record:
            record.append(events.SearchStarted(request.space.name, "new", 3, 90.0, "digits", "split"))
    return Record.open(directory.events)


def conductor(request: ConfirmationRequest, record: Record, concurrent: int = 1) -> Conductor:
    made = Conductor(
        request.space, FACTS, Allotment(concurrent, 1, 0.0), record, plan=ConfirmationPlan(request)
    )
    _begin(request, record, made)
    return made


def train(conductor: Conductor, assignment: Assignment, *, most_epochs: int = 10**6, ask: bool = True) -> str:
    """One retraining as the trainable reports it; leaves as a kill does. Returns how far it came."""
    conductor.started(assignment.number)
    joined = isinstance(assignment.config.dataset, JoinedSettings)
    for epoch in range(assignment.epochs_done + 1, assignment.config.epochs + 1):
        if epoch > most_epochs:
            return "killed"
        told = metrics(epoch, 3.0 + assignment.number % 5)
        if joined:
            told = dataclasses.replace(told, val_loss=None, val_error=None)
        if not conductor.reported(assignment.number, told, "node", "cpu"):
            return "ended"
    if not ask:
        return "killed"
    if not conductor.met_test_split(assignment.number, {"asks": True}):
        return "refused"
    manifest = json.loads(conductor_manifest(conductor).read_text())
    assert manifest["test_reads"][-1]["trial_id"] == assignment.trial_id  # before the number is used
    told_test = {"test_loss": 0.2, "test_error": 1.0 + assignment.number, "images": 300}
    assert not conductor.met_test_split(assignment.number, told_test)
    return "tested"


def conductor_manifest(conductor: Conductor) -> Path:
    return conductor._record.path.with_name("manifest.json")


def to_the_end(conductor: Conductor) -> list[Assignment]:
    """Plays all that is left."""
    return trained_to_the_end(conductor, train)


def files(folder: Path) -> dict[str, bytes]:
    """What the search wrote."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_choice_is_on_record_before_any_proposal_and_both_kinds_follow_with_fresh_seeds(results) -> None:
    before = files(results)
    request = confirmation_request(results, Rule(top=2, per_network=False), repeats=3)
    assert [each.number for each in request.finalists] == [2, 5]
    with opened(request) as record:
        played = to_the_end(conductor(request, record))
    kinds = [type(event).__name__ for _, event in read_events(request.directory.events)]
    assert kinds[:3] == ["SearchStarted", "Chosen", "Proposed"]
    assert len(played) == request.rows == 12

    search = fold(read_events(results / "events.jsonl"))
    used = {trial.config["seed"] for trial in search.trials.values()}
    seeds = [each.config.seed for each in played]
    assert len(set(seeds)) == 12
    assert not used & set(seeds)
    joined = [isinstance(each.config.dataset, JoinedSettings) for each in played]
    assert joined == [False] * 3 + [True] * 3 + [False] * 3 + [True] * 3
    finalist_dropouts = [search.trials[number].config["dropout"] for number in (2, 5)]
    assert [each.config.dropout for each in played] == [
        value for value in finalist_dropouts for _ in range(6)
    ]
    assert files(results) == before


def test_each_network_on_all_images_is_tested_once_and_the_tables_hold_it(results) -> None:
    request = confirmation_request(results, Rule(top=2, per_network=False), repeats=2)
    with opened(request) as record:
        played = conductor(request, record)
        TableWriter(request.directory, played.state)  # an empty table is one too
        to_the_end(played)
        TableWriter(request.directory, played.state).flush()
    table = pq.read_table(request.directory.trials).to_pylist()
    assert [row["test_error"] for row in table] == [None, None, 3.0, 4.0, None, None, 7.0, 8.0]
    assert [row["val_error"] is None for row in table] == [row["test_error"] is not None for row in table]
    assert {row["status"] for row in table} == {"completed"}
    epochs = pq.read_table(request.directory.epochs / "part-000000.parquet").to_pylist()
    assert len(epochs) == 24
    assert sum(row["val_error"] is None for row in epochs) == 12
    manifest = json.loads(request.directory.manifest.read_text())
    assert [read["trial_id"] for read in manifest["test_reads"]] == [
        row["trial_id"] for row in table if row["test_error"] is not None
    ]
    assert manifest["confirms"]["trials"] == [2, 5]


@pytest.mark.parametrize("most_epochs", [0, 2, 3])
def test_a_killed_confirmation_goes_on_with_its_recorded_choice(results, most_epochs) -> None:
    """Killed in its fourth retraining, of the kind that is tested: before, within and after its epochs."""
    request = confirmation_request(results, Rule(top=2, per_network=False), repeats=2)
    whole = confirmation_request(results, Rule(top=2, per_network=False), repeats=2)
    with opened(request) as record:
        played = conductor(request, record)
        for _ in range(3):
            assignment = played.next_trial()
            assert isinstance(assignment, Assignment)
            train(played, assignment)
        killed = played.next_trial()
        assert isinstance(killed, Assignment)
        assert train(played, killed, most_epochs=most_epochs, ask=False) == "killed"

    again = confirmation_request(results, Rule())  # no option: as it was begun
    assert again.chosen == whole.chosen
    assert not again.is_whole
    with opened(again) as record:
        rest = to_the_end(conductor(again, record))
    assert rest[0].trial_id == killed.trial_id
    assert rest[0].epochs_done == most_epochs
    state = fold(read_events(request.directory.events))
    assert [len(trial.test_opened) for trial in state.trials.values()] == [0, 0, 1, 1, 0, 0, 1, 1]
    assert all(trial.epochs_done == 3 for trial in state.trials.values())


def test_a_reading_whose_number_a_kill_took_is_counted_and_done_again(results) -> None:
    request = confirmation_request(results, Rule(top=1), repeats=1)
    with opened(request) as record:
        played = conductor(request, record)
        first = played.next_trial()
        assert isinstance(first, Assignment)
        train(played, first)
        second = played.next_trial()
        assert isinstance(second, Assignment)
        assert train(played, second, ask=False) == "killed"
        assert played.met_test_split(second.number, {"asks": True})  # then the process died
    with opened(request) as record:
        to_the_end(conductor(request, record))
    manifest = json.loads(request.directory.manifest.read_text())
    assert [read["trial_id"] for read in manifest["test_reads"]] == [second.trial_id] * 2
    state = fold(read_events(request.directory.events))
    assert [trial.status for trial in state.trials.values()] == ["completed", "completed"]


def test_an_interrupt_lets_nobody_read_the_test_split_any_more(results) -> None:
    request = confirmation_request(results, Rule(top=1), repeats=1)
    with opened(request) as record:
        played = conductor(request, record)
        for _ in range(2):
            assignment = played.next_trial()
            assert isinstance(assignment, Assignment)
            if played.state.trials[assignment.number].configuration == 0:
                train(played, assignment)
        assert train(played, assignment, ask=False) == "killed"
        played.interrupt()
        assert not played.met_test_split(assignment.number, {"asks": True})
        assert played.state.trials[assignment.number].status == "interrupted"
        assert played.state.trials[assignment.number].test_opened == []


def test_a_finished_confirmation_is_whole_and_never_chosen_again(results) -> None:
    request = confirmation_request(results, Rule(top=1), repeats=1)
    with opened(request) as record:
        to_the_end(conductor(request, record))
        record.append(events.SearchEnded("finished"))
    # The search finds something better afterwards: the choice stands.
    space = space_of(training={"epochs": 3}, search=SEARCH | {"trials": 8})
    with Record.open(results / "events.jsonl") as record:
        play(conductor_of(space, record), lambda assignment, epoch: 0.1)
    again = confirmation_request(results, Rule())
    assert again.is_whole
    assert [each.number for each in again.finalists] == [2]
    for rule, repeats, epochs, option in (
        (Rule(top=3), None, None, "--top"),
        (Rule(pareto=True), None, None, "--pareto"),
        (Rule(per_network=False), None, None, "--no-per-network"),
        (Rule(trials=("2",)), None, None, "--trials"),
        (Rule(), 5, None, "--repeats"),
        (Rule(), None, 200, "--epochs"),
    ):
        with pytest.raises(
            InputError, match=f"^{option}: finalists are chosen once, before any test error is seen"
        ):
            confirmation_request(results, rule, repeats, epochs)


def test_a_choice_of_before_one_a_network_goes_on_as_it_was_made(results) -> None:
    request = confirmation_request(results, Rule(top=2, per_network=False), repeats=1)
    with opened(request) as record:
        conductor(request, record)
    lines = request.directory.events.read_text().splitlines()
    older = json.loads(lines[1])
    del older["per_network"], older["crc"]  # a line without a checksum is taken as it is
    request.directory.events.write_text(f"{lines[0]}\n{json.dumps(older)}\n")
    again = confirmation_request(results, Rule())
    assert again.chosen == request.chosen
    assert [each.number for each in again.finalists] == [2, 5]
    made = "were: top 2, repeats 1, epochs 3"
    with pytest.raises(InputError, match=f"^--per-network: finalists are chosen once.*{made}"):
        confirmation_request(results, Rule(per_network=True))
    with opened(again) as record:
        assert len(to_the_end(conductor(again, record))) == 4


def test_named_trials_are_the_finalists_whatever_their_network(results) -> None:
    request = confirmation_request(results, Rule(trials=("4", "5")), repeats=1)
    assert [each.number for each in request.finalists] == [5, 4]  # in the order of validation
    with opened(request) as record:
        to_the_end(conductor(request, record))
    manifest = json.loads(request.directory.manifest.read_text())
    assert (manifest["confirms"]["rule"], manifest["confirms"]["trials"]) == ("trials", [5, 4])
    for rule in (Rule(), Rule(trials=("5", "4"))):
        assert confirmation_request(results, rule).chosen == request.chosen
    made = "were: trials 5, 4, repeats 1, epochs 3; leave the option out"
    for rule, option in (
        (Rule(trials=("4",)), "--trials"),
        (Rule(trials=("2", "5")), "--trials"),
        (Rule(top=2), "--top"),
        (Rule(per_network=True), "--per-network"),
        (Rule(per_network=False), "--no-per-network"),
    ):
        with pytest.raises(InputError, match=f"^{option}: finalists are chosen once.*{made}"):
            confirmation_request(results, rule)


def test_epochs_of_its_own(results) -> None:
    request = confirmation_request(results, Rule(top=1), repeats=1, epochs=7)
    assert request.space.training.epochs == 7
    with opened(request) as record:
        assert [each.config.epochs for each in to_the_end(conductor(request, record))] == [7, 7]


def refusal(results: Path) -> str:
    with pytest.raises(InputError) as error:
        confirmation_request(results, Rule())
    return str(error.value)


def test_what_is_no_search_is_refused(tmp_path, results) -> None:
    assert "must be the results directory of a search, but" in refusal(tmp_path / "nowhere")
    assert refusal(tmp_path).endswith(f"holds none (did you mean {results}?)")
    request = confirmation_request(results, Rule(top=1))
    with opened(request) as record:
        conductor(request, record)
    assert refusal(results / "confirm").endswith("is that of a confirmation")


def test_a_running_search_is_refused_until_the_choice_is_made(results) -> None:
    with Record.open(results / "events.jsonl"):
        assert "a search must have stopped before its finalists are chosen, but" in refusal(results)
    request = confirmation_request(results, Rule(top=1))
    with opened(request) as record:
        conductor(request, record)
    with Record.open(results / "events.jsonl"):
        assert confirmation_request(results, Rule()).chosen == request.chosen


def test_a_damaged_choice_is_refused_and_nothing_is_chosen_anew(results) -> None:
    request = confirmation_request(results, Rule(top=1))
    with opened(request) as record:
        conductor(request, record)
    lines = request.directory.events.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"estimate":2.0', b'"estimate":1.0')
    request.directory.events.write_bytes(b"".join(lines))
    told = refusal(results)
    assert told.startswith(f"{request.directory.events}:2: crc: a line must have the checksum")


def test_a_choice_of_another_search_is_refused(results) -> None:
    request = confirmation_request(results, Rule(top=1))
    with opened(request) as record:
        conductor(request, record)
    lines = (results / "events.jsonl").read_text().splitlines(keepends=True)
    other = events.SearchStarted("played", "another", 3, 90.0, "digits", "split")
    lines[0] = event_lines.to_line(other, 0, 1.0) + "\n"
    (results / "events.jsonl").write_text("".join(lines))
    assert "must confirm the search beside it (another), but its choice is of id" in refusal(results)


def test_trials_without_a_choice_and_foreign_files_are_refused(results) -> None:
    request = confirmation_request(results, Rule(top=1))
    with opened(request) as record:
        played = conductor(request, record)
        played.next_trial()
    lines = request.directory.events.read_text().splitlines()
    renumbered = [event_lines.from_line(line) for line in (lines[0], *lines[2:])]
    text = "".join(
        event_lines.to_line(event, seq, time) + "\n" for seq, (_, time, event) in enumerate(renumbered)
    )
    request.directory.events.write_text(text)
    assert "the recorded choice must come before the retrained trials" in refusal(results)
    request.directory.events.unlink()
    (request.directory.path / "notes.txt").write_text("mine")
    assert "holds or is something else; move it away" in refusal(results)


def test_a_damaged_manifest_is_refused_because_readings_are_counted_in_it(results) -> None:
    request = confirmation_request(results, Rule(top=1))
    with opened(request) as record:
        conductor(request, record)
    request.directory.manifest.write_text("{")
    with (
        opened(request) as record,
        pytest.raises(InputError, match="every reading of the test split is counted"),
    ):
        conductor(request, record)


def test_a_search_itself_has_no_way_to_the_test_split(results) -> None:
    with Record.open(results / "events.jsonl") as record:
        searching = conductor_of(space_of(training={"epochs": 3}, search=SEARCH), record)
        with pytest.raises(AssertionError, match="a search never opens the test split"):
            searching.met_test_split(0, {"asks": True})


def test_each_record_is_parsed_once_by_a_confirmation_that_goes_on(results, monkeypatch) -> None:
    """Its own and that of the search: what was read for the choice is not read again by the session that follows."""
    request = confirmation_request(results, Rule(top=2, per_network=False), repeats=2)
    with opened(request) as record:
        begun = conductor(request, record)
        train(begun, begun.next_trial())
    parsed: list[str] = []
    from_line = events_jsonl.from_line
    monkeypatch.setattr(events_jsonl, "from_line", lambda *line: parsed.append(line[1]) or from_line(*line))
    request = confirmation_request(results, Rule(top=2, per_network=False), repeats=2)
    with Record.open(request.directory.events, read=request.read) as record:
        assert len(record.events) > 3
    assert len(parsed) == len(set(parsed)) > 20


@pytest.mark.parametrize("only", ["joined", "split"])
def test_one_kind_alone_is_retrained_and_only_the_joined_one_tested(results, only: str) -> None:
    request = confirmation_request(results, Rule(top=2, per_network=False), repeats=2, only=only)
    with opened(request) as record:
        played = to_the_end(conductor(request, record))
    assert len(played) == request.rows == 4
    assert {isinstance(each.config.dataset, JoinedSettings) for each in played} == {only == "joined"}
    manifest = json.loads(request.directory.manifest.read_text())
    assert len(manifest["test_reads"]) == (4 if only == "joined" else 0)
    assert manifest["confirms"]["only"] == only
    state = fold(read_events(request.directory.events))
    found = confirmed(state)
    assert found.left == 0
    assert [len(each.test.errors) for each in found.finalists] == [2 if only == "joined" else 0] * 2
    assert [len(each.validation.errors) for each in found.finalists] == [0 if only == "joined" else 2] * 2
    if only == "joined":  # nothing fresh to go by: the order is that of the search's own errors
        assert [each.number for each in found.finalists] == [2, 5]
        assert found.is_named
    text = confirmed_text(found, request.search, "x")
    assert f"--only {only}" in text
    assert ("The test split was read" in text) == (only == "joined")
    again = confirmation_request(results, Rule())
    assert again.chosen.only == only
    assert again.is_whole is False or state.ended is None
    with pytest.raises(
        InputError, match=rf"--only: finalists are chosen once.*only {only}; leave the option out"
    ):
        confirmation_request(results, Rule(), only={"joined": "split", "split": "joined"}[only])


def test_a_confirmation_measures_no_costs_which_its_machine_may_not_be_able_to(tmp_path) -> None:
    directory = ResultsDirectory(tmp_path / "played")
    directory.path.mkdir()
    objectives = ["val_error", "num_params", "inference_ms"]
    space = space_of(training={"epochs": 3}, search=SEARCH, objectives=objectives)
    with new_record(directory.events, space) as record:
        play(conductor_of(space, record), lambda assignment, epoch: 9.0 - epoch)
    directory.resolved.write_text(yaml_text(space.to_document()))
    directory.space_file.write_text("name: played\n")
    request = confirmation_request(directory.path, Rule(top=1), repeats=1)
    assert request.space.objectives == ("val_error", "num_params")
