"""The conductor played without Ray: order of events, budgets, repeats, and that resuming is feeding events again."""

import dataclasses
from itertools import pairwise

import pytest

from tests.decisions.playing import FACTS, conductor_of, metrics, new_record, play, space_of
from wrn_search.decisions.proposals import trial_id
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment, NoTrial
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.results.events import (
    Completed,
    Diverged,
    Failed,
    Known,
    Paused,
    Proposed,
    Reported,
    Resumed,
    SearchEnded,
    SearchResumed,
    SearchStarted,
    Started,
    Stopped,
)
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.state_from_events import fold
from wrn_search.results.trial_state import FINAL
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig


def _curve(assignment: Assignment, epoch: int) -> float:
    """The more dropout, the worse; falls with every epoch."""
    return 60 * assignment.config.dropout + 40 / epoch


def _statuses(conductor: Conductor) -> list[str]:
    return [trial.status for trial in conductor.state.trials.values()]


def test_every_trial_is_proposed_started_and_ended_once_in_this_order(tmp_path) -> None:
    space = space_of()
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=2)
    play(conductor, _curve)
    events = [event for _, event in read_events(tmp_path / "events.jsonl")]
    assert conductor.end_reason == "finished"
    assert len(conductor.state.trials) == 9
    for number in range(9):
        own = [event for event in events if getattr(event, "number", None) == number]
        assert [type(event) for event in own[:2]] == [Proposed, Started]
        assert all(isinstance(event, Reported | Paused | Resumed | Started) for event in own[2:-1])
        assert isinstance(own[-1], Completed | Stopped)
    assert set(_statuses(conductor)) == {"completed", "stopped"}


def test_an_event_is_on_disk_before_it_is_acted_on(tmp_path) -> None:
    space = space_of()
    path = tmp_path / "events.jsonl"
    conductor = conductor_of(space, new_record(path, space))
    answer = conductor.next_trial()
    assert isinstance(answer, Assignment)
    assert isinstance(read_events(path)[-1][1], Proposed)
    conductor.started(answer.number)
    conductor.reported(answer.number, metrics(1, 50.0), "node", "cpu")
    assert isinstance(read_events(path)[-1][1], Reported)


def test_no_more_trials_at_once_than_allotted(tmp_path) -> None:
    space = space_of()
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=3)
    answers = [conductor.next_trial() for _ in range(4)]
    assert [type(answer) for answer in answers] == [Assignment, Assignment, Assignment, NoTrial]
    assert answers[3] is NoTrial.WAIT
    conductor.failed(0, "its process died")
    assert isinstance(conductor.next_trial(), Assignment)


def test_repeats_share_a_configuration_and_have_their_own_seeds(tmp_path) -> None:
    space = space_of(search={"trials": 3, "repeats": 2, "searcher": "random", "scheduler": "none"})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    play(conductor, _curve)
    trials = list(conductor.state.trials.values())
    assert [(trial.configuration, trial.repeat) for trial in trials] == [
        (c, r) for c in range(3) for r in range(2)
    ]
    assert all(trials[2 * c].hparams == trials[2 * c + 1].hparams for c in range(3))
    assert len({trial.config["seed"] for trial in trials}) == 6
    assert len({trial.trial_id for trial in trials}) == 6


def test_a_finite_space_that_runs_out_ends_the_search(tmp_path) -> None:
    space = space_of(model={"depth": {"choice": [10, 16]}}, search={"trials": 50, "searcher": "random"})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    play(conductor, _curve)
    assert (conductor.end_reason, len(conductor.state.trials)) == ("exhausted", 2)


def test_diverged_and_failed_trials_end_once_and_are_counted(tmp_path) -> None:
    space = space_of(search={"trials": 2, "searcher": "random"})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    play(conductor, lambda assignment, epoch: None if epoch == 2 else 50.0)
    conductor.failed(0, "too late: it has ended")
    assert _statuses(conductor) == ["diverged", "diverged"]
    events = [event for _, event in read_events(tmp_path / "events.jsonl")]
    assert sum(isinstance(event, Diverged) for event in events) == 2
    assert conductor.state.trials[0].epochs_done == 1


