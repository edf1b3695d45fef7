import dataclasses
from pathlib import Path

import pytest

from tests.decisions.playing import conductor_of, metrics, new_record, play, space_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Interrupted,
    Proposed,
    Reopened,
    Reported,
    Stopped,
)
from wrn_search.results.events_jsonl import Record
from wrn_search.results.kept_checkpoints import CheckpointKeeper
from wrn_search.results.trial_state import FINAL

BEST = 3  # completed trials that keep their checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Checkpoints of five trials."""
    for number in range(5):
        (tmp_path / f"{number}.pt").write_bytes(b"weights")
    return tmp_path


def _proposed(number: int) -> Proposed:
    config = space_of().trial_config({"dropout": 0.1}, number, precision="fp32", compile="off")
    return Proposed(number, str(number), number, 0, {"dropout": 0.1}, config.to_dict(), 1, 1)


def _kept(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_only_what_can_still_be_needed_stays(folder) -> None:
    keeper = CheckpointKeeper(folder, 1)
    for number in range(5):
        keeper(0.0, _proposed(number))
    ends: list[tuple[Event, set[str]]] = [
        (Stopped(0, 3, "worse"), {"1.pt", "2.pt", "3.pt", "4.pt"}),
        (Diverged(1, 2, "nan"), {"2.pt", "3.pt", "4.pt"}),
        (Failed(2, "killed"), {"3.pt", "4.pt"}),
        (Interrupted(3, "Ctrl-C"), {"3.pt", "4.pt"}),
    ]
    for event, left in ends:
        keeper(0.0, event)
        assert _kept(folder) == left


def test_of_completed_trials_the_best_stays(folder) -> None:
    keeper = CheckpointKeeper(folder, 1)
    for number, val_error in enumerate([5.0, 7.0, 4.0, 4.0, 6.0]):
        keeper(0.0, _proposed(number))
        keeper(0.0, Reported(number, metrics(10, val_error), "node", "cpu"))
    for number, left in [(0, {0, 1, 2, 3, 4}), (1, {0, 2, 3, 4}), (2, {2, 3, 4}), (3, {2, 4}), (4, {2})]:
        keeper(0.0, Completed(number))
        assert _kept(folder) == {f"{each}.pt" for each in left}


@pytest.mark.parametrize("best", [2, 3, 7])
@pytest.mark.parametrize("errors", [[5.0, 7.0, 4.0, 4.0, 6.0], [1.0] * 5, [5.0, 4.0, 3.0, 2.0, 1.0]])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 2, 0, 3, 1]])
def test_the_k_best_stay_whatever_the_order_in_which_trials_complete(folder, best, errors, order) -> None:
    keeper = CheckpointKeeper(folder, best)
    for number, val_error in enumerate(errors):
        keeper(0.0, _proposed(number))
        keeper(0.0, Reported(number, metrics(10, val_error), "node", "cpu"))
    for number in order:
        keeper(0.0, Completed(number))
    ranked = sorted(range(5), key=lambda number: (errors[number], number))
    assert _kept(folder) == {f"{number}.pt" for number in ranked[:best]}


def test_a_sweep_takes_what_a_kill_left(folder) -> None:
    keeper = CheckpointKeeper(folder, 1)
    keeper(0.0, _proposed(3))
    (folder / "3.pt.tmp").write_bytes(b"half")
    keeper.sweep()
    assert _kept(folder) == {"3.pt"}


