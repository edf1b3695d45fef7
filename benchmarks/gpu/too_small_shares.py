"""Item 4: a search whose trials are given too small a share of a GPU; each must end, with a larger one.

On a CPU the same search runs without shares, and nothing runs out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
import yaml

from benchmarks.gpu.made_up_data import config_of
from benchmarks.images import CLASSES, write_parquet
from wrn_search.hardware.detected_cores_and_gpus import gpu_bytes_here
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.workload_of_training import workload_of_training
from wrn_search.results.events import Retried
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.table_reader import read_tables

ROOT = Path(__file__).resolve().parents[2]


def _too_large_for_an_eighth(network: str, batch_size: int) -> int:
    """The batch size, doubled until a third more than an eighth of this GPU is predicted; as it is without a GPU."""
    if not torch.cuda.is_available():
        return batch_size
    shape = (32, 32, 3)
    eighth = gpu_bytes_here() / 8
    while True:
        workload = workload_of_training(config_of(network, batch_size, "bf16"), CLASSES, shape)
        if trial_memory(workload).total_bytes > 4 / 3 * eighth:
            return batch_size
        batch_size *= 2


def searched_with_too_small_shares(
    folder: Path, network: str, batch_size: int, trials: int, patience: float
) -> dict[str, Any]:
    """How the trials ended, and after how many larger shares.

    Args:
        folder: for images and results.
        network: such as 40-10.
        batch_size: the first one looked at; it doubles until an eighth of the GPU does not hold the training.
        trials: of the search.
        patience: seconds for all of it.
    """
    batch_size = _too_large_for_an_eighth(network, batch_size)
    images = 2 * batch_size
    depth, _, width = network.partition("-")
    data = write_parquet(folder / "images", images + 200)
    document = {
        "name": "too-small-shares",
        "dataset": {"name": "parquet", "root": str(data), "validation": 200},
        "model": {"depth": int(depth), "widen_factor": float(width)},
        "training": {
            "epochs": 1,
            "batch_size": batch_size,
            "learning_rate": {"loguniform": [0.001, 0.01]},
        },
        "search": {"trials": trials, "searcher": "random", "scheduler": "none"},
        "resources": {"gpus_per_trial": 0.125 if torch.cuda.is_available() else 0, "concurrent": 1},
    }
    (folder / "space.yaml").write_text(yaml.safe_dump(document))
    own = {"WRN_SEARCH_DATA": str(folder / "cache"), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    began = time.perf_counter()
    command = [sys.executable, str(ROOT / "run_search.py"), "space.yaml", "--results", "out", "--quiet"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | own,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        log = folder / "out" / "events.jsonl"
        told = log.read_text().splitlines()[1:] if log.exists() else []
        return {"status": "late", "batch_size": batch_size, "events": [line[:400] for line in told]}
    if done.returncode:
        return {"status": done.returncode, "errors": done.stderr.strip().splitlines()[-3:]}
    trials_table, _ = read_tables(folder / "out")
    events = [event for _, event in read_events(folder / "out" / "events.jsonl")]
    return {
        "status": 0,
        "batch_size": batch_size,
        "seconds": time.perf_counter() - began,
        "trials": dict(Counter(trials_table["status"].to_pylist())),
        "larger_shares": sum(isinstance(event, Retried) for event in events),
        "last_shares": trials_table["gpu_fraction"].to_pylist(),
    }
