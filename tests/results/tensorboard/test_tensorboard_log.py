"""TensorBoard's event files: what its own reader makes of the runs, also after kills and second tries."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata

from tests.results.searches import (
    MAX_EPOCHS,
    START,
    every_event,
    follow,
    metrics,
    proposed,
    reported,
    search_started,
    started,
    timed,
)
from wrn_search.results.events import Completed, Diverged, Failed, Interrupted, SearchResumed, Stopped
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.tensorboard.event_file import EventFile
from wrn_search.results.tensorboard.tensorboard_log import SCALARS, TensorBoardLog
from wrn_search.space.domains import Choice, Uniform

DOMAINS = {"depth": Choice((16, 22)), "dropout": Uniform(0.0, 0.5)}


@pytest.fixture
def directory(tmp_path):
    directory = ResultsDirectory(tmp_path / "small")
    directory.create()
    return directory


def logged(directory, events):
    """The state after events that a log followed; the log is closed."""
    state = SearchState()
    log = TensorBoardLog(directory, state, DOMAINS)
    follow(log, state, events)
    log.close()
    return state


def read(run):
    """A run as TensorBoard's own reader gives it, every point kept."""
    accumulator = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


def scalars(run, tag="val_error"):
    """[(epoch, value)] of a run."""
    found = read(run)
    return (
        [(point.step, point.value) for point in found.Scalars(tag)] if tag in found.Tags()["scalars"] else []
    )


def session(run):
    """(start info, end info or None) of a run."""
    contents = read(run).PluginTagToContent(metadata.PLUGIN_NAME)
    start = metadata.parse_session_start_info_plugin_data(contents[metadata.SESSION_START_INFO_TAG])
    if metadata.SESSION_END_INFO_TAG not in contents:
        return start, None
    return start, metadata.parse_session_end_info_plugin_data(contents[metadata.SESSION_END_INFO_TAG])


def runs(directory):
    """Names of the runs below the root run."""
    return sorted(path.name for path in directory.tensorboard.iterdir() if path.is_dir())


def run_of(directory, number):
    (run,) = directory.tensorboard.glob(f"{number:03d}_*")
    return run


def test_scalars_are_logged_by_epoch_with_the_times_of_their_reports(directory):
    events = timed(search_started(), proposed(0), started(0), reported(0, 1), reported(0, 2), Completed(0))
    logged(directory, events)
    run = read(run_of(directory, 0))
    measured = set(SCALARS) - {"ema_val_error"}  # of no moving average
    assert set(run.Tags()["scalars"]) == measured
    for tag in measured:
        points = [(point.step, point.value) for point in run.Scalars(tag)]
        assert points == [(epoch, pytest.approx(getattr(metrics(epoch), tag))) for epoch in (1, 2)]
    assert [point.wall_time for point in run.Scalars("val_loss")] == [START + 3, START + 4]


def test_a_run_begins_with_the_start_of_its_trial(directory):
    logged(directory, timed(search_started(), proposed(0)))
    assert runs(directory) == []
    logged(directory, timed(search_started(), proposed(0), started(0)))
    start, end = session(run_of(directory, 0))
    assert start.start_time_secs == START + 2
    assert start.group_name == "000_WRN-16-4_p0.30_wd5e-4"
    values = {name: value.number_value or value.string_value for name, value in start.hparams.items()}
    assert values == {"depth": 16, "dropout": 0.3, "status": "running", "epochs_done": ""}
    assert end is None


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (Completed(0), api_pb2.STATUS_SUCCESS),
        (Stopped(0, 1, "not among the best third"), api_pb2.STATUS_SUCCESS),
        (Diverged(0, 2, "train loss is nan"), api_pb2.STATUS_FAILURE),
        (Failed(0, "RuntimeError"), api_pb2.STATUS_FAILURE),
    ],
)
@pytest.mark.parametrize("was_started", [True, False])
def test_each_end_of_a_trial_ends_its_session(directory, event, status, was_started):
    before = [started(0), reported(0, 1)] if was_started else []
    events = timed(search_started(), proposed(0), *before, event)
    logged(directory, events)
    _, end = session(run_of(directory, 0))
    assert (end.status, end.end_time_secs) == (status, events[-1][0])


