"""Two objectives on real digits through the real commands: the front at the end, in the report, for `confirm`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from wrn_search.objectives.dominance import is_on_front
from wrn_search.results.table_reader import read_results

ROOT = Path(__file__).resolve().parents[1]
SPACE = {
    "name": "two",
    "dataset": {"name": "digits"},
    "model": {"depth": 10, "widen_factor": {"choice": [0.5, 1, 2]}, "dropout": {"uniform": [0.0, 0.3]}},
    "training": {"epochs": 3, "batch_size": 128},
    "objectives": ["val_error", "num_params"],
    "search": {"trials": 5, "searcher": "nsga2", "rungs": [1]},
    "resources": {"concurrent": 1},
}


def _run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "WRN_SEARCH_DATA": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_forward_passes_are_timed_in_every_trial_of_a_search_whose_trials_share_cores(tmp_path: Path) -> None:
    search = {"trials": 4, "searcher": "random", "rungs": [1]}
    objectives = ["val_error", "inference_ms", "inference_ms_64"]
    space = {**SPACE, "objectives": objectives, "search": search, "resources": {"concurrent": 2}}
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(space))
    text = _run(tmp_path, str(ROOT / "run_search.py"), "two.yaml", "--quiet")
    report = json.loads(_run(tmp_path, "-m", "wrn_search", "report", "results/two", "--json"))
    trials, epochs = read_results(tmp_path / "results" / "two")

    assert "Front of val_error and inference_ms and inference_ms_64: " in text
    assert len(trials) == 4
    assert (trials[["inference_ms", "inference_ms_64"]] > 0).all(axis=None)
    assert (epochs["inference_ms"].notna() == (epochs["epoch"] == 1)).all()
    assert report["objectives"]["names"] == objectives
    assert {"inference_ms", "inference_ms_64"} < {front["cost"] for front in report["pareto"]["fronts"]}


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_front_is_the_same_at_the_end_in_the_report_and_for_the_confirmation(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(SPACE))
    text = _run(tmp_path, str(ROOT / "run_search.py"), "two.yaml", "--quiet")
    report = json.loads(_run(tmp_path, "-m", "wrn_search", "report", "results/two", "--json"))
    confirm = json.loads(
        _run(tmp_path, "-m", "wrn_search", "confirm", "results/two", "--pareto", "--dry-run", "--json")
    )
    objectives = report["objectives"]
    points = [tuple(point["values"]) for point in objectives["points"]]
    front = [point for point in objectives["points"] if point["on_front"]]

    assert "Front of val_error and num_params: " in text
    assert [point["on_front"] for point in objectives["points"]] == is_on_front(points)
    assert sorted(objectives["steps"][-1]["front"]) == sorted(point["trial"] for point in front)
    assert 0 < objectives["steps"][-1]["share"] < 1
    assert len({each["num_params"] for each in confirm["finalists"]}) == len(confirm["finalists"])
    assert [[each["estimate"], each["num_params"]] for each in confirm["finalists"]] == [
        point["values"] for point in front
    ]
