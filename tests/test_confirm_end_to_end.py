"""A search on real digits and its confirmation through the real commands, killed in the middle; read as users do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import wrn_search
from tests.datasets.image_data import random_images, write_folder
from wrn_search.results.events import Reported
from wrn_search.results.events_jsonl import read_events

ROOT = Path(__file__).resolve().parents[1]
DEADLINE = 1200  # seconds; a hang must not stop the tests
SEARCH = {
    "name": "small",
    "dataset": {"name": "digits"},
    "model": {"depth": 10, "widen_factor": {"choice": [0.5, 1]}, "dropout": {"uniform": [0.0, 0.3]}},
    "training": {"epochs": 3, "batch_size": 128},
    "search": {"trials": 3, "scheduler": "none"},
}
CONFIRM = ["-m", "wrn_search", "confirm", "results/small"]


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "WRN_SEARCH_DATA": str(folder / "data")}


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=_environment(folder),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def _searched(folder: Path, document: dict, results: str) -> None:
    (folder / "space.yaml").write_text(yaml.safe_dump(document))
    done = _run(folder, str(ROOT / "run_search.py"), "space.yaml", "--results", results, "--quiet")
    assert done.returncode == 0, done.stderr


def _files(folder: Path) -> dict[str, bytes]:
    """What the search wrote, whole; Ray's scratch and the confirmation are others'."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    others = (folder / "confirm", folder / "ray")
    return {str(path): path.read_bytes() for path in paths if not any(path.is_relative_to(o) for o in others)}


def _killed_after(folder: Path, reports: int) -> None:
    """The whole process group, by SIGKILL, once the confirmation's record holds so many reports."""
    process = subprocess.Popen(
        [sys.executable, *CONFIRM, "--top", "2", "--repeats", "2", "--quiet"],
        cwd=folder,
        env=_environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    record = folder / "results" / "small" / "confirm" / "events.jsonl"
    end = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < end:
        if (
            record.exists()
            and sum(isinstance(event, Reported) for _, event in read_events(record)) >= reports
        ):
            break
        time.sleep(0.05)
    assert process.poll() is None, "it was to be killed while it trains"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=DEADLINE)


@pytest.mark.slow
def test_a_confirmation_killed_in_the_middle_ends_with_every_reading_counted(tmp_path: Path) -> None:
    _searched(tmp_path, SEARCH, "results/small")
    results = tmp_path / "results" / "small"
    before = _files(results)
    _killed_after(tmp_path, reports=4)
    chosen = (results / "confirm" / "events.jsonl").read_text().splitlines()[1]

    done = _run(tmp_path, *CONFIRM, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["complete"] is True
    assert (results / "confirm" / "events.jsonl").read_text().splitlines()[1] == chosen
    assert _files(results) == before

    trials, epochs = wrn_search.read(results / "confirm")
    searched, _ = wrn_search.read(results)
    assert trials["status"].tolist() == ["completed"] * 8
    assert trials["test_error"].notna().tolist() == [False, False, True, True] * 2
    assert trials["val_error"].notna().tolist() == [True, True, False, False] * 2
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    assert len(epochs) == 24
    assert not set(trials["seed"]) & set(searched["seed"])
    assert searched["test_error"].isna().all()
    ordered = searched.sort_values(["val_error", "number"])
    assert [each["number"] for each in told["finalists"]] == ordered["number"].tolist()[:2]

    manifest = json.loads((results / "confirm" / "manifest.json").read_text())
    tested = trials.loc[trials["test_error"].notna(), "trial_id"].tolist()
    assert {read["trial_id"] for read in manifest["test_reads"]} == set(tested)
    assert told["test_reads"] == len(manifest["test_reads"])
    assert told["test_images"] == 300
    again = _run(tmp_path, *CONFIRM)
    assert again.returncode == 0
    assert "of n = 2 seeds they cover the median with 50 %" in again.stdout


@pytest.mark.slow
def test_a_search_with_its_test_files_poisoned_and_gone_is_the_same_and_only_confirm_complains(
    tmp_path: Path,
) -> None:
    images, labels = random_images(60), [number % 2 for number in range(60)]
    root = write_folder(tmp_path / "images", images, labels)
    write_folder(root, images[:6], labels[:6], split="test")
    document = SEARCH | {
        "dataset": {"name": "folder", "root": str(root), "validation": 20, "augmentation": "none"},
        "training": {"epochs": 1, "batch_size": 16},
        "search": {"trials": 2, "scheduler": "none"},
        "resources": {"concurrent": 1, "cpus_per_trial": 1},
    }
    tables = []
    for results in ("whole", "without"):
        if results == "without":
            for place, folder in enumerate(sorted((root / "test").iterdir())):
                for path in folder.iterdir():
                    path.unlink() if place else path.write_bytes(b"whoever reads this fails")
        _searched(tmp_path, document, results)
        trials, epochs = wrn_search.read(tmp_path / results)
        kept = ["trial_id", "status", "val_error", "val_loss", "train_loss", "dropout", "seed"]
        tables.append((trials[kept], epochs[["trial_id", "epoch", "val_loss", "train_loss"]]))
    assert tables[1][0].equals(tables[0][0])
    assert tables[1][1].equals(tables[0][1])

    refused = _run(tmp_path, "-m", "wrn_search", "confirm", "without", "--top", "1", "--repeats", "1")
    assert refused.returncode == 2
    assert refused.stderr.startswith("dataset.root: every class must have test images")
    assert not (tmp_path / "without" / "confirm").exists()
