"""Synthetic results directories with planted effects: the truth is known because it was put in.

`plant(path, Plan(...))` writes what a search would have left: tables through the schema, resolved.yaml, manifest.json
and the record's first and last event. No network is trained.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.results.event_lines import to_line
from wrn_search.results.events import SearchEnded, SearchStarted
from wrn_search.results.table_columns import EPOCHS_SCHEMA, TRIALS_SCHEMA
from wrn_search.space.domains import Choice, IntRange, LogUniform, Uniform
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping

START = 1_700_000_000_000_000  # Unix microseconds
CHANCE = 90.0
Leaves = Mapping[str, Any]
# A space without end, for searches of any length.
WITH_DROPOUT: dict[str, Any] = {
    "depth": {"choice": [16, 22, 28, 40]},
    "widen_factor": {"choice": [1, 2, 4, 8]},
    "dropout": {"uniform": [0.0, 0.5]},
}
ErrorOf = Callable[[Leaves, int], float]  # (leaves, num_params) -> expected error at the last epoch, percent


def power_law(leaves: Leaves, num_params: int) -> float:
    """More parameters help less and less; depth and width alike."""
    del leaves
    return float(3.0 + 12.0 * (num_params / 1e5) ** -0.4)


@dataclass(frozen=True)
class Plan:
    """A search that never ran: its sections of the space file, its law and its accidents."""

    name: str = "planted"
    model: Mapping[str, Any] = field(
        default_factory=lambda: {
            "depth": {"choice": [16, 22, 28, 40]},
            "widen_factor": {"choice": [1, 2, 4, 8]},
        }
    )
    training: Mapping[str, Any] = field(default_factory=lambda: {"epochs": 10})
    search: Mapping[str, Any] = field(default_factory=lambda: {"searcher": "grid", "scheduler": "none"})
    dataset: Mapping[str, Any] = field(default_factory=lambda: {"name": "cifar10"})
    objectives: tuple[str, ...] = ("val_error",)
    error: ErrorOf = power_law
    noise: float = 0.3  # standard deviation of each trial's error around its expectation, percent
    jitter: float = (
        0.0  # standard deviation of the noise of each epoch but the last, shrinking to nothing, percent
    )
    seed: int = 0
    ends: Mapping[int, tuple[str, str | None]] = field(default_factory=dict)  # number -> (status, error text)
    ended: str | None = "finished"  # why the session ended; None while it runs
    device: str = "cpu"
    split_hash: str = "planted split"


def plant(path: Path, plan: Plan | None = None) -> Path:
    """Writes the results directory and returns its path."""
    plan = plan or Plan()
    space = space_of(plan)
    path.mkdir(parents=True)
    rows = trial_rows(plan, space)
    epochs = epoch_columns(rows, plan)
    (path / "epochs").mkdir()
    _write(epochs, EPOCHS_SCHEMA, path / "epochs" / "part-000000.parquet")
    columns = {name: [row[name] for row in rows] for name in TRIALS_SCHEMA.names}
    _write(columns, TRIALS_SCHEMA, path / "trials.parquet")
    text = yaml.safe_dump(space.to_document(), sort_keys=False)
    (path / "search.yaml").write_text(text)
    (path / "resolved.yaml").write_text(text)
    (path / "manifest.json").write_text(json.dumps(manifest_of(plan, space, f"id of {path}")))
    chance = CHANCE if space.dataset.facts.num_classes == 10 else 99.0
    started = SearchStarted(
        plan.name, f"id of {path}", space.training.epochs, chance, space.dataset.name, plan.split_hash
    )
    lines = [to_line(started, 0, START / 1e6)]
    lines += [to_line(SearchEnded(plan.ended), 1, START / 1e6 + 1)] if plan.ended else []
    (path / "events.jsonl").write_text("\n".join(lines) + "\n")
    return path


def space_of(plan: Plan) -> Space:
    """The space that the plan's sections describe."""
    return space_from_mapping(
        {
            "name": plan.name,
            "dataset": dict(plan.dataset),
            "model": dict(plan.model),
            "training": dict(plan.training),
            "objectives": list(plan.objectives),
            "search": dict(plan.search),
        }
    )


