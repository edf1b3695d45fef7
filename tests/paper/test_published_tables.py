"""Beside the paper: its tables as shipped, and every difference of recipe named."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.confirmation import Confirm, Finalist
from wrn_search.analysis.input_tables.configurations import configurations_of, seconds_per_epoch
from wrn_search.analysis.input_tables.joined_tables import material_of
from wrn_search.analysis.paper_tables.paper_comparison import paper_of
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.paper.published_tables import published

PAPERS_RECIPE = {"epochs": 200, "weight_decay": 5e-4, "lr_drops": [0.3, 0.6, 0.8], "lr_drop_factor": 0.2}


def compared(path, confirm=None, **plan):
    material = material_of([plant(path, Plan(**plan))])
    return paper_of(material, configurations_of(material, seconds_per_epoch(material)), None, confirm)


def test_the_tables_say_what_the_paper_prints():
    found = {
        (row.dataset, row.table, row.network, row.dropout): row.error
        for row in published()
        if row.batch_size != 64
    }
    assert len(found) == len(published()) - 1 == 6 + 4 + 19 + 11 + 18 + 7 + 4 + 3
    (small_batch,) = (row for row in published() if row.batch_size == 64)
    assert (small_batch.network, small_batch.error) == ("ResNet-1001", 4.64)
    assert found["cifar10", "table 5", "ResNet-1001", 0.0] == 4.92
    assert found["cifar100", "table 5", "ResNet-164", 0.0] == 24.33
    assert found["imagenet", "table 7", "WRN-34-1.5", 0.0] == 24.5
    assert found["imagenet", "table 8", "WRN-50-2-bottleneck", 0.0] == 21.9
    assert found["cifar10", "table 2", "WRN-40-2-B(3,1)", 0.0] == 5.78
    assert found["cifar10", "table 3", "WRN-40-2-B(3,3,3)", 0.0] == 5.65
    assert found["cifar10", "table 4", "WRN-28-10", 0.0] == 4.17
    assert found["cifar100", "table 4", "WRN-28-12", 0.0] == 20.43
    assert ("cifar100", "table 4", "WRN-40-8", 0.0) not in found  # the paper has no number there
    assert found["cifar10", "table 5", "WRN-28-10", 0.0] == 4.0
    assert found["cifar10", "table 6", "WRN-28-10", 0.3] == 3.89
    assert found["svhn", "table 6", "WRN-16-8", 0.4] == 1.54
    assert found["cifar10", "table 9", "WRN-40-10", 0.3] == 3.8


def test_each_network_of_the_tables_has_the_printed_size():
    folder = files("wrn_search.paper")
    for line in folder.joinpath("table2_block_types.csv").read_text().splitlines()[1:]:
        block, rest = line.split('"')[1], line.split('"')[2].split(",")
        assert num_params(Architecture.of(int(rest[2]), float(rest[3]), block)) == int(rest[9])


def test_the_tables_ship_with_the_package():
    data = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert "paper/*.csv" in data["tool"]["setuptools"]["package-data"]["wrn_search"]
    assert len(list(files("wrn_search.paper").glob("table*.csv"))) == 9


def test_our_network_stands_beside_each_of_its_rows(tmp_path):
    model = {"depth": {"choice": [16, 28]}, "widen_factor": {"choice": [8, 10]}}
    found = compared(tmp_path / "a", model=model)
    rows = [(row.network, row.table, row.paper_error) for row in found.rows]
    assert ("WRN-28-10", "table 4", 4.17) in rows
    assert ("WRN-28-10", "table 6", 3.89) in rows
    assert ("WRN-16-8", "table 5", 4.27) in rows
    assert {network for network, _, _ in rows} == {"WRN-28-10", "WRN-16-8", "WRN-16-10"}
    first = next(row for row in found.rows if row.network == "WRN-28-10" and row.table == "table 4")
    text = "\n".join(first.differences)
    for difference in (
        "error: on 5,000 validation images, on the test split that the authors watched",
        "statistic: one seed, the best of a search, number of runs not stated",
        "training images: 45,000, 50,000",
        "epochs: 10, 200",
        "preprocessing: meanstd, zca",
        "source of the images: torchvision's files, the authors' Torch files",
        "init: fan_in, fan_out or fan_in",
    ):
        assert difference in text
    for same in (
        "batch_size",
        "learning_rate",
        "momentum",
        "lr_drops",
        "weight_decay",
        "augmentation",
        "precision",
    ):
        assert f"{same}:" not in text


def test_only_what_differs_is_named(tmp_path):
    recipe = compared(tmp_path / "a", model={"depth": 28, "widen_factor": 10}, training=PAPERS_RECIPE)
    row = next(row for row in recipe.rows if row.table == "table 5")
    names = [difference.partition(":")[0] for difference in row.differences]
    assert names == [
        "error",
        "statistic",
        "training images",
        "crop",
        "linear layer",
        "source of the images",
        "batch norm",
    ]


def test_todays_optimisers_are_differences(tmp_path):
    today = {"nesterov": False, "clip_norm": 0.5, "ema": 0.99, "warmup_epochs": 5, "gradient_accumulation": 2}
    found = compared(
        tmp_path / "a", model={"depth": 28, "widen_factor": 10}, training={**PAPERS_RECIPE, **today}
    )
    row = next(row for row in found.rows if row.table == "table 5")
    assert set(row.differences) >= {
        "nesterov: false, true",
        "clip_norm: 0.5, none",
        "ema: 0.99, 0",
        "warmup_epochs: 5, 0",
        "gradient_accumulation: 2, 1",
    }
    assert not [text for text in row.differences if text.startswith(("sam", "beta", "optimizer", "lr_by"))]


def test_how_an_epoch_is_sampled_and_how_far_crops_move_are_differences(tmp_path):
    found = compared(
        tmp_path / "a",
        model={"depth": 28, "widen_factor": 10},
        training=PAPERS_RECIPE,
        dataset={"name": "cifar10", "sampling": "balanced", "crop_padding": 6},
    )
    row = next(row for row in found.rows if row.table == "table 5")
    assert set(row.differences) >= {
        "sampling: each class equally often in an epoch, each image once",
        "crop_padding: 6 pixels, 4",
    }


def test_dropout_and_every_changed_hyperparameter_are_named(tmp_path):
    model = {"depth": 28, "widen_factor": 10, "dropout": 0.1, "init": "fan_out"}
    training = {
        "epochs": 5,
        "batch_size": 64,
        "learning_rate": 0.05,
        "lr_drops": [0.5],
        "weight_decay_on": "weights",
    }
    found = compared(tmp_path / "a", model=model, training=training)
    row = next(row for row in found.rows if row.table == "table 6" and row.dropout)
    text = "\n".join(row.differences)
    for difference in (
        "dropout: 0.1, 0.3",
        "batch_size: 64, 128",
        "learning_rate: 0.05, 0.1",
        "lr_drops: 0.5, 0.3/0.6/0.8",
        "weight_decay_on: weights, all",
        "init: fan_out, fan_in",
    ):
        assert difference in text


def test_what_only_todays_recipes_have_is_named(tmp_path):
    today = {"label_smoothing": 0.1, "mixup": 0.2, "cutout": 16, "class_weights": "balanced"}
    found = compared(
        tmp_path / "a",
        dataset={"augmentation": "trivial"},
        model={"depth": 28, "widen_factor": 10},
        training=PAPERS_RECIPE | today,
    )
    row = next(row for row in found.rows if row.table == "table 5")
    assert [
        text for text in row.differences if text.partition(":")[0] in (*today, "cutmix", "augmentation")
    ] == [
        "augmentation: trivial, flip_crop",
        "label_smoothing: 0.1, 0",
        "mixup: 0.2, 0",
        "cutout: 16, 0",
        "class_weights: balanced, none",
    ]


def test_svhn_is_held_against_its_own_recipe(tmp_path):
    svhn = {"name": "svhn"}
    training = {"epochs": 160, "learning_rate": 0.01, "lr_drops": [0.5, 0.75], "lr_drop_factor": 0.1}
    found = compared(tmp_path / "a", dataset=svhn, model={"depth": 16, "widen_factor": 8}, training=training)
    assert [(row.table, row.paper_error) for row in found.rows] == [
        ("table 6", 1.81),
        ("table 6", 1.54),
        ("table 9", 1.54),
    ]
    names = [difference.partition(":")[0] for difference in found.rows[0].differences]
    assert names == [
        "error",
        "statistic",
        "training images",
        "linear layer",
        "source of the images",
        "batch norm",
    ]
    assert "training images: 45,000, 604,388" in found.rows[0].differences


def test_other_data_and_other_networks_have_a_reason(tmp_path):
    digits = compared(tmp_path / "a", dataset={"name": "digits"}, model={"depth": 16, "widen_factor": 4})
    assert (digits.rows, digits.note) == ((), "The paper has no results on digits.")
    other = compared(tmp_path / "b", model={"depth": 10, "widen_factor": 3})
    assert other.rows == ()
    assert "stands in the paper's tables" in other.note


def test_a_confirmed_test_error_stands_beside_the_papers(tmp_path):
    finalist = Finalist(
        "WRN-28-10", 0, 5.0, (), None, None, (4.1, 4.2, 4.5), (4.2, 4.1, 4.5), 75.0, True, trial=0
    )
    confirm = Confirm((finalist,), 3, "")
    found = compared(tmp_path / "a", confirm, model={"depth": 28, "widen_factor": 10})
    assert {row.our_test_error for row in found.rows} == {4.2}
    assert {
        row.our_test_error for row in compared(tmp_path / "b", model={"depth": 28, "widen_factor": 10}).rows
    } == {None}


@pytest.mark.parametrize("root", [None, "/data/cifar"])
def test_the_source_of_the_images_is_named(tmp_path, root):
    dataset = {"name": "cifar10", "root": root}
    row = compared(tmp_path / "a", dataset=dataset, model={"depth": 28, "widen_factor": 10}).rows[0]
    where = f"torchvision's files under {root}" if root else "torchvision's files"
    assert f"source of the images: {where}, the authors' Torch files" in row.differences