def test_an_interrupted_trial_has_no_end_yet(directory):
    state = SearchState()
    log = TensorBoardLog(directory, state, DOMAINS)
    follow(log, state, timed(search_started(), proposed(0), started(0), reported(0, 1)))
    follow(log, state, timed(Interrupted(0, "SIGINT")))
    start, end = session(run_of(directory, 0))
    assert (start.hparams["status"].string_value, end) == ("interrupted", None)
    assert scalars(run_of(directory, 0)) == [(1, 60.0)]


def test_running_trials_cost_neither_threads_nor_open_files(directory):
    def held():
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    state, before = SearchState(), held()
    log = TensorBoardLog(directory, state, DOMAINS)
    follow(log, state, every_event())
    assert held() == before
    log.close()


@pytest.fixture
def now(monkeypatch):
    """The seconds of the log's clock, to be set."""
    now = [100.0]
    monkeypatch.setattr("wrn_search.results.tensorboard.tensorboard_log.time.monotonic", lambda: now[0])
    return now


def test_a_running_trial_and_its_epochs_are_shown_at_once(directory, now):
    state = SearchState()
    log = TensorBoardLog(directory, state, DOMAINS)
    follow(log, state, timed(search_started(), proposed(0), started(0)))
    assert session(run_of(directory, 0))[0].hparams["status"].string_value == "running"
    (file,) = run_of(directory, 0).iterdir()
    follow(log, state, timed(reported(0, 1), reported(0, 2)))
    assert scalars(run_of(directory, 0)) == [(1, 60.0), (2, 30.0)]
    assert list(run_of(directory, 0).iterdir()) == [file]


def test_in_a_flood_epochs_are_shown_within_seconds(directory, now):
    """Also while no event comes."""
    state = SearchState()
    log = TensorBoardLog(directory, state, DOMAINS)
    follow(log, state, timed(search_started(), proposed(0), proposed(1), started(0)))
    follow(log, state, timed(*(reported(0, epoch) for epoch in range(1, 21)), started(1), reported(1, 1)))
    assert len(scalars(run_of(directory, 0))) == 15
    assert len(runs(directory)) == 1
    for seconds, epochs in ((4.9, 15), (0.2, 20)):
        now[0] += seconds
        log.write_due()
        assert len(scalars(run_of(directory, 0))) == epochs
    assert scalars(run_of(directory, 1)) == [(1, 60.0)]
    assert [len(list(run_of(directory, number).iterdir())) for number in (0, 1)] == [1, 1]


def test_in_a_flood_a_trial_that_ends_within_seconds_is_written_once(directory, now, monkeypatch):
    written, write = [], EventFile.write
    monkeypatch.setattr(EventFile, "write", lambda file: written.append(file) or write(file))
    state = SearchState()
    log = TensorBoardLog(directory, state, DOMAINS)
    follow(log, state, timed(search_started(), *(proposed(number) for number in range(100))))
    for number in range(100):
        follow(log, state, timed(started(number), reported(number, 1), Completed(number)))
    assert len(runs(directory)) == 100
    assert len(written) == 1 + 100 + 16, "the experiment, every end, and what came first"
    for number in (0, 99):
        assert scalars(run_of(directory, number)) == [(1, 60.0)]
        start, end = session(run_of(directory, number))
        assert (start.hparams["status"].string_value, end.status) == ("completed", api_pb2.STATUS_SUCCESS)
    now[0] += 5.0
    follow(log, state, timed(proposed(100), started(100)))
    assert len(runs(directory)) == 101


@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_run_that_was_removed_is_not_written_on_without_its_beginning(directory, monkeypatch, whole_folder):
    now = [100.0]
    monkeypatch.setattr("wrn_search.results.tensorboard.tensorboard_log.time.monotonic", lambda: now[0])
    state = SearchState()
    log = TensorBoardLog(directory, state, DOMAINS)
    follow(log, state, timed(search_started(), proposed(0), started(0)))
    shutil.rmtree(directory.tensorboard if whole_folder else run_of(directory, 0))
    now[0] += 5.0
    with pytest.raises(FileNotFoundError):
        follow(log, state, timed(reported(0, 1), Completed(0)))


