"""A search for these tests: its trials really trained, through `Training`, its files as a search leaves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.training.trainings import config_of
from wrn_search.decisions.proposals import trial_id
from wrn_search.images.prepared_data import PreparedData, prepare
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.results.events import (
    Completed,
    Diverged,
    Event,
    Failed,
    Proposed,
    Reported,
    SearchEnded,
    SearchStarted,
    Started,
    Stopped,
)
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.manifest import hardware, manifest, new_search_id, write_manifest
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import TableWriter
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.divergence import Diverged as LossDiverged
from wrn_search.training.training_loop import Training

# (config changes, epochs, how it ended); the second has a lower validation error than the first.
COMPLETED, BEST, STOPPED, DIVERGED, FAILED = range(5)
TRIALS: list[tuple[dict[str, Any], int, str]] = [
    ({"epochs": 2, "learning_rate": 1e-6, "seed": 3}, 2, "completed"),
    ({"epochs": 2, "widen_factor": 1.0, "batch_size": 16, "dropout": 0.0}, 2, "completed"),
    ({"epochs": 2, "seed": 5}, 1, "stopped"),
    ({"epochs": 2, "learning_rate": 100.0, "weight_decay": 1.0}, 1, "diverged"),
    ({"epochs": 2, "seed": 6}, 0, "failed"),
]


def config_at(number: int) -> TrialConfig:
    """The config of a trial of `TRIALS`."""
    return config_of(**TRIALS[number][0])


def id_at(number: int) -> str:
    """Its key."""
    return trial_id(number, config_at(number))


def train_search(
    path: Path,
    configs: list[TrialConfig] | None = None,
    trials: list[tuple[TrialConfig, int, str]] | None = None,
) -> Path:
    """A results directory: the trials of `TRIALS` or of `trials`, each with its epochs and how it ended, or full
    trainings of `configs`; the best one's checkpoint stays.
    """
    max_epochs = 2 if trials is None else trials[0][0].epochs
    if trials is None:
        trials = [(config_at(number), epochs, end) for number, (_, epochs, end) in enumerate(TRIALS)]
    if configs is not None:
        trials = [(config, config.epochs, "completed") for config in configs]
    directory = ResultsDirectory(path)
    directory.create()
    directory.checkpoints.mkdir()
    data, dataset = prepare(trials[0][0].dataset), trials[0][0].dataset
    space = {"name": path.name, "dataset": dataset.model_dump(), "model": {"depth": 10}}
    space["model"]["dropout"] = {"uniform": [0.0, 0.5]}
    directory.resolved.write_text(yaml.safe_dump(space))
    details = {"threads": 1, "split_hash": data.split_hash}
    search_id = new_search_id()
    write_manifest(directory.manifest, manifest(search_id, 0, ["run_search.py"], hardware(1), details))
    with Record.create(directory.events) as record:
        record.append(
            SearchStarted(path.name, search_id, max_epochs, data.chance_error, dataset.name, data.split_hash)
        )
        for number, (config, epochs, end) in enumerate(trials):
            record.append(_proposed(number, config, data))
            for event in _trained(number, config, data, epochs, end, directory):
                record.append(event)
        record.append(SearchEnded("finished"))
    state = fold(read_events(directory.events))
    TableWriter(directory, state).flush()
    directory.started()
    _keep_the_best(directory)
    return path


def _proposed(number: int, config: TrialConfig, data: PreparedData) -> Proposed:
    height, width, channels = data.image_shape
    return Proposed(
        number=number,
        trial_id=trial_id(number, config),
        configuration=number,
        repeat=0,
        hparams={"dropout": config.dropout},
        config=config.to_dict(),
        num_params=num_params(config.architecture, data.num_classes, channels),
        macs=macs(config.architecture, data.num_classes, channels, (height, width)),
    )


def _trained(
    number: int, config: TrialConfig, data: PreparedData, epochs: int, end: str, directory: ResultsDirectory
) -> list[Event]:
    """What the trial put on record; its checkpoint is written."""
    node = hardware(1)["hostname"]
    events: list[Event] = [Started(number, 1, 0.0)]
    if end == "failed":
        return [*events, Failed(number, "RuntimeError: of this test")]
    training = Training(config, data, threads=1)
    for _ in range(epochs):
        try:
            events.append(Reported(number, training.run_epoch(), node, "cpu"))
        except LossDiverged as divergence:
            return [*events, Diverged(number, divergence.epoch, divergence.text)]
    training.save(directory.checkpoints / f"{trial_id(number, config)}.pt")
    return [*events, Completed(number) if end == "completed" else Stopped(number, epochs, "rung")]


def _keep_the_best(directory: ResultsDirectory) -> None:
    """As a search does."""
    trials = fold(read_events(directory.events)).trials.values()
    full = [trial for trial in trials if trial.status == "completed"]
    best = min(full, key=lambda trial: trial.reports[-1][1].val_error)
    for path in directory.checkpoints.iterdir():
        if path.stem != best.trial_id:
            path.unlink()


def read_lines(results: Path) -> list[dict[str, Any]]:
    """The lines of a record as plain values, without their checksums."""
    lines = [json.loads(line) for line in (results / "events.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "crc"} for line in lines]


def write_lines(results: Path, lines: list[dict[str, Any]]) -> None:
    """A record of these lines, numbered anew; one without checksums can be read too."""
    numbered = [json.dumps(line | {"seq": seq}) + "\n" for seq, line in enumerate(lines)]
    (results / "events.jsonl").write_text("".join(numbered))


def change_record(results: Path, number: int, epoch: int, **values: Any) -> None:
    """Puts other numbers into the report of one epoch."""
    lines = read_lines(results)
    for line in lines:
        if line["event"] == "reported" and (line["number"], line["epoch"]) == (number, epoch):
            line.update(values)
    write_lines(results, lines)
