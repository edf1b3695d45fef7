"""A search with a copy in an object store: the machine is lost, another one goes on from the copy alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import wrn_search
from tests.s3_server import CREDENTIALS, new_bucket, s3_server
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.s3_copy.object_store import ObjectStore

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, str(ROOT / "run_search.py")]
DEADLINE = 300  # seconds
SPACE = {
    "name": "small",
    "dataset": {"name": "digits"},
    "model": {"depth": 10, "dropout": {"uniform": [0.0, 0.3]}},
    "training": {"epochs": 4},
    "search": {"trials": 5, "scheduler": "none", "searcher": "random"},
    "resources": {"concurrent": 1, "cpus_per_trial": 1},
}


def _run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "space.yaml", *arguments], cwd=cwd, capture_output=True, text=True, timeout=DEADLINE
    )


@pytest.mark.slow
def test_another_machine_goes_on_from_the_copy_alone(tmp_path, monkeypatch) -> None:
    for name, value in (CREDENTIALS | {"WRN_SEARCH_DATA": str(tmp_path / "data")}).items():
        monkeypatch.setenv(name, value)
    for machine in ("whole", "lost", "other"):
        (tmp_path / machine).mkdir()
        (tmp_path / machine / "space.yaml").write_text(yaml.safe_dump(SPACE))
    assert _run("--quiet", cwd=tmp_path / "whole").returncode == 0
    with s3_server() as server:
        address = new_bucket(server, "rented")
        copy = ("--results", address)
        first = subprocess.Popen(
            [*COMMAND, "space.yaml", *copy],
            cwd=tmp_path / "lost",
            start_new_session=True,
            stderr=subprocess.PIPE,
        )
        store, deadline = ObjectStore(address), time.monotonic() + DEADLINE
        while not any(b"reported" in store.get(name) for name in store.names("events")):
            assert first.poll() is None, first.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        shutil.rmtree(tmp_path / "lost" / "results")

        again = _run(*copy, cwd=tmp_path / "other")
        assert again.returncode == 2
        assert "results are never overwritten, but s3://rented/searches/small" in again.stderr
        done = _run(*copy, "--resume", "--quiet", cwd=tmp_path / "other")
        assert done.returncode == 0, done.stderr
        local = tmp_path / "other" / "results" / "small"
        record = b"".join(store.get(name) for name in store.names("events"))
        assert record == (local / "events.jsonl").read_bytes()
        assert store.get("trials.parquet") == (local / "trials.parquet").read_bytes()
        assert store.get("report.html") == (local / "report.html").read_bytes()
        kept = {f"checkpoints/{path.name}" for path in (local / "checkpoints").iterdir()}
        assert set(store.names("checkpoints")) == kept
    whole, _ = wrn_search.read(tmp_path / "whole" / "results" / "small")
    trials, epochs = wrn_search.read(local)
    same = ["trial_id", "status", "epochs_done", "val_error", "train_loss"]
    assert trials[same].equals(whole[same])
    assert not epochs.duplicated(["trial_id", "epoch"]).any()
    assert len(read_events(local / "events.jsonl")) > 0
