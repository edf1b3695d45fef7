"""ImageNet as a user trains on it, in tiny: two networks of the paper, one trained again and exported; bad folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import wrn_search
from tests.cli.commands import run
from tests.datasets.imagenet.imagenet_data import WNIDS, write_imagenet

pytestmark = pytest.mark.slow

SPACE = """\
name: tiny_imagenet
recipe: paper_imagenet
dataset: {{root: {root}, image_size: 32, validation: 8}}
model: {{family: imagenet_resnet}}
training: {{epochs: 2, batch_size: 16, learning_rate: 0.01, precision: fp32}}
search: {{scheduler: none, points: [{{network: WRN-18-1.5}}, {{network: WRN-50-2-bottleneck}}]}}
resources: {{cpus_per_trial: 1, concurrent: 1}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imagenet")
    write_imagenet(folder / "data")
    (folder / "space.yaml").write_text(SPACE.format(root=folder / "data"))
    return folder


@pytest.fixture(scope="module")
def results(folder: Path) -> Path:
    """Of a search that was run."""
    results = folder / "results"
    done = run("run_search.py", str(folder / "space.yaml"), "--results", str(results), "--quiet")
    assert done.returncode == 0, done.stderr
    return results


def test_two_networks_train_for_two_epochs(results: Path) -> None:
    trials, epochs = wrn_search.read(results)
    assert trials["status"].tolist() == ["completed"] * 2
    assert sorted(zip(trials["depth"], trials["widen_factor"], strict=True)) == [(18, 1.5), (50, 2.0)]
    assert trials["num_params"].min() > 20_000_000
    assert epochs.groupby("trial_id")["epoch"].max().tolist() == [2, 2]
    assert trials["val_error"].between(0, 100).all()
    assert trials["test_error"].isna().all()
    manifest = json.loads((results / "manifest.json").read_text())
    assert (manifest["dataset"]["train_images"], manifest["dataset"]["validation_images"]) == (40, 8)


def test_one_is_trained_again_exported_and_asked(results: Path, folder: Path) -> None:
    trials, _ = wrn_search.read(results)
    number = str(int(trials.loc[trials["depth"] == 18, "number"].iloc[0]))
    again = run("-m", "wrn_search", "rerun", str(results), "--trial", number, "--checkpoint", "--json")
    assert again.returncode == 0, (
        again.stderr + again.stdout
    )  # the same curve, bit by bit, in another process
    model = folder / "model.pt"
    export = run(
        *("-m", "wrn_search", "export", str(results), "--trial", number),
        *("--format", "torch", "--output", str(model)),
    )
    assert export.returncode == 0, export.stderr
    assert "the shorter side scaled to 8/7 of that" in (folder / "model.pt.md").read_text()
    shown = next((folder / "data" / "val" / WNIDS[0]).iterdir())
    predicted = run("-m", "wrn_search", "predict", str(model), str(shown), "--json")
    assert predicted.returncode == 0, predicted.stderr
    assert any(wnid in predicted.stdout for wnid in WNIDS)


def test_the_winner_is_confirmed_on_val(results: Path) -> None:
    confirmed = run("-m", "wrn_search", "confirm", str(results), "--top", "1", "--repeats", "1", "--quiet")
    assert confirmed.returncode == 0, confirmed.stderr
    tested, _ = wrn_search.read(results / "confirm")
    assert tested["test_error"].notna().sum() == 1


@pytest.mark.parametrize(
    ("missing", "protocol", "told"),
    [
        ("train", "search", "dataset.root: must be a folder that holds train/<class>/, but got no "),
        ("", "search", "dataset.root: must be a folder that holds train/<class>/, but got no "),
        (
            "val",
            "test_each",
            "dataset.root: must be a folder that holds val/<class>/, to be tested on, but got no ",
        ),
        (f"val/{WNIDS[1]}", "test_each", f"but got '{WNIDS[1]}' not there"),
    ],
)
def test_a_folder_that_is_missing_or_half_there_is_refused(
    folder: Path, tmp_path: Path, missing: str, protocol: str, told: str
) -> None:
    root = Path(shutil.copytree(folder / "data", tmp_path / "data"))
    shutil.rmtree(root / missing)
    options = (
        "--set",
        f"dataset.root={root}",
        "--set",
        f"protocol={protocol}",
        "--results",
        str(tmp_path / "r"),
    )
    refused = run("run_search.py", str(folder / "space.yaml"), *options, "--quiet")
    assert refused.returncode == 2, refused.stderr
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