def test_the_hours_end_the_search_after_the_epoch_in_progress(tmp_path) -> None:
    now = [0.0]
    space = space_of(search={"trials": 9, "max_hours": 0.5, "scheduler": "none", "searcher": "random"})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), clock=lambda: now[0])

    def curve(assignment: Assignment, epoch: int) -> float:
        now[0] += 120.0
        return 50.0

    assert play(conductor, curve) == 15  # half an hour of two-minute epochs
    assert conductor.end_reason == "max_hours"
    assert _statuses(conductor) == ["completed", "interrupted"]
    assert conductor.next_trial() is NoTrial.DONE


def test_the_hours_hold_for_the_last_trials_too(tmp_path) -> None:
    now = [0.0]
    space = space_of(search={"trials": 1, "max_hours": 1.0, "scheduler": "none", "searcher": "random"})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), 2, clock=lambda: now[0])
    conductor.next_trial()
    conductor.started(0)
    assert conductor.next_trial() is NoTrial.WAIT  # all is proposed, one trains
    now[0] = 3600.0
    assert conductor.reported(0, metrics(1, 50.0), "node", "cpu") is False
    assert (conductor.end_reason, _statuses(conductor)) == ("max_hours", ["interrupted"])


def test_an_interrupt_ends_running_trials_after_their_epoch(tmp_path) -> None:
    space = space_of()
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=2)
    for number in range(2):
        conductor.next_trial()
        conductor.started(number)
    conductor.interrupt()
    assert conductor.next_trial() is NoTrial.DONE
    assert conductor.reported(0, metrics(1, 50.0), "node", "cpu") is False
    assert conductor.live == {1}
    assert conductor.state.trials[0].status == "interrupted"


@pytest.mark.parametrize("searcher", ["random", "tpe"])
@pytest.mark.parametrize("killed_after", [1, 4, 7, 20, 33])
def test_a_killed_search_goes_on_as_if_nothing_had_happened(tmp_path, searcher, killed_after) -> None:
    """One trial at a time: the resumed search has the same trials, curves, stops and proposals as an unbroken one."""
    space = space_of(search={"trials": 12, "searcher": searcher, "reduction_factor": 2})
    whole = conductor_of(space, new_record(tmp_path / "whole.jsonl", space))
    play(whole, _curve)
    with new_record(tmp_path / "killed.jsonl", space) as record:
        assert play(conductor_of(space, record), _curve, most_reports=killed_after) == killed_after
    with Record.open(tmp_path / "killed.jsonl") as record:
        record.append(SearchResumed())
    resumed = conductor_of(space, Record.open(tmp_path / "killed.jsonl"))
    play(resumed, _curve)
    for one, other in zip(whole.state.trials.values(), resumed.state.trials.values(), strict=True):
        assert (one.trial_id, one.hparams, one.status, one.rung) == (
            other.trial_id,
            other.hparams,
            other.status,
            other.rung,
        )
        assert [report for _, report in one.reports] == [report for _, report in other.reports]


def test_a_trial_whose_end_was_not_recorded_ends_at_the_next_start(tmp_path) -> None:
    """The driver died between a trial's last report and the event that ends it."""
    space = space_of(search={"trials": 1, "searcher": "random", "scheduler": "none"})
    path = tmp_path / "events.jsonl"
    with new_record(path, space) as record:
        play(conductor_of(space, record), _curve)
    lines = path.read_text().splitlines(keepends=True)
    assert '"completed"' in lines[-1]
    path.write_text("".join(lines[:-1]))
    resumed = conductor_of(space, Record.open(path))
    assert resumed.next_trial() is NoTrial.DONE
    assert _statuses(resumed) == ["completed"]


