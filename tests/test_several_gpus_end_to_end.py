"""Trials on two GPUs each, in name only: two processes over gloo train one network, through Tune and Ray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

import wrn_search
from tests.images.streamed.test_streamed_batches import children
from wrn_search.cluster.living_nodes import is_connected

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
SPACE = {
    "name": "two_gpus",
    "dataset": {"name": "digits", "train_images": 200, "validation": 100},
    "model": {"depth": 10, "widen_factor": {"choice": [0.25, 0.5]}},
    "training": {"epochs": 2, "batch_size": 20},
    "search": {"searcher": "grid", "scheduler": "none"},
    "resources": {"gpus_per_trial": 2, "cpus_per_trial": 2},
}


@pytest.fixture
def two_simulated_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("WRN_SEARCH_SIMULATED_GPUS", "1")
    is_connected()  # sets the environment as the program does
    ray.init(address="local", num_cpus=4, num_gpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_trials_on_two_gpus_train_one_after_the_other_to_their_ends(
    two_simulated_gpus: None, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    search = wrn_search.run(SPACE, results=results, quiet=True)
    assert search.reason == "finished"
    trials, epochs = wrn_search.read(results)
    assert trials["status"].tolist() == ["completed"] * 2, trials["error"].tolist()
    assert set(trials["gpu_fraction"]) == {2.0}
    assert len(epochs) == 4
    assert epochs["val_error"].notna().all()
    assert epochs.groupby("trial_id")["train_loss"].nunique().tolist() == [2, 2]
    assert not [pid for pid in children() if "replica_process" in Path(f"/proc/{pid}/cmdline").read_text()]
