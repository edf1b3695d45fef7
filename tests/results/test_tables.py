"""The tables as pure functions of a state: what a row says."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.results.searches import (
    START,
    every_event,
    metrics,
    proposed,
    reported,
    search_started,
    started,
    timed,
    trial_config,
)
from wrn_search.results.events import Completed
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.table_columns import EPOCHS_SCHEMA, TRIALS_SCHEMA
from wrn_search.results.table_writer import epoch_rows, epochs_table, trials_table


def at(seconds):
    """START plus some seconds, as the tables give a time."""
    return datetime.fromtimestamp(START, UTC) + timedelta(seconds=seconds)


def one_trial(*events):
    """The row of trial 0 after these events."""
    table = trials_table(fold(timed(search_started(), proposed(0), *events)))
    assert table.schema.equals(TRIALS_SCHEMA, check_metadata=True)
    return table.to_pylist()[0]


def test_a_row_holds_config_metrics_and_costs_of_its_trial():
    row = one_trial(
        started(0),
        reported(0, 1, val_error=20.0, memory_bytes=5000),
        reported(0, 2, val_error=30.0, memory_bytes=4000),
        Completed(0),
    )
    config = trial_config()
    leaves = config.to_dict() | {"dataset": "digits"}
    assert row.items() >= leaves.items()
    last = metrics(2)
    assert (
        {key: value for key, value in row.items() if key not in leaves}
        == {
            "search": "small",
            "trial_id": "trial_00000",
            "number": 0,
            "status": "completed",
            "repeat": 0,
            "num_params": proposed(0).num_params,
            "macs": proposed(0).macs,
            "epochs_done": 2,
            "lr_x_wd": config.learning_rate * config.weight_decay,
            "val_error": 30.0,
            "best_val_error": 20.0,
            "ema_val_error": None,
            "val_loss": last.val_loss,
            "train_error": last.train_error,
            "train_loss": last.train_loss,
            "test_error": None,
            "test_images_by_class": None,
            "test_wrong_by_class": None,
            "train_seconds": 3.0,  # 1 + 2
            "images_per_second": pytest.approx(2000 / 3),  # 1,000 images in each epoch
            "peak_memory_bytes": 5000,
            "gpu_fraction": 0.5,
            "threads": 1,
            "device": "cpu",
            "node": "node-a",
            "error": None,
            "started_at": at(2),
            "finished_at": at(5),
            "configuration": 0,
            "retries": 0,
            "rung": None,
            "anchor": False,
            "seconds_alone": 1.0,  # the second epoch is longer than what passed since the first: it was not watched
            "epochs_alone": 1,
            "inference_ms": None,
            "inference_ms_64": None,
            "energy_kwh": None,
        }
    )


def test_a_trial_without_reports_has_nulls_where_nothing_was_measured():
    row = one_trial()
    assert row["status"] == "running"
    assert row["epochs_done"] == 0
    assert row["train_seconds"] == 0.0
    assert {key for key, value in row.items() if value is None} == {
        *("val_error", "best_val_error", "val_loss", "train_error", "train_loss", "test_error"),
        *("test_images_by_class", "test_wrong_by_class"),
        *("images_per_second", "peak_memory_bytes", "gpu_fraction", "threads", "device", "node", "error"),
        *("started_at", "finished_at", "rung", "clip_norm", "ema_val_error"),
        *("inference_ms", "inference_ms_64", "energy_kwh"),
    }


def test_every_trial_has_a_row_whatever_its_status():
    rows = trials_table(fold(every_event())).to_pylist()
    assert [row["number"] for row in rows] == list(range(6))
    assert [row["status"] for row in rows] == [
        *("completed", "stopped", "diverged", "failed", "running", "running")
    ]
    assert [row["error"] for row in rows] == [
        *(None, None, "train loss is nan in epoch 1", "RuntimeError: out of memory", None, None)
    ]
    assert [row["epochs_done"] for row in rows] == [4, 1, 0, 0, 3, 1]


def test_an_epoch_row_holds_all_metrics_and_its_time():
    state = fold(timed(search_started(), proposed(0), reported(0, 1), reported(0, 2)))
    table = epochs_table(epoch_rows(state))
    assert table.schema.equals(EPOCHS_SCHEMA, check_metadata=True)
    names = {"search": "small", "trial_id": "trial_00000"}
    assert table.to_pylist() == [
        names | dataclasses.asdict(metrics(1)) | {"reported_at": at(2), "alone": False},
        names | dataclasses.asdict(metrics(2)) | {"reported_at": at(3), "alone": False},
    ]


def test_without_trials_the_tables_are_empty_and_typed():
    assert trials_table(SearchState()).schema.equals(TRIALS_SCHEMA, check_metadata=True)
    assert epochs_table([]).schema.equals(EPOCHS_SCHEMA, check_metadata=True)
    assert trials_table(SearchState()).num_rows == epochs_table([]).num_rows == 0


def test_tables_of_thousands_of_trials_take_no_minute():
    """2,000 trials of 30 epochs; measured 0.15 s and 0.25 s on 2 busy cores, five times that for 10,000."""
    state = SearchState()
    state.apply(START, search_started())
    for number in range(2_000):
        state.apply(START, proposed(number))
        for epoch in range(1, 31):
            state.apply(START + epoch, reported(number, epoch))
    before = time.process_time()
    assert trials_table(state).num_rows == 2_000
    between = time.process_time()
    assert epochs_table(epoch_rows(state)).num_rows == 60_000
    assert between - before < 10  # what grows with the square of the trials takes minutes
    assert time.process_time() - between < 10


def test_rows_say_where_a_trial_was_stopped_what_it_repeats_and_how_often_it_was_tried():
    anchor = dataclasses.replace(proposed(6, configuration=6), anchor=True)
    events = [event for _, event in every_event()] + [anchor, proposed(7, configuration=6, repeat=1)]
    rows = trials_table(fold(timed(*events))).to_pylist()
    assert [row["configuration"] for row in rows] == [0, 1, 2, 3, 4, 5, 6, 6]
    assert [row["rung"] for row in rows] == [None, 1, *[None] * 6]
    assert [row["retries"] for row in rows] == [0, 0, 0, 0, 0, 1, 0, 0]
    assert [row["anchor"] for row in rows] == [False] * 6 + [True, False]


@pytest.mark.parametrize(
    ("told", "of_four_epochs"),
    [((0.0, 0.0, 0.003), 0.004), ((0.001, 0.003), 0.008), ((0.0, 0.0), None), ((None, None), None)],
)
def test_the_energy_of_a_training_is_that_of_its_mean_epoch(told, of_four_epochs):
    """A counter that rises in steps says 0 of most short epochs: their median would lead every front."""
    reports = [reported(0, epoch, energy_kwh=kwh) for epoch, kwh in enumerate(told, 1)]
    assert one_trial(started(0), *reports)["energy_kwh"] == pytest.approx(of_four_epochs)