def test_a_resumed_search_spends_what_is_left_of_its_hours(tmp_path) -> None:
    space = space_of(search={"max_hours": 1.0})
    moments = iter([0.0, 1800.0, 5000.0])
    path = tmp_path / "events.jsonl"
    with Record.create(path, clock=lambda: next(moments)) as record:
        for event in (
            SearchStarted("played", "id", 10, 90.0, "digits", "split"),
            SearchEnded("interrupted"),
            SearchResumed(),
        ):
            record.append(event)
    conductor = conductor_of(space, Record.open(path), clock=lambda: 0.0)
    assert conductor._over.seconds_left == 1800.0


def test_proposals_carry_the_size_of_their_network(tmp_path) -> None:
    space = space_of(model={"depth": 10, "widen_factor": 1})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    conductor.next_trial()
    trial = conductor.state.trials[0]
    # WRN-10-1: 77,850 parameters for 3 channels; a grey image saves 2 * 16 * 9 of them in the first convolution.
    assert trial.num_params == 77_850 - 288
    assert trial.macs == (12_501_632 - 640 - 2 * 16 * 9 * 32**2) // 16 + 640


def test_the_identity_of_a_trial_is_its_number_and_what_it_trains() -> None:
    space = space_of()
    config = space.trial_config({"dropout": 0.1}, 3, precision="fp32", compile="off")
    elsewhere = dataclasses.replace(config, dataset=config.dataset.model_copy(update={"root": "/elsewhere"}))
    ids = [trial_id(7, each) for each in (config, elsewhere, dataclasses.replace(config, seed=4))]
    assert ids[0] == ids[1]  # where the files lie changes nothing
    assert ids[0] != ids[2]
    assert ids[0].startswith("00007-")
    assert TrialConfig.from_dict(config.to_dict()) == config


def test_the_record_folds_to_the_conductors_state(tmp_path) -> None:
    space = space_of()
    path = tmp_path / "events.jsonl"
    conductor = Conductor(space, FACTS, Allotment(2, 1, 0.0), new_record(path, space))
    play(conductor, _curve)
    assert fold(read_events(path)) == conductor.state
    assert all(trial.status in FINAL for trial in conductor.state.trials.values())
    times = [time for time, _ in read_events(path)]
    assert all(earlier <= later for earlier, later in pairwise(times))


def test_a_resumed_trial_is_assigned_what_is_on_record_and_where_the_images_lie_now(tmp_path) -> None:
    before, now = (space_of(dataset={"name": "parquet", "root": f"/{root}"}) for root in ("old", "new"))
    path = tmp_path / "events.jsonl"
    with new_record(path, before) as record:
        assert play(conductor_of(before, record), _curve, most_reports=2) == 2
    answer = conductor_of(now, Record.open(path)).next_trial()
    assert isinstance(answer, Assignment)
    assert (answer.number, answer.epochs_done, answer.config.dataset.root) == (0, 2, "/new")
    assert answer.trial_id == trial_id(0, answer.config)


def test_the_searcher_is_told_of_a_network_that_did_not_fit(tmp_path) -> None:
    space = space_of(search={"trials": 2, "searcher": "tpe"})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    conductor.next_trial()
    conductor.failed(0, "torch.OutOfMemoryError: CUDA out of memory", out_of_memory=True)
    heard = conductor._known.plan._searcher._heard
    assert heard._own.full == [(FACTS.chance_error, 0)]


def test_a_lost_trial_is_tried_again_from_where_it_was_even_the_last_one(tmp_path) -> None:
    space = space_of(search={"trials": 1, "searcher": "random", "scheduler": "none", "retries": 1})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=2)
    assert isinstance(conductor.next_trial(), Assignment)
    conductor.started(0)
    conductor.reported(0, metrics(1, 50.0), "node", "cpu")
    assert conductor.next_trial() is NoTrial.WAIT
    conductor.lost(0, "its process died")
    conductor.lost(0, "told twice")
    again = conductor.next_trial()
    assert isinstance(again, Assignment)
    assert (again.number, again.epochs_done) == (0, 1)
    conductor.started(0)
    conductor.lost(0, "its process died\nall of it: logs/0.txt")
    assert conductor.next_trial() is NoTrial.DONE
    trial = conductor.state.trials[0]
    error = "its process died (tried 2 times)\nall of it: logs/0.txt"
    assert (trial.status, trial.error, trial.retries) == ("failed", error, 1)


