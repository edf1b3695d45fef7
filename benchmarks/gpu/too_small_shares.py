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

from benchmarks.images import write_parquet
from wrn_search.results.events import Retried
from wrn_search.results.events_jsonl import read_events
from wrn_search.results.table_reader import read_tables

ROOT = Path(__file__).resolve().parents[2]


def searched_with_too_small_shares(
    folder: Path, network: str, batch_size: int, images: int, trials: int, patience: float
) -> dict[str, Any]:
    """How the trials ended, and after how many larger shares."""
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
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_search.py"), "space.yaml", "--results", "out", "--quiet"],
        cwd=folder,
        env=os.environ | own,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    if done.returncode:
        return {"status": done.returncode, "errors": done.stderr.strip().splitlines()[-3:]}
    trials_table, _ = read_tables(folder / "out")
    events = [event for _, event in read_events(folder / "out" / "events.jsonl")]
    return {
        "status": 0,
        "seconds": time.perf_counter() - began,
        "trials": dict(Counter(trials_table["status"].to_pylist())),
        "larger_shares": sum(isinstance(event, Retried) for event in events),
        "last_shares": trials_table["gpu_fraction"].to_pylist(),
    }
