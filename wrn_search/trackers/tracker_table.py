"""The trackers of `trackers`, a line each; what they need is imported when one is opened."""

from __future__ import annotations

import importlib.util

from wrn_search.trackers.csv_files import CSV
from wrn_search.trackers.mlflow_runs import MLFLOW
from wrn_search.trackers.tracker import TrackerKind
from wrn_search.trackers.wandb_runs import WANDB

TRACKERS: dict[str, TrackerKind] = {"csv": CSV, "mlflow": MLFLOW, "wandb": WANDB}


def what_is_missing(name: str) -> str | None:
    """Why a tracker cannot be used here, and what mends it; None if it can."""
    package = TRACKERS[name].package
    if package is None or importlib.util.find_spec(package) is not None:
        return None
    return f"{package} is not installed (pip install 'wrn-search[{name}]')"