def test_tries_are_counted_over_all_sessions(tmp_path) -> None:
    space = space_of(search={"trials": 1, "searcher": "random", "retries": 1})
    path = tmp_path / "events.jsonl"
    with new_record(path, space) as record:
        conductor = conductor_of(space, record)
        conductor.next_trial()
        conductor.lost(0, "its process died")
    conductor = conductor_of(space, Record.open(path))
    assert isinstance(conductor.next_trial(), Assignment)
    conductor.lost(0, "its process died")
    assert _statuses(conductor) == ["failed"]


@pytest.mark.parametrize(("share", "ended"), [(0.5, 10), (0.9, 10), (1.0, 40)])
def test_a_search_whose_trials_fail_gives_up(tmp_path, share, ended) -> None:
    """Every trial fails: ten must have ended; a share of 1 never gives up."""
    space = space_of(search={"trials": 40, "searcher": "random", "max_failed_share": share})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    while isinstance(answer := conductor.next_trial(), Assignment):
        conductor.failed(answer.number, "ValueError: x")
    assert len(conductor.state.trials) == ended
    if share < 1:
        assert conductor.end_reason == "failed"
        assert conductor.failure == (
            f"at most a share of {share:g} of the trials may fail (search.max_failed_share), "
            "but 10 of 10 did, the last one by: ValueError: x"
        )


def test_half_of_the_trials_may_fail(tmp_path) -> None:
    space = space_of(search={"trials": 20, "searcher": "random", "scheduler": "none"}, training={"epochs": 1})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    while isinstance(answer := conductor.next_trial(), Assignment):
        if answer.number % 2:
            conductor.failed(answer.number, "ValueError: x")
        else:
            conductor.reported(answer.number, metrics(1, 50.0), "node", "cpu")
    assert (conductor.end_reason, len(conductor.state.trials)) == ("finished", 20)


def test_without_room_for_a_checkpoint_nothing_goes_on_and_nothing_fails(tmp_path) -> None:
    space = space_of()
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=2)
    for number in range(2):
        conductor.next_trial()
        conductor.started(number)
    conductor.storage_failed(0, "a checkpoint could not be written: No space left on device (x.pt)")
    assert conductor.next_trial() is NoTrial.DONE
    assert conductor.reported(1, metrics(1, 50.0), "node", "cpu") is False
    assert _statuses(conductor) == ["interrupted", "interrupted"]
    assert (conductor.end_reason, conductor.failure) == ("failed", conductor.state.trials[0].error)


def test_a_finished_search_goes_on_when_more_trials_are_asked_for(tmp_path) -> None:
    """With one trial at a time the extended search is the search that had asked for them at once."""
    path = tmp_path / "events.jsonl"
    whole, short = (
        space_of(search={"trials": n, "searcher": "random", "reduction_factor": 2}) for n in (12, 5)
    )
    unbroken = conductor_of(whole, new_record(tmp_path / "whole.jsonl", whole))
    play(unbroken, _curve)
    with new_record(path, short) as record:
        conductor = conductor_of(short, record)
        play(conductor, _curve)
        assert len(conductor.state.trials) == 5
        record.append(SearchEnded("finished"))
    extended = conductor_of(whole, Record.open(path))
    play(extended, _curve)
    for one, other in zip(unbroken.state.trials.values(), extended.state.trials.values(), strict=True):
        assert (one.trial_id, one.hparams, one.status) == (other.trial_id, other.hparams, other.status)


@pytest.mark.parametrize("retries", [0, 2])
def test_a_process_that_dies_while_the_search_ends_costs_no_try(tmp_path, retries) -> None:
    """SIGTERM to a whole job step: the driver is asked to stop and its trial processes die."""
    space = space_of(search={"trials": 2, "searcher": "random", "retries": retries})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space))
    conductor.next_trial()
    conductor.interrupt()
    conductor.lost(0, "its process died")
    assert (_statuses(conductor), conductor.state.trials[0].retries) == (["interrupted"], 0)