def manifest_of(plan: Plan, space: Space, search_id: str) -> dict[str, Any]:
    """What a search's manifest says, as far as reports ask."""
    facts = space.dataset.facts
    return {
        "search_id": search_id,
        "created_at": "2026-01-02T03:04:05+00:00",
        "command": ["run_search.py", "planted.yaml"],
        "seeds": {"search": space.search.seed},
        "versions": {"python": "3.12.0", "torch": "2.14.1"},
        "git": {"commit": "0" * 40, "dirty": False},
        "hardware": {"hostname": "planted", "cpu": "none", "cores": 2, "memory_bytes": 1 << 34, "gpus": []},
        "precision": "fp32",
        "threads": 1,
        "rungs": _rungs(space),
        "split_hash": plan.split_hash,
        "dataset": {
            "name": space.dataset.name,
            "num_classes": facts.num_classes,
            "image_shape": list(facts.image_shape or ()),
            "train_images": 45_000,
            "validation_images": space.dataset.validation,
        },
    }


def trial_rows(plan: Plan, space: Space) -> list[dict[str, Any]]:
    """The rows of trials.parquet; `final` and `seconds` beside the schema's columns are for `epoch_columns`."""
    rng = np.random.default_rng(plan.seed)
    rows = []
    for configuration, hparams in enumerate(_proposals(space, rng)):
        for repeat in range(space.search.repeats):
            number = len(rows)
            config = space.trial_config(hparams, 1000 * plan.seed + number, precision="fp32", compile="off")
            rows.append(_row(plan, space, config.to_dict(), number=number, repeat=repeat, rng=rng))
            rows[-1]["configuration"] = configuration
            applied = space.axes.applied(hparams)
            rows[-1] |= {name: None for name, value in applied.items() if value is None}
    if space.search.scheduler == "asha":
        _stop_the_worst(rows, _rungs(space), space.search.reduction_factor)
    for row in rows:
        _settle(row, plan.ends.get(row["number"]))
    return rows


def epoch_columns(rows: list[dict[str, Any]], plan: Plan) -> dict[str, Any]:
    """The epochs table: errors fall from chance to each trial's final one, which is exact at its last epoch."""
    done = np.array([row["epochs_done"] for row in rows])
    length = max((row["epochs"] for row in rows), default=1)
    epoch = np.concatenate([np.arange(1, n + 1) for n in done]) if len(done) else np.array([], dtype=int)
    final = np.repeat([row["final"] for row in rows], done)
    drops = np.array([max(1, round(f * length)) for f in (0.3, 0.6, 0.8)])
    seconds = np.repeat([row["seconds"] for row in rows], done)
    val_error = curve(final, epoch, length)
    if plan.jitter:
        noise = np.random.default_rng(plan.seed + 1).standard_normal(len(epoch))
        at_the_end = np.repeat([row["status"] != "completed" for row in rows], done) & (
            epoch == np.repeat(done, done)
        )
        noise[at_the_end] = 0.0  # the trials table has this one
        val_error = np.clip(val_error + plan.jitter * (1 - epoch / length) * noise, 0.0, 100.0)
    return {
        "search": [plan.name] * len(epoch),
        "trial_id": np.repeat([row["trial_id"] for row in rows], done).tolist(),
        "epoch": epoch,
        "learning_rate": 0.1 * 0.2 ** (epoch[:, None] >= drops).sum(1),
        "train_loss": val_error / 40,
        "train_error": val_error * 0.8,
        "val_loss": val_error / 30,
        "val_error": val_error,
        "seconds": seconds,
        "images_per_second": 45_000 / seconds,
        "memory_bytes": np.full(len(epoch), 10**9),
        "reported_at": START + (epoch * seconds * 1e6).astype(np.int64),
    }


def curve(final: Any, epoch: Any, epochs: int) -> Any:
    """Error after an epoch: chance at the beginning, `final` at the end."""
    left = (np.exp(-4 * epoch / epochs) - np.exp(-4)) / (1 - np.exp(-4))
    return final + (CHANCE - final) * left * 0.8


