"""What other searches found becomes events of this one, and moves the proposals of a searcher that learns."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.decisions.proposals import SearchPlan
from wrn_search.decisions.trial_to_train import Assignment, NoTrial
from wrn_search.errors import InputError
from wrn_search.results.events import Known
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.searchers.searcher import COMPARABLE
from wrn_search.session.warm_start import new_knowledge, read_sources
from wrn_search.space.trial_config import LEAVES

BOWL = 0.1  # the best dropout


def _bowl(assignment: Assignment, epoch: int) -> float:
    return 10 + 100 * abs(assignment.config.dropout - BOWL) + (10 - epoch)


def _played(folder: Path, curve=_bowl, **search) -> SearchState:
    """A finished search in a results directory."""
    folder.mkdir()
    space = space_of(search={"trials": 30, "searcher": "random", "scheduler": "none", **search})
    with new_record(folder / "events.jsonl", space) as record:
        play(conductor_of(space, record), curve)
    return fold(read_events(folder / "events.jsonl"))


def _first_proposals(path: Path, known: list[Known], count: int = 8, seed: int = 0) -> list[float]:
    """Dropouts that a fresh TPE search proposes first."""
    space = space_of(search={"trials": count, "searcher": "tpe", "scheduler": "none", "seed": seed})
    with new_record(path, space) as record:
        conductor = conductor_of(space, record)
        for each in known:
            record.append(each)
        play(conductor, _bowl)
        return [trial.config["dropout"] for trial in conductor.state.trials.values()]


def test_knowledge_moves_the_first_proposals_to_where_the_other_search_was_good(tmp_path) -> None:
    source = _played(tmp_path / "source")
    known = list(new_knowledge([source], SearchState()))
    assert len(known) == 30
    distances = {"cold": [], "warm": []}
    for seed in range(6):
        for name, events in (("cold", []), ("warm", known)):
            proposed = _first_proposals(tmp_path / f"{name}-{seed}.jsonl", events, seed=seed)
            distances[name] += [abs(dropout - BOWL) for dropout in proposed]
    cold, warm = (sorted(values)[len(values) // 2] for values in distances.values())
    assert warm < cold / 2, (warm, cold)


def test_the_level_of_the_other_searchs_errors_does_not_matter(tmp_path) -> None:
    """Another data set has other errors: only the order within its own search counts."""
    easy = _played(tmp_path / "easy")
    hard = _played(tmp_path / "hard", curve=lambda assignment, epoch: 50 + _bowl(assignment, epoch) / 4)
    proposals = []
    for name, source in (("easy", easy), ("hard", hard)):
        source.split_hash = f"of {name}"
        known = list(new_knowledge([source], SearchState()))
        proposals.append(_first_proposals(tmp_path / f"{name}.jsonl", known))
    assert proposals[0] == proposals[1]


def test_a_resumed_search_knows_without_the_other_search_and_learns_nothing_twice(tmp_path) -> None:
    source = _played(tmp_path / "source")
    space = space_of(search={"trials": 12, "searcher": "tpe", "scheduler": "none"})
    with new_record(tmp_path / "whole.jsonl", space) as record:
        conductor = conductor_of(space, record)
        for each in new_knowledge([source], conductor.state):
            record.append(each)
        play(conductor, _bowl)
        whole = [trial.hparams for trial in conductor.state.trials.values()]

    with new_record(tmp_path / "broken.jsonl", space) as record:
        conductor = conductor_of(space, record)
        for each in list(new_knowledge([source], conductor.state))[:17]:  # a kill comes in between
            record.append(each)
    with Record.open(tmp_path / "broken.jsonl") as record:
        conductor = conductor_of(space, record)
        for each in list(new_knowledge([source], conductor.state)):
            record.append(each)
        play(conductor, _bowl, most_reports=55)
    with Record.open(tmp_path / "broken.jsonl") as record:
        conductor = conductor_of(space, record)
        assert list(new_knowledge([source], conductor.state)) == []
        play(conductor, _bowl)
        assert [trial.hparams for trial in conductor.state.trials.values()] == whole
    events = [event for _, event in read_events(tmp_path / "broken.jsonl")]
    assert sum(isinstance(event, Known) for event in events) == 30


def test_stopped_trials_teach_what_was_seen_of_them_and_diverged_ones_the_error_of_chance(tmp_path) -> None:
    def curve(assignment: Assignment, epoch: int) -> float | None:
        return None if assignment.config.dropout > 0.4 else _bowl(assignment, epoch)

    source = _played(tmp_path / "source", curve=curve, scheduler="asha", rungs=[2, 5])
    known = {each.trial_id: each for each in new_knowledge([source], SearchState())}
    assert len(known) == 30
    statuses = set()
    for trial in source.trials.values():
        told, statuses = known[trial.trial_id], statuses | {trial.status}
        match trial.status:
            case "completed":
                assert (told.full, told.curve) == (True, {"10": trial.last.val_error})
            case "diverged":
                assert (told.full, told.curve) == (True, {"10": 90.0})
            case "stopped":
                assert not told.full
                assert list(told.curve) == [str(epoch) for epoch in range(1, trial.epochs_done + 1)]
    assert statuses == {"completed", "diverged", "stopped"}


def test_what_lies_outside_the_space_is_kept_on_record_and_passed_over(tmp_path) -> None:
    source = _played(tmp_path / "source")
    space = space_of(
        model={"depth": 10, "dropout": {"uniform": [0.6, 0.8]}}, search={"trials": 3, "searcher": "tpe"}
    )
    with new_record(tmp_path / "events.jsonl", space) as record:
        conductor = conductor_of(space, record)
        for each in list(new_knowledge([source], conductor.state)):
            record.append(each)
        assert len(conductor.state.known) == 30
        assert isinstance(conductor.next_trial(), Assignment)
        assert conductor.next_trial() is NoTrial.WAIT


def test_sources_must_be_other_searches(tmp_path) -> None:
    _played(tmp_path / "source")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        read_sources([str(tmp_path / "source"), str(tmp_path / "empty")], tmp_path / "source")
    assert str(caught.value).splitlines() == [
        f"search.warm_start: must name other searches, but got this one's {tmp_path / 'source'}",
        f"search.warm_start: must be the results directory of a search, but {tmp_path / 'empty'} holds none",
    ]


def test_a_source_and_its_copy_teach_once(tmp_path) -> None:
    source = _played(tmp_path / "source")
    space = space_of(search={"trials": 2, "searcher": "tpe"})
    with new_record(tmp_path / "events.jsonl", space) as record:
        conductor = conductor_of(space, record)
        for each in new_knowledge([source, source], conductor.state):
            record.append(each)
    events = [event for _, event in read_events(tmp_path / "events.jsonl")]
    assert sum(isinstance(event, Known) for event in events) == 30


def _heard(known: Known, split: str = "split", epochs: int = 10) -> list[tuple]:
    """What the searcher of a search on `split` with `epochs` hears of an event."""
    heard: list[tuple] = []
    plan = SearchPlan(space_of(), 90.0, precision="fp32", compile="off")
    plan._searcher.known = lambda *told: heard.append(told)
    plan.learn(known, SearchState(split_hash=split, max_epochs=epochs))
    return heard


def test_a_known_search_counts_as_ours_only_on_the_same_split_with_as_many_epochs(tmp_path) -> None:
    source = _played(tmp_path / "source")
    known = next(new_knowledge([source], SearchState()))
    assert (known.split_hash, known.max_epochs) == ("split", 10)
    sources = [
        _heard(known)[0][0],
        _heard(known, split="another")[0][0],
        _heard(known, epochs=20)[0][0],
        _heard(dataclasses.replace(known, split_hash="", max_epochs=0))[0][0],
        _heard(dataclasses.replace(known, split_hash=""), split="")[0][0],  # two early records
    ]
    assert sources == [COMPARABLE, "id", "id", "id", "id"]


def test_steps_of_a_known_curve_are_its_shares_of_the_schedule(tmp_path) -> None:
    source = _played(tmp_path / "source", scheduler="asha", rungs=[3, 6])
    stopped = next(known for known in new_knowledge([source], SearchState()) if not known.full)
    error = stopped.curve
    known = dataclasses.replace(stopped, curve={"3": error["3"]})
    assert [list(_heard(known, epochs=epochs)[0][2]) for epochs in (10, 20, 200, 1)] == [[3], [6], [60], [1]]
    whole = dataclasses.replace(known, full=True, curve={"10": 5.0})
    assert _heard(whole, epochs=60)[0][2] == {60: 5.0}
    older = dataclasses.replace(known, max_epochs=0)
    assert _heard(older, epochs=20)[0][2] == {3: error["3"]}


def test_values_of_the_same_split_are_compared_with_our_own(tmp_path) -> None:
    """All that another search found was worse than what we have: by ranks its best would look as good as ours."""
    space = space_of(search={"trials": 40, "searcher": "tpe", "scheduler": "none"})
    leaves = space.trial_config({"dropout": 0.4}, 0, precision="fp32", compile="off").to_dict()
    leaves = {name: leaves[name] for name in LEAVES}
    medians = []
    for split in ("split", "another"):
        proposed = []
        with new_record(tmp_path / f"{split}.jsonl", space) as record:
            conductor = conductor_of(space, record)
            for number in range(30):  # around dropout 0.4, all far worse than anything here
                found = {**leaves, "dropout": 0.35 + number / 300}
                record.append(Known("other", f"{number}", found, True, {"10": 85.0 + number / 10}, split, 10))
            play(conductor, _bowl)
            proposed = sorted(trial.config["dropout"] for trial in conductor.state.trials.values())
        medians.append(abs(proposed[len(proposed) // 2] - BOWL))
    assert medians[0] < medians[1], medians
