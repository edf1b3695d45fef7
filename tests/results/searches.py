"""Searches for the tests of this room: their events, as values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.results import events as all_events
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Exhausted,
    Failed,
    Interrupted,
    Known,
    Looked,
    Paused,
    Proposed,
    Reopened,
    Reported,
    Resumed,
    Retried,
    SearchEnded,
    SearchResumed,
    SearchStarted,
    Started,
    Stopped,
    TimedEvent,
)
from wrn_search.results.events_jsonl import Record
from wrn_search.results.state_from_events import SearchState
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.trial_config import TrialConfig, with_later_leaves

START = 1_700_000_000.0  # Unix seconds
MAX_EPOCHS = 4


def trial_config(**changes: Any) -> TrialConfig:
    """A config of the digits; `changes` replace its fields."""
    values: dict[str, Any] = {
        "depth": 16,
        "widen_factor": 4.0,
        "deepening_factor": 2,
        "block": "B(3,3)",
        "dropout": 0.3,
        "init": "fan_in",
        "epochs": MAX_EPOCHS,
        "batch_size": 128,
        "learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "weight_decay_on": "all",
        "lr_schedule": "step",
        "lr_drops": (0.3, 0.6, 0.8),
        "lr_drop_factor": 0.2,
        "precision": "fp32",
        "compile": "off",
        "dataset": DatasetSettings(name="digits"),
        "seed": 7,
    }
    return TrialConfig(**values | changes)


def metrics(epoch: int, **changes: Any) -> EpochMetrics:
    """Metrics that tell their epoch: val_error 60, 30, 20, ...; 1,000 images in epoch seconds."""
    values: dict[str, Any] = {
        "epoch": epoch,
        "learning_rate": 0.1,
        "train_loss": 2.0 / epoch,
        "train_error": 50.0 / epoch,
        "val_loss": 2.5 / epoch,
        "val_error": 60.0 / epoch,
        "seconds": float(epoch),
        "images_per_second": 1000.0 / epoch,
        "memory_bytes": 1000 * epoch,
    }
    return EpochMetrics(**values | changes)


def proposed(
    number: int, *, configuration: int | None = None, repeat: int = 0, hparams: Any = None, **changes: Any
) -> Proposed:
    """The proposal of a trial; `changes` replace fields of its config."""
    config = trial_config(**changes)
    return Proposed(
        number=number,
        trial_id=f"trial_{number:05d}",
        configuration=number if configuration is None else configuration,
        repeat=repeat,
        hparams={"depth": config.depth, "dropout": config.dropout} if hparams is None else hparams,
        config=config.to_dict(),
        num_params=num_params(config.architecture, 10, 1),
        macs=macs(config.architecture, 10, 1, 8),
    )


def reported(number: int, epoch: int, **changes: Any) -> Reported:
    """The report of one epoch; `changes` replace metrics."""
    return Reported(number, metrics(epoch, **changes), "node-a", "cpu")


def started(number: int) -> Started:
    """The start of a trial with one thread and half a GPU."""
    return Started(number, 1, 0.5)


def search_started() -> SearchStarted:
    """The beginning of every record here."""
    return SearchStarted("small", "0123456789abcdef", MAX_EPOCHS, 90.0, "digits", "split")


def timed(*events: Event, first: float = START) -> list[TimedEvent]:
    """The events with times a second apart."""
    return [(first + place, event) for place, event in enumerate(events)]


def every_event() -> list[TimedEvent]:
    """A search in two sessions that holds every kind of event and ends each trial in another way."""
    first = timed(
        search_started(),
        *(proposed(number, dropout=0.1 * number) for number in range(6)),
        *(started(number) for number in range(6)),
        *(reported(0, epoch) for epoch in range(1, MAX_EPOCHS + 1)),
        Completed(0),
        reported(1, 1),
        Stopped(1, 1, "not among the best third"),
        Diverged(2, 1, "train loss is nan in epoch 1"),
        Failed(3, "RuntimeError: out of memory"),
        reported(4, 1),
        reported(4, 2),
        Paused(4, 2, "1 of 2 trials at this rung were better"),
        Resumed(4, 2),
        Interrupted(4, "SIGINT"),
        reported(5, 1),
        Retried(5, "the trial's process ended"),
        started(5),
        Looked(4, {"depth_vs_width": "hurts", "winner": "WRN-16-4", "smallest_as_good": None}),
        Exhausted(6),
        SearchEnded("interrupted"),
    )
    second = timed(
        SearchResumed({"model.depth": {"choice": [10, 16]}, "search.trials": 9}),
        Reopened(3),
        Failed(3, "RuntimeError: out of memory"),
        Known(
            "0123", "00004-1234abcd", with_later_leaves({"depth": 16, "block": "B(3,3)"}), True, {"4": 12.5}
        ),
        Started(4, 2, 0.0),
        reported(4, 2, val_error=99.0),
        reported(4, 3),
        first=START + 1000,
    )
    return first + second


def confirmation_events() -> list[TimedEvent]:
    """What only the record of a confirmation holds."""
    finalists = {"1": {"number": 3, "estimate": 4.5}}
    return timed(
        all_events.Chosen("0123456789abcdef", "top", 3, 5, 200, 12, finalists),
        proposed(0),
        reported(0, 4, val_loss=None, val_error=None),
        all_events.TestOpened(0),
        all_events.Tested(0, 0.21, 4.75, 10_000, {"images": [4000, 6000], "wrong": [75, 400]}),
    )


def follow(observer: Any, state: SearchState, events: list[TimedEvent]) -> None:
    """Brings events to a state and then to what watches it, as a record does."""
    for seconds, event in events:
        state.apply(seconds, event)
        observer.on_event(seconds, event)


def record_of(path: Path, events: list[TimedEvent]) -> Record:
    """A new record that holds the events at their times; it stays open."""
    times = iter([time for time, _ in events])
    record = Record.create(path, clock=lambda: next(times))
    for _, event in events:
        record.append(event)
    return record