def _proposals(space: Space, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The grid, or independent draws whatever the searcher is called."""
    domains = space.searched.hyperparameters
    if space.search.searcher == "grid":
        points: list[dict[str, Any]] = [{}]
        for name, domain in domains.items():
            values = domain.options if isinstance(domain, Choice) else domain.values  # type: ignore[union-attr]
            points = [{**point, name: value} for point in points for value in values]
        return [space.hparams_at(point) for point in points[: space.trials]]
    drawn: list[dict[str, Any]] = []
    most = space.trials if space.size is None else min(space.trials, space.size)
    while len(drawn) < most:  # a searcher proposes nothing twice
        point = {name: _draw(domain, rng) for name, domain in domains.items()}
        if point not in drawn or space.size is None:
            drawn.append(point)
    return [space.hparams_at(point) for point in drawn]


def _draw(domain: Any, rng: np.random.Generator) -> Any:
    match domain:
        case Choice(options):
            return options[rng.integers(len(options))]
        case IntRange():
            return int(rng.choice(domain.values))
        case Uniform(low, high):
            return float(rng.uniform(low, high))
        case LogUniform(low, high):
            return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _row(
    plan: Plan, space: Space, config: dict[str, Any], *, number: int, repeat: int, rng: np.random.Generator
) -> dict[str, Any]:
    facts = space.dataset.facts
    shape = facts.image_shape or (32, 32, 3)
    network = Architecture.of(config["depth"], config["widen_factor"], config["block"])
    weights = num_params(network, facts.num_classes or 10, shape[2])
    final = max(0.0, plan.error(config, weights) + plan.noise * rng.standard_normal())
    cost = macs(network, facts.num_classes or 10, shape[2], shape[:2])
    row = dict.fromkeys(TRIALS_SCHEMA.names)
    row |= {name: config[name] for name in config if name in row}
    return row | {
        "search": plan.name,
        "trial_id": f"{plan.name}_{number:05d}",
        "number": number,
        "status": "completed",
        "dataset": space.dataset.name,
        "repeat": repeat,
        "num_params": weights,
        "macs": cost,
        "gpu_fraction": 0.0,
        "threads": 1,
        "device": plan.device,
        "node": "planted",
        "epochs_done": config["epochs"],
        "final": final,
        "seconds": 1.0 + cost / 1e9,
        "started_at": START + number * 60_000_000,
    }


def _rungs(space: Space) -> list[int]:
    epochs = space.training.epochs
    if space.search.scheduler == "none":
        return []
    if isinstance(space.search.rungs, tuple):
        return [rung for rung in space.search.rungs if rung < epochs]
    return sorted({max(1, round(f * epochs)) for f in space.training.lr_drops} - {epochs})


def _stop_the_worst(rows: list[dict[str, Any]], rungs: list[int], reduction_factor: int) -> None:
    """Successive halving of all trials at once: of those at a rung the best one in eta goes on."""
    alive = sorted(rows, key=lambda row: (row["final"], row["number"]))
    for rung in rungs:
        places = max(1, len(alive) // reduction_factor)
        for row in alive[places:]:
            row |= {"status": "stopped", "epochs_done": rung}
        alive = alive[:places]


def _settle(row: dict[str, Any], end: tuple[str, str | None] | None) -> None:
    """The columns that follow from how the trial ended."""
    if end is not None:
        row["status"], row["error"] = end
        row["epochs_done"] = row["epochs"] // 2 if row["status"] in ("running", "interrupted") else 0
    done = row["epochs_done"]
    if done:
        last = float(curve(row["final"], done, row["epochs"]))
        row |= {"val_error": last, "best_val_error": last, "val_loss": last / 30}
        row |= {"train_error": last * 0.8, "train_loss": last / 40, "peak_memory_bytes": 10**9}
    row["train_seconds"] = done * row["seconds"]
    row["images_per_second"] = 45_000 / row["seconds"] if done else None
    if row["status"] != "running":
        row["finished_at"] = row["started_at"] + round(1e6 * (1 + row["train_seconds"]))


def _write(columns: Mapping[str, Any], schema: pa.Schema, path: Path) -> None:
    rows = len(columns["trial_id"])
    arrays = [pa.array(columns.get(field.name, [None] * rows), type=field.type) for field in schema]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="zstd")