def test_an_interrupt_counts_after_the_hours_too_but_not_after_the_end(tmp_path) -> None:
    now = [0.0]
    space = space_of(search={"trials": 1, "max_hours": 1.0, "scheduler": "none", "searcher": "random"})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), clock=lambda: now[0])
    conductor.next_trial()
    now[0] = 4000.0
    conductor.look_at_clock()
    assert conductor.end_reason == "max_hours"
    conductor.interrupt()
    assert conductor.end_reason == "interrupted"

    space = space_of(search={"trials": 1, "searcher": "random", "scheduler": "none"})
    finished = conductor_of(space, new_record(tmp_path / "finished.jsonl", space))
    play(finished, _curve)
    finished.interrupt()
    assert finished.end_reason == "finished"


def test_a_lost_trial_is_not_tried_again_when_the_hours_are_over(tmp_path) -> None:
    now = [0.0]
    space = space_of(search={"trials": 1, "max_hours": 1.0, "searcher": "random"})
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), 2, clock=lambda: now[0])
    conductor.next_trial()
    assert conductor.next_trial() is NoTrial.WAIT
    conductor.lost(0, "its process died")
    now[0] = 4000.0
    assert conductor.next_trial() is NoTrial.DONE
    assert conductor.end_reason == "max_hours"


def _grid(**search) -> Space:
    return space_of(
        model={"depth": {"choice": [10, 16, 22]}, "widen_factor": {"choice": [0.5, 2, 1]}},
        training={"epochs": 2},
        search={"searcher": "grid", "scheduler": "none", **search},
    )


def test_near_the_end_of_a_grid_the_longest_trials_begin_first(tmp_path) -> None:
    """Nine networks, one at a time: the first five in the grid's order, the four of the end by cost."""
    space = _grid()
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=1)
    play(conductor, _curve)
    started = [
        event.number for _, event in read_events(tmp_path / "events.jsonl") if isinstance(event, Started)
    ]
    costs = [conductor.state.trials[number].macs for number in started]
    assert sorted(started) == list(range(9))
    assert started[:5] == [0, 1, 2, 3, 4]
    assert costs[5:] == sorted(costs[5:], reverse=True)
    assert started[5:] != sorted(started[5:])


def test_longest_first_ends_a_grid_earlier(tmp_path) -> None:
    """Three machines, a trial as long as its multiply-adds: sooner done than in the grid's own order."""
    space = _grid()
    conductor = conductor_of(space, new_record(tmp_path / "events.jsonl", space), concurrent=3)
    ends: dict[int, float] = {}  # of the trials that train
    now = 0.0
    while True:
        while isinstance(answer := conductor.next_trial(), Assignment):
            ends[answer.number] = now + conductor.state.trials[answer.number].macs
        if answer is NoTrial.DONE:
            break
        number = min(ends, key=ends.__getitem__)
        now = ends.pop(number)
        conductor.diverged(number, 1, "made-up end")
    in_order = [0.0, 0.0, 0.0]
    for trial in conductor.state.trials.values():
        in_order[in_order.index(min(in_order))] += trial.macs
    work = sum(trial.macs for trial in conductor.state.trials.values())
    assert now < 0.9 * max(in_order)
    assert now <= 4 / 3 * max(
        work / 3, *(trial.macs for trial in conductor.state.trials.values())
    )  # Graham 1969


def test_a_grid_that_is_interrupted_leaves_no_trial_running(tmp_path) -> None:
    """Trials that were proposed ahead and never began are interrupted with their session, and go on in the next."""
    space = _grid()
    path = tmp_path / "events.jsonl"
    record = new_record(path, space)
    conductor = conductor_of(space, record, concurrent=4)
    begun = conductor.next_trial()
    assert isinstance(begun, Assignment)
    conductor.started(begun.number)
    assert len(conductor.state.trials) == 9
    conductor.interrupt()
    for number in sorted(conductor.unended):
        conductor.interrupted(number, "the session ended: interrupted")
    assert set(_statuses(conductor)) == {"interrupted"}
    record.close()
    resumed = conductor_of(space, Record.open(path), concurrent=4)
    play(resumed, _curve)
    assert _statuses(resumed) == ["completed"] * 9


