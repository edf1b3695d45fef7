"""A shipped table of learning curves, from results directories: Parquet, its description, resolved space, manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wrn_search.results.events_jsonl import read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import SearchState, fold
from wrn_search.results.trial_state import TrialState
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.yaml_with_lines import yaml_text

TABLES = Path(__file__).parent / "tables"
_KEPT = ("versions", "hardware")  # of a session, in the manifest


def write_table(results: Sequence[Path], folder: Path) -> str:
    """Writes the whole trainings of several searches over one space as a table; returns what it holds, in words.

    `curves.parquet` has a row a training: hyperparameters, seed, `val_error` after each epoch in percent (shorter where
    it diverged), multiply-adds of an image, parameters. `curves.yaml` describes it for `wrn_search replay`.
    """
    states = [fold(read_events(ResultsDirectory(path).events)) for path in results]
    spaces = [space_from_mapping(state.space) for state in states]
    assert len({state.split_hash for state in states}) == 1, "one split"
    assert len({str(space.hyperparameters) for space in spaces}) == 1, "one space"
    rows = [_row(trial, spaces[0]) for state in states for trial in state.trials.values() if _is_whole(trial)]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "curves.parquet"
    pq.write_table(_typed(rows, spaces[0]), file, compression="zstd")
    (folder / "curves.yaml").write_text(yaml_text(_description(spaces[0], states[0])), encoding="utf-8")
    resolved = {
        path.name: _without_root(space.to_document()) for path, space in zip(results, spaces, strict=True)
    }
    (folder / "resolved.yaml").write_text(yaml_text(resolved), encoding="utf-8")
    manifest = {path.name: _manifest(state) for path, state in zip(results, states, strict=True)}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    configurations = {tuple(row[name] for name in spaces[0].hyperparameters) for row in rows}
    return (
        f"{file}: {len(rows)} trainings of {len(configurations)} configurations, "
        f"{file.stat().st_size / 1000:.0f} kB"
    )


def _is_whole(trial: TrialState) -> bool:
    return trial.status in ("completed", "diverged")


def _row(trial: TrialState, space: Space) -> dict[str, Any]:
    return {
        **{name: trial.config[name] for name in space.hyperparameters},
        "seed": trial.config["seed"],
        "num_params": trial.num_params,
        "macs": trial.macs,
        "val_error": [metrics.val_error for _, metrics in trial.reports],
    }


def _typed(rows: Sequence[dict[str, Any]], space: Space) -> pa.Table:
    table = pa.Table.from_pylist(list(rows))
    place = table.column_names.index("val_error")
    return table.set_column(place, "val_error", table["val_error"].cast(pa.list_(pa.float32())))


def _description(space: Space, state: SearchState) -> dict[str, Any]:
    details = next(event.details for _, event in state.sessions if event.details)
    return {
        "source": "recorded by python -m benchmarks.record_curves",
        "hyperparameters": {name: domain.to_document() for name, domain in space.hyperparameters.items()},
        "curve": "val_error",
        "epochs": space.training.epochs,
        "epoch_cost": "macs",
        "lr_schedule": space.training.lr_schedule,
        "lr_drops": list(space.training.lr_drops),
        "chance_error": state.chance_error,
        "validation_images": details["dataset"]["validation_images"],
        "image_shape": list(details["dataset"]["image_shape"]),
    }


def _without_root(document: dict[str, Any]) -> dict[str, Any]:
    """Where the images lay is nobody's business."""
    document["dataset"] = {**document["dataset"], "root": None}
    return document


def _manifest(state: SearchState) -> dict[str, Any]:
    sessions = [event for _, event in state.sessions]
    kept: dict[str, Any] = {name: getattr(sessions[0], name) for name in _KEPT}
    kept["hardware"] = {key: value for key, value in kept["hardware"].items() if key != "hostname"}
    statuses = [trial.status for trial in state.trials.values()]
    return {
        "search_id": state.search_id,
        "split_hash": state.split_hash,
        **kept,
        "precision": sessions[0].details.get("precision"),
        "threads": sessions[0].details.get("threads"),
        "concurrent": sessions[0].details.get("concurrent"),
        "dataset": {key: value for key, value in sessions[0].details["dataset"].items() if key != "root"},
        "sessions": len(sessions),
        "train_seconds": round(
            sum(metrics.seconds for trial in state.trials.values() for _, metrics in trial.reports)
        ),
        "trials": {status: statuses.count(status) for status in sorted(set(statuses))},
    }
