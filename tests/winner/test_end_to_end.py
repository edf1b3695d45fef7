"""From a search that Ray ran to the winner in a user's hands, each command in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.winner.models import write_images
from wrn_search.images.prepared_data import raw_validation
from wrn_search.space.dataset_section import DatasetSettings

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 900  # seconds; a hang must not stop the tests
SPACE = {
    "name": "quick",
    "dataset": {"name": "digits"},
    "model": {"depth": 10, "widen_factor": {"choice": [1, 2]}, "dropout": {"uniform": [0.0, 0.3]}},
    "training": {"epochs": 5, "batch_size": 64, "weight_decay": {"loguniform": [1e-5, 1e-3]}},
    "search": {"trials": 2, "searcher": "random", "scheduler": "none"},
}


def _json(*arguments: object) -> dict[str, Any]:
    """What a command prints with --json."""
    command = [sys.executable, "-m", "wrn_search", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=DEADLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def _exported(results: Path, format: str, folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What `export` says of a file, and what the file says of the images."""
    made = _json("export", results, "--format", format)
    return made, _json("predict", made["file"], folder / "images")["images"]


@pytest.mark.slow
def test_a_trial_that_ray_ran_comes_out_again_and_its_network_leaves_the_house(tmp_path: Path) -> None:
    space, results = tmp_path / "space.yaml", tmp_path / "results"
    space.write_text(yaml.safe_dump(SPACE))
    search = [sys.executable, "run_search.py", space, "--results", results, "--quiet"]
    subprocess.run([*map(str, search)], cwd=ROOT, check=True, timeout=DEADLINE, capture_output=True)

    validation = raw_validation(DatasetSettings(name="digits"))
    paths = write_images(tmp_path / "images", validation.images)
    # Each of these processes computes with one thread, or waits for imports: two at a time fill two cores.
    with ThreadPoolExecutor(2) as two:
        reruns = [two.submit(_json, "rerun", results, "--trial", number) for number in range(2)]
        used = [two.submit(_exported, results, format, tmp_path) for format in ("torch", "pt2", "onnx")]
    for rerun in (each.result() for each in reruns):
        assert (rerun["equal"], rerun["compared"], rerun["reasons"]) == (True, 5, [])
    errors, shares = [], []
    for made, predicted in (each.result() for each in used):
        assert [item["image"] for item in predicted] == [str(path) for path in paths]
        answers = np.array([int(item["classes"][0]["class"]) for item in predicted])
        errors.append(100 * (answers != validation.labels).mean())
        shares.append([item["classes"][0]["probability"] for item in predicted])
        assert errors[-1] == pytest.approx(made["val_error"]), "the error on record, found from PNG files"
        assert made["val_error"] < 50, "it learned to read"
    np.testing.assert_allclose(shares[1:], [shares[0]] * 2, atol=1e-5)
    assert len(_json("tensorboard", results, "--top", 2)["trials"]) == 2
