"""A trial that runs out of a GPU's memory: retried with more, told to the searcher, remembered by the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.decisions.playing import FACTS, metrics, new_record, space_of
from wrn_search.decisions.gpu_packing import Places
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trial_to_train import Assignment, NoTrial
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.hardware.machine import Node
from wrn_search.memory.gpu_shares import NO_CORRECTION, Correction
from wrn_search.memory.predicted_memory import CONTEXT_BYTES
from wrn_search.results.events import Failed, Retried, Started
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.state_from_events import fold
from wrn_search.results.trial_state import COUNTS_AS_CHANCE
from wrn_search.space.space import Space

GB = 10**9
BY_MEMORY = Allotment(8, 1, 1 / 8, by_memory=True, cpus_follow_share=True)
TEXT = "OutOfMemoryError: CUDA out of memory"


def _space(**search: Any) -> Space:
    settings = {"trials": 3, "searcher": "random", "scheduler": "none", **search}
    return space_of(training={"epochs": 1}, search=settings)


def _conductor(
    record: Record,
    space: Space,
    allotment: Allotment = BY_MEMORY,
    gpu_bytes: int = 16 * GB,
    probed: Correction = NO_CORRECTION,
) -> Conductor:
    places = Places([Node(8, 1, gpu_bytes)], allotment, probed)
    return Conductor(space, FACTS, allotment, record, places=places)


def _next(conductor: Conductor) -> Assignment:
    answer = conductor.next_trial()
    assert isinstance(answer, Assignment)
    conductor.started(answer.number)
    return answer


def test_a_trial_is_tried_with_larger_shares_up_to_a_whole_gpu_and_then_fails(tmp_path: Path) -> None:
    space = _space(trials=1)
    conductor = _conductor(new_record(tmp_path / "events.jsonl", space), space)
    shares = []
    while isinstance(answer := conductor.next_trial(), Assignment):
        conductor.started(answer.number)
        shares.append(answer.grant.gpu_fraction)
        conductor.failed(answer.number, TEXT, out_of_memory=True)
    assert answer is NoTrial.DONE
    assert shares == [1 / 8, 1 / 4, 1 / 2, 1]
    trial = conductor.state.trials[0]
    assert (trial.status, trial.out_of_memory, trial.retries) == ("failed", True, 0)
    assert trial.error == f"needs more than 15.1 GB at batch size 128: {TEXT}\n{COUNTS_AS_CHANCE}"
    events = [event for _, event in read_events(tmp_path / "events.jsonl")]
    assert [event.gpu_fraction for event in events if isinstance(event, Started)] == shares
    retried = [event for event in events if isinstance(event, Retried)]
    assert [event.gpu_fraction for event in retried] == shares[:-1]
    assert [event.memory_bytes for event in retried] == [
        int(share * 16 * GB) - CONTEXT_BYTES for share in shares[:-1]
    ]


@pytest.mark.parametrize("context_mib", [100, 599, 600, 601, 1000, 1500])
@pytest.mark.parametrize("gpu_gb", [8, 16, 80])
def test_no_share_is_tried_twice_whatever_context_was_probed(
    tmp_path: Path, context_mib: int, gpu_gb: int
) -> None:
    space = _space(trials=1)
    record = new_record(tmp_path / "events.jsonl", space)
    probed = Correction(context_bytes=context_mib * 2**20)
    conductor = _conductor(record, space, gpu_bytes=gpu_gb * GB, probed=probed)
    shares: list[float] = []
    while isinstance(answer := conductor.next_trial(), Assignment):
        conductor.started(answer.number)
        shares.append(answer.grant.gpu_fraction)
        assert len(shares) <= 4, shares
        conductor.failed(answer.number, TEXT, out_of_memory=True)
    assert shares == sorted(set(shares))
    assert shares[-1] == 1
    assert conductor.state.trials[0].status == "failed"


def test_a_trial_runs_out_of_memory_no_more_often_than_there_are_shares(tmp_path: Path) -> None:
    """Whatever is learned of the context meanwhile: here there is less of it every time, so always more room."""
    space = _space(trials=1)
    conductor = _conductor(
        new_record(tmp_path / "events.jsonl", space), space, Allotment(1, 1, 1.0), probed=Correction()
    )
    tries = 0
    while isinstance(answer := conductor.next_trial(), Assignment):
        tries += 1
        assert tries <= 4
        context_bytes = conductor.places.probed.context_bytes - 50 * 2**20
        conductor.places.probed = Correction(context_bytes=context_bytes)
        conductor.failed(answer.number, TEXT, out_of_memory=True)
    assert conductor.state.trials[0].status == "failed"


def test_it_completes_where_it_fits(tmp_path: Path) -> None:
    space = _space(trials=1)
    conductor = _conductor(new_record(tmp_path / "events.jsonl", space), space)
    for _ in range(2):
        conductor.failed(_next(conductor).number, TEXT, out_of_memory=True)
    last = _next(conductor)
    assert last.grant.gpu_fraction == 1 / 2
    assert not conductor.reported(last.number, metrics(1, 20.0), "node", "cuda")
    trial = conductor.state.trials[0]
    assert (trial.status, trial.gpu_fraction, trial.error) == ("completed", 1 / 2, None)


def test_a_share_that_the_user_gave_grows_too_whether_the_memory_is_known_or_not(tmp_path: Path) -> None:
    for name, gpu_bytes in (("known", 16 * GB), ("unknown", 0)):
        space = _space(trials=1)
        record = new_record(tmp_path / f"{name}.jsonl", space)
        conductor = _conductor(record, space, Allotment(4, 2, 1 / 4), gpu_bytes)
        shares = []
        while isinstance(answer := conductor.next_trial(), Assignment):
            shares.append(answer.grant.gpu_fraction)
            assert answer.grant.threads == 2
            conductor.failed(answer.number, TEXT, out_of_memory=True)
        assert shares == [1 / 4, 1 / 2, 1]
        error = conductor.state.trials[0].error
        assert error is not None
        assert error.startswith(
            f"needs more than {'15.1 GB' if gpu_bytes else '1 of a GPU'} at batch size 128: "
        )


def test_out_of_memory_on_a_cpu_fails_at_once(tmp_path: Path) -> None:
    space = _space(trials=1)
    record = new_record(tmp_path / "events.jsonl", space)
    conductor = Conductor(space, FACTS, Allotment(1, 1, 0.0), record)
    conductor.failed(_next(conductor).number, "MemoryError", out_of_memory=True)
    assert (conductor.state.trials[0].status, conductor.state.trials[0].error) == (
        "failed",
        f"MemoryError\n{COUNTS_AS_CHANCE}",
    )


def test_other_failures_are_not_retried_with_more_memory(tmp_path: Path) -> None:
    space = _space(trials=1)
    conductor = _conductor(new_record(tmp_path / "events.jsonl", space), space)
    conductor.failed(_next(conductor).number, "ValueError: x")
    assert conductor.state.trials[0].status == "failed"


def test_the_predictor_learns_within_the_search_and_from_the_record(tmp_path: Path) -> None:
    """The second trial, of the same network, begins with the share that the first one came to; a resumed search too."""
    space = _space()
    path = tmp_path / "events.jsonl"
    conductor = _conductor(new_record(path, space), space)
    first = _next(conductor)
    assert first.grant.gpu_fraction == 1 / 8
    conductor.failed(first.number, TEXT, out_of_memory=True)
    again, second = _next(conductor), _next(conductor)
    assert (again.number, again.grant.gpu_fraction) == (0, 1 / 4)
    assert (second.number, second.grant.gpu_fraction) == (1, 1 / 4)
    conductor._record.close()

    resumed = _conductor(Record.open(path), space)
    assert [_next(resumed).grant.gpu_fraction for _ in range(3)] == [1 / 4] * 3
    assert fold(read_events(path)).trials[0].above_share == 1 / 8


def test_one_that_waits_for_a_larger_share_is_not_passed_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full GPU the retried trial waits while small ones go on; after eight of them a place is kept for it."""
    space = _space(trials=60)
    conductor = _conductor(new_record(tmp_path / "events.jsonl", space), space)
    training = [_next(conductor) for _ in range(8)]
    assert conductor.next_trial() is NoTrial.WAIT
    monkeypatch.setattr(conductor.places, "learn", lambda workload, too_little_bytes: None)  # of the others
    assert training.pop(0).number == 0
    conductor.failed(0, TEXT, out_of_memory=True)
    passed = 0
    for _ in range(40):
        while isinstance(answer := conductor.next_trial(), Assignment):
            conductor.started(answer.number)
            if answer.number == 0:
                assert answer.grant.gpu_fraction == 1 / 4
                assert passed <= 8
                return
            passed += 1
            training.append(answer)
        ended = training.pop(0)
        conductor.reported(ended.number, metrics(1, 20.0), "node", "cuda")
    raise AssertionError("the large trial never began")


def test_the_searcher_hears_the_error_of_chance_only_when_nothing_larger_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = _space(trials=1, searcher="tpe")
    conductor = _conductor(new_record(tmp_path / "events.jsonl", space), space)
    told: list[Any] = []
    monkeypatch.setattr(conductor._known.plan._searcher, "told", lambda number, outcome: told.append(outcome))
    for _ in range(4):
        assert told == []
        conductor.failed(_next(conductor).number, TEXT, out_of_memory=True)
    assert [outcome.val_error for outcome in told] == [FACTS.chance_error]


def test_an_interrupted_search_retries_in_its_next_session(tmp_path: Path) -> None:
    space = _space(trials=1)
    path = tmp_path / "events.jsonl"
    conductor = _conductor(new_record(path, space), space)
    number = _next(conductor).number
    conductor.interrupt()
    conductor.failed(number, TEXT, out_of_memory=True)
    assert conductor.state.trials[0].status == "interrupted"
    assert not any(isinstance(event, Failed | Retried) for _, event in read_events(path))