@pytest.mark.parametrize(
    ("promote", "trials"), [(False, 300), pytest.param(False, 2000, marks=pytest.mark.slow), (True, 300)]
)
def test_a_long_search_leaves_no_more_than_can_still_be_needed(
    tmp_path, monkeypatch, promote: bool, trials: int
) -> None:
    """Real files of a played search, at each of its reports: running trials' and the best's, through kills."""
    monkeypatch.setattr(
        "os.fsync", lambda descriptor: None
    )  # of 2,000 ends; what the disk keeps is tested elsewhere
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    space = space_of(search={"trials": trials, "searcher": "random", "rungs": [1, 3, 6], "promote": promote})
    record = new_record(tmp_path / "events.jsonl", space)
    most, running = [0], 4

    def curve(assignment: Assignment, epoch: int) -> float | None:
        path = folder / f"{assignment.trial_id}.pt"
        path.with_name(path.name + ".partial").write_bytes(b"weights")
        path.with_name(path.name + ".partial").replace(path)
        most[0] = max(most[0], len(_kept(folder)))
        if assignment.number % 97 == 5 and epoch == 2:
            return None  # diverges
        return 90.0 / (1 + assignment.config.dropout * epoch) + assignment.number % 7

    part = 3 * trials // 4
    for reports in (part, part, part, None):
        keeper = CheckpointKeeper(folder, BEST)
        for moment, event in record.events:
            keeper(moment, event)
        keeper.sweep()
        conductor = conductor_of(space, record, running)
        record.subscribe(keeper)
        play(conductor, curve, reports or float("inf"))
        assert _kept(folder) == _needed(conductor, folder)
        record.close()
        (folder / "00007-deadbeef.pt.partial").write_bytes(b"half of a write that was killed")
        record = Record.open(record.path)
    assert len(conductor.state.trials) == trials
    if promote:  # what rests at a rung is needed, too
        return
    assert (
        most[0] <= running + BEST + 2
    )  # the half of a write, and one that has just taken the place of the best


def _needed(conductor: Conductor, folder: Path) -> set[str]:
    """Files of the trials that have not ended, as far as they have reported, and of the best completed ones."""
    trials = conductor.state.trials.values()
    best = sorted(
        (trial.last.val_error, trial.number) for trial in trials if trial.status == "completed" and trial.last
    )
    kept = {number for _, number in best[:BEST]}
    kept |= {trial.number for trial in trials if trial.status not in FINAL and trial.reports}
    return {f"{conductor.state.trials[number].trial_id}.pt" for number in kept}