@pytest.mark.parametrize("over", ["hours", "interrupted"])
def test_a_trial_whose_epochs_are_all_on_record_is_completed_also_when_the_search_is_over(
    tmp_path, over
) -> None:
    """A kill came between its last report and its end."""
    space = space_of(search={"trials": 1, "searcher": "random", "max_hours": 1}, training={"epochs": 1})
    path = tmp_path / "events.jsonl"
    with new_record(path, space) as record:
        conductor = conductor_of(space, record)
        assert isinstance(conductor.next_trial(), Assignment)
        conductor.started(0)
        record.append(Reported(0, metrics(1, 20.0), "node", "cpu"))
    now = [0.0]
    with Record.open(path) as record:
        record.append(SearchResumed())
        conductor = conductor_of(space, record, clock=lambda: now[0])
        if over == "hours":
            now[0] = 2 * 3600.0
        else:
            conductor.interrupt()
        assert conductor.next_trial() is NoTrial.DONE
        assert _statuses(conductor) == ["completed"]


def test_giving_up_counts_the_failures_of_one_session(tmp_path) -> None:
    """10 failures, a repair, 5 successes and one failure more: nobody gives up; ten of this session are needed."""
    space = space_of(search={"trials": 60, "searcher": "random", "scheduler": "none"}, training={"epochs": 1})
    path = tmp_path / "events.jsonl"
    with new_record(path, space) as record:
        conductor = conductor_of(space, record)
        while isinstance(answer := conductor.next_trial(), Assignment):
            conductor.failed(answer.number, "ValueError: x")
        assert conductor.end_reason == "failed"
        record.append(SearchEnded("failed"))
    with Record.open(path) as record:
        record.append(SearchResumed())
        conductor = conductor_of(space, record)
        for works in [*[True] * 5, *[False] * 5]:
            answer = conductor.next_trial()
            assert isinstance(answer, Assignment)
            if works:
                conductor.reported(answer.number, metrics(1, 20.0), "node", "cpu")
            else:
                conductor.failed(answer.number, "ValueError: x")
            assert conductor.end_reason is None
        answer = conductor.next_trial()
        conductor.failed(answer.number, "ValueError: x")
        assert conductor.end_reason == "failed"
        assert conductor.failure.endswith("but 6 of 11 did, the last one by: ValueError: x")


@pytest.mark.parametrize(
    "second", [Completed(0), Stopped(0, 3, "late"), Diverged(0, 4, "nan"), Failed(0, "late")]
)
def test_a_second_end_changes_nothing(tmp_path, second) -> None:
    """A damaged record ended a trial twice; the searcher was told twice, and knew no such trial."""
    space = space_of(search={"trials": 3, "searcher": "tpe", "scheduler": "none"}, training={"epochs": 1})
    following = []
    for ends in ([], [second, second]):
        path = tmp_path / f"{len(ends)}.jsonl"
        with new_record(path, space) as record:
            conductor = conductor_of(space, record)
            conductor.next_trial()
            conductor.reported(0, metrics(1, 20.0), "node", "cpu")
        with Record.open(path) as record:
            for event in (*ends, SearchResumed()):
                record.append(event)
        with Record.open(path) as record:
            conductor = conductor_of(space, record)
            following.append(conductor.next_trial().config)
            assert _statuses(conductor) == ["completed", "running"]
    assert following[0] == following[1]


def test_knowledge_that_lacks_what_is_searched_is_passed_over(tmp_path) -> None:
    """An older version had fewer leaves."""
    space = space_of(search={"trials": 3, "searcher": "tpe"})
    with new_record(tmp_path / "events.jsonl", space) as record:
        conductor = conductor_of(space, record)
        record.append(Known("other", "0", {"depth": 10}, True, {"4": 12.5}))
        assert isinstance(conductor.next_trial(), Assignment)
