"""Smoothing, mixing and weights searched as a user does: recorded, answered for, trained again to the same bits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import wrn_search
from tests.cli.commands import run

pytestmark = pytest.mark.slow

SPACE = """\
name: today
dataset: {name: digits, augmentation: shift_trivial}
model: {depth: 10, widen_factor: {choice: [1, 2]}}
training:
  epochs: 3
  batch_size: 32
  precision: fp32
  label_smoothing: {uniform: [0, 0.2]}
  mixup: {choice: [0, 0.2]}
  cutmix: {choice: [0, 1]}
  cutout: {choice: [0, 2]}
  class_weights: {choice: [none, balanced, [1, 1, 1, 1, 1, 1, 1, 1, 1, 2]]}
search: {trials: 6, searcher: random, scheduler: none, seed: 2}
resources: {cpus_per_trial: 1}
"""
SEARCHED = ("label_smoothing", "mixup", "cutmix", "cutout", "class_weights")


def test_todays_recipe_is_searched_reported_and_trained_again(tmp_path: Path) -> None:
    space, results = tmp_path / "today.yaml", tmp_path / "today"
    space.write_text(SPACE)
    done = run("run_search.py", str(space), "--results", str(results), "--quiet")
    assert done.returncode == 0, done.stderr
    trials, _ = wrn_search.read(results)
    assert trials["status"].tolist() == ["completed"] * 6
    assert all(trials[name].nunique() > 1 for name in SEARCHED)
    assert trials["train_error"].between(0, 100).all()

    report = run("-m", "wrn_search", "report", str(results), "--json")
    assert report.returncode == 0, report.stderr
    questions = " ".join(each["question"] for each in json.loads(report.stdout)["verdicts"])
    assert all(name in questions for name in SEARCHED)

    rerun = run("-m", "wrn_search", "rerun", str(results), "--trial", "1", "--json")
    assert rerun.returncode == 0, rerun.stderr + rerun.stdout
    again = run(
        "run_search.py", str(space), "--results", str(results), "--resume", "--trials", "7", "--quiet"
    )
    assert again.returncode == 0, again.stderr
    assert len(wrn_search.read(results)[0]) == 7
