"""`protocol: test_each` with the authors' recipe as a user runs it: trained, tested once each, resumed, rerun."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import wrn_search
from tests.cli.commands import run

pytestmark = pytest.mark.slow

SPACE = """\
name: table
recipe: paper_cifar
protocol: test_each
dataset: {name: digits, preprocessing: zca, train_images: 200}
model: {network: {choice: [WRN-10-0.25, WRN-10-0.5]}}
training: {epochs: 3, batch_size: 64, last_batch: keep, precision: fp32}
search: {repeats: 2}
resources: {cpus_per_trial: 1}
"""


def test_a_table_is_trained_tested_resumed_and_reported(tmp_path: Path) -> None:
    space, results = tmp_path / "table.yaml", tmp_path / "table"
    space.write_text(SPACE)
    done = run("run_search.py", str(space), "--results", str(results), "--quiet")
    assert done.returncode == 0, done.stderr
    assert "The test split was read 4 times for 4 networks" in done.stdout
    trials, epochs = wrn_search.read(results)
    assert trials["status"].tolist() == ["completed"] * 4
    assert trials["test_error"].between(0, 100).all()
    assert trials["val_error"].isna().all()
    assert epochs["val_error"].isna().all()
    assert set(trials["momentum_at_drops"]) == {"restart"}
    assert set(trials["bn_weight"]) == {"uniform"}
    manifest = json.loads((results / "manifest.json").read_text())
    assert manifest["protocol"] == "test_each"
    assert sorted(read["trial_id"] for read in manifest["test_reads"]) == sorted(trials["trial_id"])
    assert manifest["dataset"]["train_images"] == 200

    again = run("run_search.py", str(space), "--results", str(results), "--resume", "--quiet")
    assert again.returncode == 0, again.stderr
    assert json.loads((results / "manifest.json").read_text())["test_reads"] == manifest["test_reads"]

    rerun = run("-m", "wrn_search", "rerun", str(results), "--trial", "1", "--json")
    assert rerun.returncode == 0, rerun.stderr + rerun.stdout
    model = tmp_path / "model.pt"
    export = run(
        *("-m", "wrn_search", "export", str(results), "--trial", "0"),
        *("--format", "torch", "--output", str(model)),
    )
    assert export.returncode == 0, export.stderr
    assert model.is_file()
    report = run("-m", "wrn_search", "report", str(results), "--json")
    assert report.returncode == 0, report.stderr
    told = json.loads(report.stdout)
    assert [len(each["test_errors"]) for each in told["networks"]] == [2, 2]
    changed = run(
        "run_search.py", str(space), "--results", str(results), "--resume", "--set", "protocol=search"
    )
    assert changed.returncode == 2
    assert "protocol: must stay what it was when a search is resumed" in changed.stderr
