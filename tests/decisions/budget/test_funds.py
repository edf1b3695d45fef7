"""A search spends what `search.budget` says, not an epoch more, on what can be compared."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.decisions.playing import FACTS, conductor_of, metrics, new_record, play, space_of
from wrn_search.decisions.gpu_packing import Places
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment, NoTrial
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.decisions.unwritten_record import UnwrittenRecord
from wrn_search.end_reason import EndReason
from wrn_search.hardware.machine import Node
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.results.events import Paused, Resumed, SearchResumed, SearchStarted, Stopped
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.space.space import Space

RUNGS = [2, 5]  # of ten epochs
ENDS = {0, *RUNGS, 10}


def _space(budget: dict[str, float] | None, **search: Any) -> Space:
    asked = {
        "searcher": "random",
        "scheduler": "asha",
        "rungs": RUNGS,
        "anchors": 0,
        "budget": budget,
        **search,
    }
    return space_of(search=asked)


def _unwritten() -> UnwrittenRecord:
    return UnwrittenRecord(SearchStarted("played", "id", 10, FACTS.chance_error, "digits", ""))


def _curve(assignment: Assignment, epoch: int) -> float:
    return (assignment.number * 37 % 50) + 20 - epoch  # another order than that of the proposals


def _epochs(conductor: Conductor) -> list[int]:
    return [trial.epochs_done for trial in conductor.state.trials.values()]


@pytest.mark.parametrize("epochs", [10, 11, 19, 30, 57, 222])
@pytest.mark.parametrize("concurrent", [1, 3, 8])
@pytest.mark.parametrize(
    "search", [{}, {"promote": False}, {"repeats": 2}, {"anchors": 0.3}, {"scheduler": "none"}]
)
def test_epochs_are_never_overdrawn_and_each_can_be_compared(
    epochs: int, concurrent: int, search: dict[str, Any]
) -> None:
    repeats = search.get("repeats", 1)
    epochs *= repeats
    space = _space({"epochs": epochs}, **search)
    conductor = conductor_of(space, _unwritten(), concurrent)
    spent = play(conductor, _curve)
    trained = _epochs(conductor)
    assert sum(trained) == spent <= epochs
    assert set(trained) <= ENDS
    assert "completed" in {trial.status for trial in conductor.state.trials.values()}
    assert conductor.end_reason is EndReason.BUDGET
    # Nothing that could have been begun, or brought to its end, was left out.
    cheapest = repeats * (10 if search.get("scheduler") == "none" else 2)
    assert epochs - spent < cheapest
    assert conductor.funds.left == {"epochs": epochs - spent}


def test_of_a_budget_for_one_training_one_comes_to_its_end(tmp_path: Path) -> None:
    """Two that begin side by side would both be left at a rung."""
    space = _space({"epochs": 10})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=4)
    play(conductor, _curve)
    assert _epochs(conductor) == [10]


def test_a_diverged_trial_leaves_what_it_did_not_spend_to_others(tmp_path: Path) -> None:
    space = _space({"epochs": 12})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    play(conductor, lambda assignment, epoch: None if assignment.number == 0 and epoch == 2 else 50.0)
    assert _epochs(conductor) == [1, 10]
    assert conductor.end_reason is EndReason.BUDGET


def test_where_none_can_come_to_its_end_any_more_the_rest_is_spent_all_the_same(tmp_path: Path) -> None:
    space = _space({"epochs": 10})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    play(conductor, lambda assignment, epoch: None if assignment.number == 0 and epoch == 4 else 50.0)
    assert sum(_epochs(conductor)) in (9, 10)
    assert not any(trial.status == "completed" for trial in conductor.state.trials.values())


def test_what_waits_at_a_rung_is_taken_up_with_what_is_left(tmp_path: Path) -> None:
    """Six of nine begin alike; what is left then is too little for a new one and brings the best of the rest on."""
    space = _space({"epochs": 21}, rungs=[4, 7], promote=True)
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    play(conductor, _curve)
    assert sorted(_epochs(conductor)) == [4, 7, 10]
    space = _space({"epochs": 24}, rungs=[7])
    conductor = conductor_of(space, new_record(tmp_path / "more.jsonl", space))
    play(conductor, _curve)
    assert sorted(_epochs(conductor)) == [7, 7, 10]


@pytest.mark.parametrize("kills", [1, 7, 16, 34])
@pytest.mark.parametrize("repeats", [1, 2])
def test_kills_and_resumes_spend_no_more(tmp_path: Path, kills: int, repeats: int) -> None:
    space = _space({"epochs": 40}, repeats=repeats)
    path = tmp_path / "events.jsonl"
    new_record(path, space).close()
    reports = kills
    while reports == kills:
        with Record.open(path) as record:
            conductor = conductor_of(space, record)
            reports = play(conductor, _curve, most_reports=kills)
    whole = conductor_of(space, new_record(tmp_path / "whole.jsonl", space))
    play(whole, _curve)
    assert conductor.end_reason is whole.end_reason is EndReason.BUDGET
    assert _epochs(conductor) == _epochs(whole)
    assert conductor.funds.spent["epochs"] == sum(_epochs(whole)) <= 40


@pytest.mark.parametrize("search", [{}, {"repeats": 2}, {"promote": False}, {"anchors": 0.25}])
def test_a_kill_between_any_two_events_changes_nothing(search: dict[str, Any]) -> None:
    space, told = _space({"epochs": 44}, **search), []
    record = _unwritten()
    record.subscribe(lambda moment, event: told.append((moment, event)))
    whole = conductor_of(space, record)
    play(whole, _curve)
    events = [*record.events, *told]
    for kept in range(1, len(events)):
        cut = _unwritten()
        cut.events = events[:kept]
        resumed = conductor_of(space, cut)
        play(resumed, _curve)
        assert (_epochs(resumed), resumed.end_reason) == (_epochs(whole), EndReason.BUDGET), events[kept - 1]


@pytest.mark.parametrize("concurrent", [1, 4])
def test_a_larger_budget_goes_on_with_what_waits(tmp_path: Path, concurrent: int) -> None:
    path = tmp_path / "events.jsonl"
    space = _space({"epochs": 40})
    with new_record(path, space) as record:
        conductor = conductor_of(space, record, concurrent)
        play(conductor, _curve)
    before = dict(enumerate(_epochs(conductor)))
    assert any(trial.is_paused for trial in conductor.state.trials.values())
    assert not [event for _, event in read_events(path) if isinstance(event, Stopped)]
    more = conductor_of(_space({"epochs": 120}), Record.open(path), concurrent)
    play(more, _curve)
    after = _epochs(more)
    assert 118 <= sum(after) <= 120
    assert any(after[number] > epochs > 0 for number, epochs in before.items())
    assert [event for _, event in read_events(path) if isinstance(event, Resumed)]


def test_what_a_smaller_budget_does_not_pay_for_is_looked_at_after_each_epoch(tmp_path: Path) -> None:
    """An interrupted trial goes on, whatever is left: no step of several epochs may run past it."""
    path = tmp_path / "events.jsonl"
    space = _space({"epochs": 40}, scheduler="none")
    with new_record(path, space) as record:
        conductor = conductor_of(space, record, 1)
        play(conductor, _curve, most_reports=15)  # the second one has five of ten
        assert conductor.funds.cover_what_runs
    for epochs, covered in ((19, False), (20, True)):
        with Record.open(path) as record:
            resumed = conductor_of(_space({"epochs": epochs}, scheduler="none"), record, 1)
            assert isinstance(resumed.next_trial(), Assignment)
            assert resumed.funds.cover_what_runs is covered
    assert conductor_of(_space(None), _unwritten(), 1).funds.cover_what_runs  # as there is no budget


def test_who_was_to_go_on_and_could_not_is_the_first_when_there_is_more(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    space = _space({"epochs": 26}, rungs=[2], trials=9)
    with new_record(path, space) as record:  # each is better than all before
        play(
            conductor_of(space, record, concurrent=3), lambda assignment, epoch: 90.0 - 9 * assignment.number
        )
    short = [event.number for _, event in read_events(path) if isinstance(event, Paused) and event.for_budget]
    assert short
    more = conductor_of(_space({"epochs": 200}, rungs=[2], trials=9), Record.open(path), concurrent=1)
    play(more, lambda assignment, epoch: 90.0 - 9 * assignment.number, most_reports=1)
    resumed = [event.number for _, event in read_events(path) if isinstance(event, Resumed)]
    assert resumed[-1] in short


def test_all_trials_there_and_budget_left_ends_as_ever(tmp_path: Path) -> None:
    space = _space({"epochs": 1000}, trials=9)
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    play(conductor, _curve)
    assert conductor.end_reason is EndReason.FINISHED
    assert not any(trial.status == "interrupted" for trial in conductor.state.trials.values())


def test_hours_end_what_runs_and_nothing_is_begun_that_needs_more_than_is_left(tmp_path: Path) -> None:
    """Epochs of two minutes, half an hour: fifteen epochs, of which one more trial would need two."""
    now = [0.0]
    space = _space({"hours": 0.5}, rungs=[2], promote=False)
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), clock=lambda: now[0])
    play(conductor, _slow(conductor, now))
    assert conductor.end_reason is EndReason.BUDGET
    assert sum(_epochs(conductor)) in (14, 15)
    assert set(_epochs(conductor)) <= {2, 10}


def _slow(conductor: Conductor, now: list[float]) -> Any:
    """Each epoch takes two minutes of the clock, and says so."""

    def curve(assignment: Assignment, epoch: int) -> float:
        now[0] += 120.0
        conductor._known.pace.learn(conductor.state.trials[assignment.number].macs, 120.0, alone=True)
        return 50.0

    return curve


def test_hours_that_are_over_end_running_trials_after_their_epoch(tmp_path: Path) -> None:
    now = [0.0]
    space = _space({"hours": 1}, scheduler="none")
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), 2, clock=lambda: now[0])
    for _ in range(2):
        answer = conductor.next_trial()
        assert isinstance(answer, Assignment)
        conductor.started(answer.number)
    now[0] = 3600.0
    assert conductor.reported(0, metrics(1, 50.0), "node", "cpu") is False
    assert conductor.reported(1, metrics(1, 50.0), "node", "cpu") is False
    assert (conductor.end_reason, conductor.end_reason.at_once) == (EndReason.BUDGET, True)


def test_gpu_hours_are_shares_times_wall_time_over_all_sessions(tmp_path: Path) -> None:
    """Half a GPU for 3 hours, then a kill; a whole hour later a session of one more hour: 2 GPU-hours."""
    now = [1e9]
    space = _space({"gpu_hours": 3}, scheduler="none")
    path = tmp_path / "events.jsonl"
    new_record(path, space).close()
    allotment = Allotment(1, 1, 0.5)
    for hours in (3, 1):
        with Record.open(path, clock=lambda: now[0]) as record:
            if hours == 1:
                record.append(SearchResumed())
            conductor = Conductor(space, FACTS, allotment, record, clock=lambda: now[0])
            answer = conductor.next_trial()
            assert isinstance(answer, Assignment)
            conductor.started(answer.number)
            epoch = conductor.state.trials[answer.number].epochs_done
            for more in range(1, hours + 1):
                now[0] += 3600.0
                conductor.reported(answer.number, metrics(epoch + more, 50.0), "node", "cuda")
        now[0] += 3600.0
    assert conductor.funds.spent["gpu_hours"] == pytest.approx(2.0)
    assert conductor.funds.left == {"gpu_hours": pytest.approx(1.0)}


def test_network_passes_are_multiply_adds_times_images(tmp_path: Path) -> None:
    facts = dataclasses.replace(FACTS, train_images=1197)
    size = macs(Architecture.of(10, 1.0, "B(3,3)"), 10, 1, (8, 8))
    most = 40 * size * 1197
    space = _space({"epochs": 1000, "network_passes": most})
    record = new_record(tmp_path / "events.jsonl", space)
    conductor = Conductor(space, facts, Allotment(3, 1, 0.0), record)
    play(conductor, _curve)
    assert conductor.end_reason is EndReason.BUDGET
    assert 39 <= sum(_epochs(conductor)) <= 40
    assert conductor.funds.spent["network_passes"] == sum(_epochs(conductor)) * size * 1197


def test_network_passes_count_both_of_sam(tmp_path: Path) -> None:
    """Spent, claimed and planned for alike: of a budget for 40 epochs of one pass there are 20 of two."""
    facts = dataclasses.replace(FACTS, train_images=1197)
    size = macs(Architecture.of(10, 1.0, "B(3,3)"), 10, 1, (8, 8))
    budget = {"network_passes": 40 * size * 1197}
    space = space_of(
        training={"epochs": 10, "sam": 0.05},
        search={"searcher": "random", "scheduler": "asha", "rungs": RUNGS, "anchors": 0, "budget": budget},
    )
    conductor = Conductor(space, facts, Allotment(3, 1, 0.0), new_record(tmp_path / "events.jsonl", space))
    play(conductor, _curve)
    assert conductor.end_reason is EndReason.BUDGET
    assert 19 <= sum(_epochs(conductor)) <= 20
    assert conductor.funds.spent["network_passes"] == sum(_epochs(conductor)) * 2 * size * 1197


# One GPU whose shares follow from each trial's network: WRN-16-8 in bf16 fills it, WRN-16-1 takes an eighth.
GPU = Node(16, 1, 80 * 10**9, "H100")
BY_MEMORY = Allotment(8, 1, 1 / 8, by_memory=True, cpus_follow_share=True)


def _on_a_gpu(gpu_hours: float, now: list[float], widen_factor: int, allotment: Allotment) -> Conductor:
    """Colour images of 32x32, trials that are never stopped."""
    asked = {"searcher": "random", "scheduler": "none", "anchors": 0, "budget": {"gpu_hours": gpu_hours}}
    model = {"depth": 16, "widen_factor": widen_factor, "dropout": {"uniform": [0.0, 0.5]}}
    facts = dataclasses.replace(FACTS, image_shape=(32, 32, 3))
    started = SearchStarted("played", "id", 10, FACTS.chance_error, "digits", "")
    return Conductor(
        space_of(model=model, search=asked),
        facts,
        allotment,
        UnwrittenRecord(started, lambda: now[0]),
        precision="bf16",
        places=Places([GPU], allotment),
        clock=lambda: now[0],
    )


def _in_an_hour(conductor: Conductor, now: list[float], number: int) -> None:
    """Trains to the end, an epoch in six minutes."""
    conductor.started(number)
    for epoch in range(1, 11):
        now[0] += 360.0
        told = dataclasses.replace(metrics(epoch, 50.0), seconds=360.0)
        assert conductor.reported(number, told, "node", "cuda") is (epoch < 10)


def _begun(conductor: Conductor) -> Assignment:
    answer = conductor.next_trial()
    assert isinstance(answer, Assignment)
    return answer


@pytest.mark.parametrize(
    ("widen_factor", "allotment", "share"),
    [
        (8, BY_MEMORY, 1.0),
        (1, BY_MEMORY, 1 / 8),
        (8, Allotment(2, 1, 0.5), 0.5),
        (1, Allotment(1, 1, 1.0), 1.0),
    ],
)
@pytest.mark.parametrize("trials", [1, 2, 3])
def test_a_new_trial_costs_the_share_of_a_gpu_that_it_will_get(
    widen_factor: int, allotment: Allotment, share: float, trials: int
) -> None:
    """An hour each: of a budget for so many and a half as many are begun, and nothing is overdrawn."""
    now = [0.0]
    conductor = _on_a_gpu((trials + 0.5) * share, now, widen_factor, allotment)
    for _ in range(trials):
        begun = _begun(conductor)
        assert begun.grant.gpu_fraction == share
        _in_an_hour(conductor, now, begun.number)
    assert conductor.next_trial() is NoTrial.DONE
    assert conductor.end_reason is EndReason.BUDGET
    assert conductor.funds.spent["gpu_hours"] == pytest.approx(trials * share)
    assert _epochs(conductor) == [10] * trials


@pytest.mark.parametrize(("gpu_hours", "both"), [(0.125 + 0.49, False), (0.125 + 0.51, True)])
def test_one_that_needs_a_larger_share_after_all_has_a_claim_on_that(gpu_hours: float, both: bool) -> None:
    """An eighth was too little memory: it gets a quarter when it is tried again, and so does the next one."""
    now = [0.0]
    conductor = _on_a_gpu(gpu_hours, now, 1, BY_MEMORY)
    _in_an_hour(conductor, now, _begun(conductor).number)
    tried = _begun(conductor)
    conductor.started(tried.number)
    conductor.failed(tried.number, "CUDA out of memory", out_of_memory=True)
    again = _begun(conductor)
    assert (again.number, again.grant.gpu_fraction) == (tried.number, 1 / 4)
    assert isinstance(conductor.next_trial(), Assignment) is both