def test_after_a_kill_the_runs_of_unfinished_trials_are_written_again(directory):
    """The kill lost what was not flushed: the run has less than the record, or nothing."""
    events = [*timed(search_started(), proposed(0), started(0)), *timed(*(reported(0, e) for e in (1, 2, 3)))]
    logged(directory, events[:4])
    assert scalars(run_of(directory, 0)) == [(1, 60.0)]
    state = fold(events)
    log = TensorBoardLog(directory, state, DOMAINS)
    assert scalars(run_of(directory, 0)) == [(1, 60.0), (2, 30.0), (3, 20.0)]
    follow(log, state, timed(SearchResumed(), started(0), reported(0, 3, val_error=99.0), reported(0, 4)))
    follow(log, state, timed(Completed(0)))
    log.close()
    assert scalars(run_of(directory, 0)) == [(1, 60.0), (2, 30.0), (3, 20.0), (4, 15.0)]
    assert session(run_of(directory, 0))[1].status == api_pb2.STATUS_SUCCESS
    assert len(list(run_of(directory, 0).iterdir())) == 1
    assert runs(directory) == ["000_WRN-16-4_p0.30_wd5e-4"]


def test_a_trial_that_ended_just_before_the_kill_gets_its_end(directory):
    events = timed(search_started(), proposed(0), started(0), reported(0, 1), Completed(0))
    logged(directory, events[:-2])
    TensorBoardLog(directory, fold(events), DOMAINS).close()
    assert scalars(run_of(directory, 0)) == [(1, 60.0)]
    assert session(run_of(directory, 0))[1].status == api_pb2.STATUS_SUCCESS


def test_runs_that_are_complete_are_left_alone_by_a_resume(directory):
    state = logged(directory, every_event())
    finished = [next(run_of(directory, number).iterdir()) for number in range(4)]
    before = [path.stat().st_ino for path in finished]
    TensorBoardLog(directory, state, DOMAINS).close()
    assert [path.stat().st_ino for path in finished] == before


def test_a_failed_trial_that_is_tried_again_has_one_run_with_its_last_end(directory):
    events = timed(search_started(), proposed(0), started(0), reported(0, 1), Failed(0, "out of memory"))
    second = timed(started(0), reported(0, 2), Completed(0), first=START + 100)
    logged(directory, events + second)
    assert scalars(run_of(directory, 0)) == [(1, 60.0), (2, 30.0)]
    assert session(run_of(directory, 0))[1].status == api_pb2.STATUS_SUCCESS


reports = st.lists(st.integers(1, MAX_EPOCHS), max_size=8)


@settings(deadline=None)
@given(sessions=st.lists(reports, min_size=1, max_size=3))
def test_an_epoch_is_never_in_a_run_twice(sessions, tmp_path_factory):
    directory = ResultsDirectory(tmp_path_factory.mktemp("runs"))
    state = fold(timed(search_started(), proposed(0)))
    for epochs in sessions:
        log = TensorBoardLog(directory, state, DOMAINS)
        follow(log, state, timed(SearchResumed(), started(0), *(reported(0, epoch) for epoch in epochs)))
        log.close()
    steps = [step for step, _ in scalars(run_of(directory, 0))]
    assert sorted(steps) == sorted({epoch for epochs in sessions for epoch in epochs})


def test_runs_of_no_trial_go_and_the_files_of_others_stay(directory):
    """A loss of power may take a proposal from the record whose run had reached the disk."""
    logged(
        directory,
        timed(
            search_started(), *(proposed(number, dropout=0.1) for number in range(2)), started(0), started(1)
        ),
    )
    (run,) = directory.tensorboard.glob("001_*")
    own = directory.tensorboard / "001_WRN-16-4_own"
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    logged_again = fold(timed(search_started(), proposed(0, dropout=0.1), started(0)))
    TensorBoardLog(directory, logged_again, DOMAINS).close()
    assert not run.exists()
    assert (own / "notes.txt").read_text() == "mine"
    assert len(list(directory.tensorboard.glob("000_*"))) == 1


def test_runs_of_versions_that_named_no_further_values_are_gone_on_with(directory):
    """Their folders stay where a user knows them, and hold every column of this version."""
    events = timed(search_started(), proposed(0, hparams={"learning_rate": 0.1}), started(0), reported(0, 1))
    old = directory.tensorboard / "000_WRN-16-4_p0.30_wd5e-4"
    old.mkdir(parents=True)
    (old / "events.out.tfevents.1.old").write_bytes(b"")
    logged(directory, [*events, (START + 9, Completed(0))])
    assert [path.name for path in directory.tensorboard.iterdir() if path.is_dir()] == [old.name]
    assert not (old / "events.out.tfevents.1.old").exists()
    logged(directory, events)
    assert [path.name for path in directory.tensorboard.iterdir() if path.is_dir()] == [old.name]
