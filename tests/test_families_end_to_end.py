"""Every newer family from the search to a model file that answers as its network: the commands as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import wrn_search
from tests.datasets.imagenet.imagenet_data import write_imagenet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

ROOT = Path(__file__).resolve().parents[1]
DEADLINE = 1200  # seconds; a hang must not stop the tests

THIN = """\
name: thin
dataset: {name: digits, validation: 300}
model: {family: preact_resnet}
training: {epochs: 1, batch_size: 256, precision: fp32}
search:
  scheduler: none
  points: [{depth: 8, block: basic}, {depth: 11, block: bottleneck}]
resources: {cpus_per_trial: 1, concurrent: 2}
"""
FOR_IMAGENET = """\
name: imagenet
recipe: paper_imagenet
dataset: {root: ROOT, image_size: 32, validation: 8}
model: {family: imagenet_resnet}
training: {epochs: 1, batch_size: 16, learning_rate: 0.01, precision: fp32}
search: {scheduler: none, points: [{network: WRN-18-0.5}, {network: WRN-50-2-bottleneck}]}
resources: {cpus_per_trial: 1, concurrent: 1}
"""


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        pytest.param(
            THIN,
            {("preact_resnet", 8, "basic"), ("preact_resnet", 11, "bottleneck")},
            marks=pytest.mark.exhaustive,  # beside test_imagenet_end_to_end.py and winner/file_formats
        ),
        pytest.param(
            FOR_IMAGENET,
            {("imagenet_resnet", 18, "basic"), ("imagenet_resnet", 50, "bottleneck")},
            marks=pytest.mark.exhaustive,  # beside test_imagenet_end_to_end.py and winner/file_formats
        ),
    ],
    ids=["preact_resnet", "imagenet_resnet"],
)
def test_searched_confirmed_exported_and_trained_again(
    tmp_path: Path, text: str, networks: set[tuple[str, int, str]]
) -> None:
    write_imagenet(tmp_path / "data")
    (tmp_path / "space.yaml").write_text(text.replace("ROOT", str(tmp_path / "data")))
    results = tmp_path / "results"
    _done("run_search.py", str(tmp_path / "space.yaml"), "--results", str(results), "--quiet")
    confirm = ("--top", "2", "--repeats", "1", "--only", "joined", "--quiet")
    _done("-m", "wrn_search", "confirm", str(results), *confirm)
    tested, _ = wrn_search.read(results / "confirm")

    assert set(zip(tested["family"], tested["depth"], tested["block"], strict=True)) == networks
    assert tested["status"].tolist() == ["completed"] * 2
    assert tested["test_error"].between(0, 100).all()
    for place in ("1", "2"):
        model = tmp_path / f"{place}.pt"
        told = _done(
            *("-m", "wrn_search", "export", str(results), "--finalist", place),
            *("--format", "torch", "--output", str(model), "--json"),
        )
        assert json.loads(told)["check"]["other_classes"] == 0  # of the live network's and the file's answers
        assert model.is_file()
        # The same curve, bit by bit, in another process; else status 1.
        _done("-m", "wrn_search", "rerun", str(results), "--finalist", place)


def _done(*arguments: str) -> str:
    """What a command printed that went well."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
