"""Searches on simulated GPUs through the real conductor, Tune and Ray: shares, retries with more memory, processes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

import wrn_search
import wrn_search.decisions.gpu_packing
from tests.ray_tune.starved import StarvedTrainable
from wrn_search.cluster.living_nodes import is_connected
from wrn_search.decisions.gpu_packing import Grant
from wrn_search.results.events import Retried, Started
from wrn_search.results.events_jsonl import read_events

pytestmark = (
    pytest.mark.slow
)  # the decisions are played without Ray in test_out_of_memory.py and test_places.py

ROOT = Path(__file__).resolve().parents[1]
GPU_BYTES = 16 * 10**9
GRID = {
    "name": "shared",
    "dataset": {"name": "digits", "train_images": 200, "validation": 100},
    "model": {"depth": 10, "widen_factor": {"choice": [0.25, 0.5, 1.0]}},
    "training": {"epochs": 2, "batch_size": 100, "weight_decay": {"choice": [1.0e-4, 5.0e-4]}},
    "search": {"searcher": "grid", "scheduler": "none"},
}


@pytest.fixture(scope="module")
def simulated_gpu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Ray of this process with a GPU in name only, whose memory is made up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setenv("WRN_SEARCH_SIMULATED_GPUS", "1")
        patch.setenv("PYTHONPATH", str(ROOT))  # trial processes must find the tests' trainable
        patch.setattr(
            "wrn_search.cluster.living_nodes.gpu_bytes_by_node",
            lambda: {node["NodeID"]: GPU_BYTES for node in ray.nodes()},
        )
        is_connected()  # sets the environment as the program does
        ray.init(address="local", num_cpus=4, num_gpus=1, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


def _events(results: Path, kind: type) -> list[Any]:
    return [event for _, event in read_events(results / "events.jsonl") if isinstance(event, kind)]


@pytest.fixture(scope="module")
def starved(simulated_gpu: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a search in which two networks need more than was predicted, and one more than there is."""
    results = tmp_path_factory.mktemp("starved") / "results"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wrn_search.ray_tune.trainable.WideResNetTrainable", StarvedTrainable)
        search = wrn_search.run(GRID, results=results, quiet=True)
    assert search.reason == "finished"
    return results


def test_each_trial_gets_the_share_that_it_needs_or_fails_with_the_reason(starved: Path) -> None:
    trials, epochs = wrn_search.read(starved)
    by_width = dict(iter(trials.groupby("widen_factor")))
    assert set(by_width[0.25]["status"]) == set(by_width[0.5]["status"]) == {"completed"}
    assert set(by_width[0.25]["gpu_fraction"]) == {1 / 8}
    assert set(by_width[0.5]["gpu_fraction"]) == {1 / 2}
    assert set(by_width[1.0]["status"]) == {"failed"}
    assert set(by_width[1.0]["gpu_fraction"]) == {1.0}
    for text in by_width[1.0]["error"]:
        assert text.startswith(
            "needs more than 15.1 GB at batch size 100: OutOfMemoryError: CUDA out of memory"
        )
    assert len(epochs) == 2 * 4


def test_every_retry_asked_for_more_and_only_until_it_fitted(starved: Path) -> None:
    trials, _ = wrn_search.read(starved)
    widths = dict(zip(trials["number"], trials["widen_factor"], strict=True))
    shares: dict[int, list[float]] = {}
    for event in _events(starved, Started):
        shares.setdefault(event.number, []).append(event.gpu_fraction)
    for number, tried in shares.items():
        assert tried == sorted(set(tried))
        assert tried[-1] == {0.25: 1 / 8, 0.5: 1 / 2, 1.0: 1.0}[widths[number]]
    retried = _events(starved, Retried)
    assert len(retried) == sum(len(tried) - 1 for tried in shares.values())
    assert all(event.reason.startswith("needs more than") for event in retried)


def test_what_one_trial_taught_another_need_not_find_out(simulated_gpu: None, tmp_path: Path) -> None:
    """One at a time: each of two trials of width 0.5 would find two shares too small; together they do."""
    model, resources = {"depth": 10, "widen_factor": 0.5}, {"concurrent": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wrn_search.ray_tune.trainable.WideResNetTrainable", StarvedTrainable)
        wrn_search.run(GRID | {"model": model, "resources": resources}, results=tmp_path / "out", quiet=True)
    trials, _ = wrn_search.read(tmp_path / "out")
    assert trials["status"].tolist() == ["completed"] * 2
    assert len(_events(tmp_path / "out", Retried)) == 2


def test_the_manifest_says_how_gpus_were_shared(starved: Path) -> None:
    manifest = json.loads((starved / "manifest.json").read_text())
    assert manifest["gpus_per_trial"] == "by memory"
    assert manifest["nodes"][0]["gpu_bytes"] == GPU_BYTES
    assert manifest["nvidia_mps"]["on"] in (True, False)
    # No GPU is there that a probe could train on, so the prediction stands.
    assert manifest["gpu_memory"]["probes"] == []
    assert manifest["gpu_memory"]["correction"]["factor"] == 1.0


def test_trials_of_one_class_use_each_others_processes_and_no_share_is_given_twice(
    simulated_gpu: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[int, Grant] = {}
    most: Counter[str] = Counter()
    take, leave = (getattr(wrn_search.decisions.gpu_packing.Places, name) for name in ("take", "leave"))

    def taking(self: Any, number: int, asked: Any) -> Grant | None:
        grant: Grant | None = take(self, number, asked)
        if grant is not None:
            given[number] = grant
            most["shares"] = max(most["shares"], sum(int(8 * each.gpu_fraction) for each in given.values()))
        return grant

    def leaving(self: Any, number: int) -> None:
        given.pop(number, None)
        leave(self, number)

    monkeypatch.setattr("wrn_search.decisions.gpu_packing.Places.take", taking)
    monkeypatch.setattr("wrn_search.decisions.gpu_packing.Places.leave", leaving)
    space = GRID | {"training": GRID["training"] | {"weight_decay": {"choice": [1e-4, 2e-4, 3e-4, 4e-4]}}}
    search = wrn_search.run(space, results=tmp_path / "results", quiet=True)
    trials, _ = wrn_search.read(tmp_path / "results")
    assert search.reason == "finished"
    assert len(trials) == 12
    assert set(trials["status"]) == {"completed"}
    assert set(trials["gpu_fraction"]) == {1 / 8}
    assert 2 <= most["shares"] <= 8
