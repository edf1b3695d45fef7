"""A whole search with repeats under ASHA on real digits: they go on or stop together, and every file says the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
SPACE = {
    "name": "repeated",
    "dataset": {"name": "digits"},
    "model": {"depth": 10, "widen_factor": {"choice": [0.25, 0.5]}, "dropout": {"uniform": [0.0, 0.3]}},
    "training": {"epochs": 3, "batch_size": 128},
    "search": {"trials": 3, "repeats": 2, "searcher": "random", "rungs": [2], "reduction_factor": 2},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results directory of the search."""
    folder = tmp_path_factory.mktemp("repeated")
    (folder / "space.yaml").write_text(yaml.safe_dump(SPACE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(folder / "data"))
        command = [
            sys.executable,
            str(ROOT / "run_search.py"),
            "space.yaml",
            "--quiet",
            "--results",
            "results",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "results" / "stdout").write_text(done.stdout)
    return folder / "results"


def test_repeats_end_together_at_the_rung_or_the_last_epoch(results: Path) -> None:
    rows = pq.read_table(results / "trials.parquet").to_pylist()
    assert [row["number"] for row in rows] == list(range(6))
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert (first["status"], first["epochs_done"]) == (second["status"], second["epochs_done"])
        assert (first["status"], first["epochs_done"]) in (("completed", 3), ("stopped", 2))


def test_each_repeat_that_arrived_first_gave_its_place_back(results: Path) -> None:
    events = [json.loads(line) for line in (results / "events.jsonl").read_text().splitlines()]
    paused = [event["number"] for event in events if event["event"] == "paused" and not event["reason"]]
    assert sorted(number // 2 for number in paused) == [
        0,
        1,
        2,
    ]  # one of each pair, the other decided at once
    epochs = pq.read_table(results / "epochs").to_pylist()
    places = [(row["trial_id"], row["epoch"]) for row in epochs]
    assert len(places) == len(set(places))


def test_the_table_says_what_repeats_what_and_where_a_trial_was_stopped(results: Path) -> None:
    rows = pq.read_table(results / "trials.parquet").to_pylist()
    assert [(row["configuration"], row["repeat"]) for row in rows] == [
        (configuration, repeat) for configuration in range(3) for repeat in range(2)
    ]
    for row in rows:
        assert row["rung"] == (2 if row["status"] == "stopped" else None)
        assert (row["retries"], row["anchor"]) == (0, False)
        assert 0 <= row["seconds_alone"] <= row["train_seconds"]


def test_of_the_best_configurations_the_repeat_at_the_median_can_be_exported(results: Path) -> None:
    rows = pq.read_table(results / "trials.parquet").to_pylist()
    pairs = [pair for pair in zip(rows[::2], rows[1::2], strict=True) if pair[0]["status"] == "completed"]
    lower = [min(pair, key=lambda row: (row["val_error"], row["number"])) for pair in pairs]
    kept = {path.stem for path in (results / "checkpoints").iterdir()}
    assert kept == {row["trial_id"] for row in lower}, "one of each, and the three best keep one"
    best = min(pairs, key=lambda pair: pair[0]["val_error"] + pair[1]["val_error"])
    printed = (results / "stdout").read_text()
    assert "(median of 2 seeds, " in printed
    name = next(line for line in printed.splitlines() if line.startswith("Lowest error"))
    assert f" {min(best, key=lambda row: row['val_error'])['number']:03d}_" in name