def test_of_networks_that_no_validation_ranks_the_first_of_each_configuration_stays(folder) -> None:
    """A confirmation's: trials 0 and 1 are repeats of one configuration, 2 and 3 of another, 4 is validated."""
    keeper = CheckpointKeeper(folder, 1)
    for number in range(5):
        proposal = dataclasses.replace(_proposed(number), configuration=number // 2, repeat=number % 2)
        keeper(0.0, proposal)
        told = metrics(10, 5.0)
        if number < 4:
            told = dataclasses.replace(told, val_loss=None, val_error=None)
        keeper(0.0, Reported(number, told, "node", "cpu"))
    for number in range(5):
        keeper(0.0, Completed(number))
    assert _kept(folder) == {"0.pt", "2.pt", "4.pt"}


@pytest.mark.parametrize(
    "order", [[0, 1, 2, 3, 4, 5, 6, 7, 8], [8, 5, 2, 7, 4, 1, 6, 3, 0], [3, 0, 1, 6, 7, 4, 5, 8, 2]]
)
def test_of_repeats_the_one_at_the_median_stays_of_each_of_the_best_configurations(tmp_path, order) -> None:
    """Medians 8, 3 and 5: the luckiest seed of all, number 0, is none of the two best configurations'."""
    errors = [1.0, 9.0, 8.0, 3.0, 2.0, 4.0, 6.0, 5.0, 2.5]
    keeper = CheckpointKeeper(tmp_path, 2, repeats=3)
    for number, error in enumerate(errors):
        (tmp_path / f"{number}.pt").write_bytes(b"weights")
        keeper(0.0, dataclasses.replace(_proposed(number), configuration=number // 3, repeat=number % 3))
        keeper(0.0, Reported(number, metrics(10, error), "node", "cpu"))
    for done, number in enumerate(order, start=1):
        keeper(0.0, Completed(number))
        whole = [each for each in range(3) if set(range(3 * each, 3 * each + 3)) <= set(order[:done])]
        middles = sorted((errors[middle], middle) for middle in [[2, 3, 7][each] for each in whole])
        unfinished = {each for each in range(9) if each // 3 not in whole}
        assert _kept(tmp_path) == {f"{each}.pt" for each in unfinished | {each for _, each in middles[:2]}}
    assert _kept(tmp_path) == {"3.pt", "7.pt"}


def test_a_configuration_is_unfinished_while_repeats_of_it_are_to_come(tmp_path) -> None:
    keeper = CheckpointKeeper(tmp_path, 1, repeats=3)
    for number, error in enumerate([3.0, 1.0, 2.0]):
        (tmp_path / f"{number}.pt").write_bytes(b"weights")
        keeper(0.0, dataclasses.replace(_proposed(number), configuration=0, repeat=number))
        keeper(0.0, Reported(number, metrics(10, error), "node", "cpu"))
        assert _kept(tmp_path) == {f"{each}.pt" for each in range(number + 1)}
        keeper(0.0, Completed(number))
    assert _kept(tmp_path) == {"2.pt"}


@pytest.mark.parametrize(
    ("ends", "left"),
    [
        (["completed", "diverged", "completed"], {2}),  # errors 3, 5 and that of guessing
        (["completed", "failed", "completed"], {0}),  # of two the lower one
        (["completed", "stopped", "completed"], set()),  # it is no candidate
        (["diverged", "failed", "diverged"], set()),
    ],
)
def test_repeats_that_end_otherwise(tmp_path, ends, left) -> None:
    keeper = CheckpointKeeper(tmp_path, 1, repeats=3)
    how = {"diverged": Diverged(0, 2, "nan"), "failed": Failed(0, "x"), "stopped": Stopped(0, 3, "worse")}
    for number, (end, error) in enumerate(zip(ends, [3.0, 4.0, 5.0], strict=True)):
        (tmp_path / f"{number}.pt").write_bytes(b"weights")
        keeper(0.0, dataclasses.replace(_proposed(number), configuration=0, repeat=number))
        keeper(0.0, Reported(number, metrics(10, error), "node", "cpu"))
        keeper(0.0, dataclasses.replace(how[end], number=number) if end in how else Completed(number))
    assert _kept(tmp_path) == {f"{each}.pt" for each in left}


def test_a_failed_repeat_that_is_tried_again_opens_its_configuration(tmp_path) -> None:
    keeper = CheckpointKeeper(tmp_path, 1, repeats=2)
    for number, error in enumerate([3.0, 1.0, 2.0, 2.0]):
        (tmp_path / f"{number}.pt").write_bytes(b"weights")
        keeper(0.0, dataclasses.replace(_proposed(number), configuration=number // 2, repeat=number % 2))
        keeper(0.0, Reported(number, metrics(10, error), "node", "cpu"))
    for event in (Completed(0), Failed(1, "killed"), Completed(2), Completed(3)):
        keeper(0.0, event)
    assert _kept(tmp_path) == {"2.pt"}
    (tmp_path / "1.pt").write_bytes(b"weights")
    keeper(0.0, Reopened(1))
    assert _kept(tmp_path) == {"1.pt", "2.pt"}
    keeper(0.0, Completed(1))
    assert _kept(tmp_path) == {"1.pt"}


def test_with_several_objectives_those_on_the_first_front_keep_theirs(folder) -> None:
    """Trial 0 has the lowest error, 4 the smallest network; 1 to 3 are behind both."""
    costs = {0: 5.0, 1: 6.0, 2: 6.5, 3: 7.0, 4: 1.0}
    keeper = CheckpointKeeper(folder, 2, costs=lambda configuration: (costs[configuration],))
    for number in range(5):
        keeper(0.0, _proposed(number))
    for number in range(5):
        keeper(0.0, Reported(number, metrics(10, 10.0 + number), "node", "cpu"))
        keeper(0.0, Completed(number))

    assert _kept(folder) == {"0.pt", "4.pt"}
