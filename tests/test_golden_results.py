"""Directories, checkpoints and exported files of older versions still work, through the commands a user has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import wrn_search
from tests.cli.commands import run

OLD = Path(__file__).parent / "golden" / "before_the_rooms"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the old files, which the commands may write to."""
    return Path(shutil.copytree(OLD, tmp_path / "old"))


def test_the_tables_tell_what_they_told() -> None:
    trials, epochs = wrn_search.read(OLD / "finished")
    assert trials["val_error"].min() == 80.0
    assert (trials["status"] == "completed").sum() == 2
    assert len(epochs) == trials["epochs_done"].sum() == 12


def test_a_report_reads_search_and_confirmation(old: Path) -> None:
    done = run("-m", "wrn_search", "report", str(old / "finished"), "--json")
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)
    assert findings["best"]["name"] == "005_WRN-10-0.5_p0.10_wd5e-4"
    assert findings["confirm"]["finalists"][0]["test_errors"] == [73.0]


def test_a_finished_search_is_printed_again(old: Path) -> None:
    space = old / "finished" / "search.yaml"
    done = run("run_search.py", str(space), "--results", str(old / "finished"), "--resume", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "005_WRN-10-0.5_p0.10_wd5e-4" in done.stdout


def test_a_finished_confirmation_is_printed_again(old: Path) -> None:
    done = run("-m", "wrn_search", "confirm", str(old / "finished"))
    assert done.returncode == 0, done.stderr
    assert "test error 73.00 %" in done.stdout


def test_a_kept_checkpoint_is_exported(old: Path) -> None:
    file = old / "again.pt"
    done = run(
        "-m", "wrn_search", "export", str(old / "finished"), "--format", "torch", "--output", str(file)
    )
    assert done.returncode == 0, done.stderr
    again, before = (torch.load(path, weights_only=True) for path in (file, OLD / "best.pt"))
    assert again["weights"].keys() == before["weights"].keys()
    assert all(torch.equal(again["weights"][name], before["weights"][name]) for name in before["weights"])


@pytest.mark.slow
def test_an_interrupted_search_goes_on_from_its_checkpoint(old: Path) -> None:
    results = old / "interrupted"
    before = wrn_search.read(OLD / "interrupted")[1]
    done = run(
        "run_search.py", str(results / "search.yaml"), "--results", str(results), "--resume", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    trials, epochs = wrn_search.read(results)
    assert trials["status"].tolist() == ["completed"] * 3
    assert len(epochs) == 36
    told = epochs.merge(before, on=["trial_id", "epoch"], suffixes=("", "_before"))
    assert len(told) == len(before)
    assert (told["val_error"] == told["val_error_before"]).all()


@pytest.mark.parametrize("name", ["best.pt", "best.pt2", "best.onnx"])
def test_exported_files_answer_alike(name: str) -> None:
    if name.endswith("onnx"):
        pytest.importorskip("onnxruntime")
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), dtype=np.uint8)
    ours, theirs = (np.asarray(wrn_search.load_model(OLD / file)(images)) for file in ("best.pt", name))
    np.testing.assert_allclose(theirs, ours, atol=1e-5)


def test_a_trusted_pt2_runs_its_own_program() -> None:
    """Its graph names classes by the modules that they were in when it was written."""
    program = torch.export.load(str(OLD / "best.pt2")).module()
    images = torch.zeros(2, 8, 8, 1, dtype=torch.uint8)
    ours = np.asarray(wrn_search.load_model(OLD / "best.pt2")(images.numpy()))
    np.testing.assert_allclose(program(images)[1].detach().numpy(), ours, atol=1e-5)
