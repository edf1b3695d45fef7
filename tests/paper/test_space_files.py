"""The paper's experiments as space files: networks of its tables, hours that follow from them, a plan of each."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.datasets.image_data import write_folder
from wrn_search.forecast import forecast_here, pace, played_search
from wrn_search.networks.network_names import named_network
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.paper.published_tables import published
from wrn_search.session.dry_run import dry_run
from wrn_search.space.space_file import read_space

FOLDER = Path(__file__).parents[2] / "search_spaces" / "paper"
FILES = sorted(FOLDER.glob("*.yaml"))
IMAGES = {"cifar10": 50_000, "svhn": 604_388, "imagenet": 1_281_167}
SIDE = {"cifar10": 32, "svhn": 32, "imagenet": 224}
CLASSES = {"cifar10": 10, "svhn": 10, "imagenet": 1000}
COLUMNS = {"cifar10": "cifar10", "svhn": "svhn", "imagenet": "imagenet"}

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def header_of(path: Path) -> str:
    """Without the signs of comments, on one line."""
    text = path.read_text().partition("name:")[0]
    return " ".join(line.removeprefix("#").strip() for line in text.splitlines())


def configurations(path: Path) -> list[tuple[str, float]]:
    """(network, dropout) of each point."""
    points = yaml.safe_load(path.read_text())["search"]["points"]
    return [(point["network"], point.get("dropout", 0.0)) for point in points]


def test_each_experiment_has_a_file() -> None:
    assert [path.stem for path in FILES] == [
        "figure2_curves",
        "figure3_svhn_dropout",
        "figure4_speed",
        "table2_block_types",
        "table3_deepening",
        "table4_depth_width",
        "table5_meanstd",
        "table6_dropout",
        "table6_dropout_svhn",
        "table7_imagenet_width",
        "table8_bottleneck",
    ]


@every_file
def test_it_says_what_it_asks_and_costs_and_is_named_like_its_file(path: Path) -> None:
    assert read_space(path).name == path.stem
    assert all(f"# {word} " in path.read_text() for word in ("asks", "how", "data", "costs", "expect"))
    assert max(map(len, path.read_text().splitlines())) <= 120


@every_file
def test_its_header_runs_it_short(path: Path) -> None:
    """Every `--set` of every command in the header is one that the file takes."""
    commands = re.findall(
        rf"run_search.py search_spaces/paper/{path.name}(.*?)(?= python|$)", header_of(path)
    )
    assert len(commands) >= 3
    for command in commands:
        words = shlex.split(command.replace("\\", " "))
        assignments = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
        read_space(path, assignments)
    assert "--results" in commands[-1]
    assert "training.epochs=" in commands[-1]


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem.startswith("table")], ids=lambda p: p.stem
)
def test_its_networks_are_those_of_the_table(path: Path) -> None:
    space = read_space(path)
    rows = {
        (row.network, row.dropout)
        for row in published()
        if row.table == f"table {path.stem[5]}" and row.dataset == COLUMNS[space.dataset.name]
    }
    assert set(configurations(path)) == rows
    assert len(space.search.points) == len(rows) == space.size


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem.startswith("table")], ids=lambda p: p.stem
)
def test_a_table_is_tested_once_each_with_the_papers_schedule(path: Path) -> None:
    space = read_space(path)
    assert space.protocol == "test_each"
    epochs = {"cifar10": 200, "svhn": 160, "imagenet": 100}
    assert space.training.epochs == epochs[space.dataset.name]
    assert space.search.repeats == (1 if space.dataset.name == "imagenet" else 5)
    zca = path.stem.startswith(("table2", "table3", "table4"))
    assert (space.dataset.preprocessing == "zca") == zca


@every_file
def test_the_hours_of_its_header_are_those_of_its_multiply_adds(path: Path) -> None:
    space, name = read_space(path), read_space(path).dataset.name
    side = SIDE[name], SIDE[name]
    family = "imagenet_resnet" if name == "imagenet" else None
    networks = [named_network(network, family) for network, _ in configurations(path)]
    total = sum(macs(network, CLASSES[name], 3, side) for network in networks)
    images = IMAGES[name] - (space.dataset.validation or 0)
    hours = 6 * total * images * space.training.epochs * space.search.repeats / pace.ASSUMED_FLOPS / 3600
    text = header_of(path).replace(",", "").replace("half a GPU-hour", "0.5 GPU-hours")
    told = re.search(r"about ([\d.]+) GPU-hours", text)
    assert told is not None
    assert float(told[1]) == pytest.approx(hours, rel=0.06)


@every_file
def test_a_dry_run_prints_its_cost_and_trains_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    # A probe trains steps of the largest network, in one file of 1,001 layers, beside whatever else this machine does.
    monkeypatch.setattr(forecast_here, "probed_pace", lambda *_, **__: pace.assumed_pace())
    monkeypatch.setattr(played_search, "PLAYS", 1)
    overrides = []
    if read_space(path).dataset.name == "imagenet":
        for split in ("train", "val"):
            write_folder(tmp_path / "images", np.zeros((40, 32, 32, 3), np.uint8), [0, 1] * 20, split)
        overrides = [f"dataset.root={tmp_path / 'images'}", "training.batch_size=40"]
    told = dry_run(path, overrides=overrides)
    (forecast,) = [line for line in told.splitlines() if line.startswith("forecast ")]
    assert re.search(r"\d (s|min|h|d)\b", forecast)
    assert "Dry run: nothing was started or written." in told
    assert {each.name for each in tmp_path.iterdir()} <= {"images"}
