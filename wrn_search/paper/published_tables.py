"""The tables of "Wide Residual Networks" (arXiv 1605.07146 v4) as shipped with the package, as one list of results."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from wrn_search.networks.architecture import Architecture

_DATASETS = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN"}


@dataclass(frozen=True)
class Published:
    """One test error that the paper prints for one network on one data set."""

    dataset: str  # cifar10 | cifar100 | svhn
    table: str
    network: str  # the name of our `Architecture`
    dropout: float | None  # probability; None: the table does not say
    error: float  # test error, percent
    statistic: str
    preprocessing: str  # zca | meanstd | divide255


@cache
def published() -> tuple[Published, ...]:
    """Every result of a network that a search can hold, table by table."""
    return tuple(row for read in (_table2, _table3, _table4, _table5, _table6, _table9) for row in read())


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("wrn_search.paper").joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _cells(row: dict[str, str], columns: dict[str, str]) -> Iterator[tuple[str, float]]:
    """(data set, error) of each cell that the paper prints."""
    yield from ((dataset, float(row[column])) for dataset, column in columns.items() if row[column])


def _table2() -> Iterator[Published]:
    for row in _rows("table2_block_types.csv"):
        network = Architecture.of(int(row["depth_label"]), float(row["k"]), row["block_type"]).name
        for dataset, error in _cells(row, {"cifar10": "test_error_pct_cifar10_median5"}):
            yield Published(dataset, "table 2", network, 0.0, error, "median of 5", "zca")


def _table3() -> Iterator[Published]:
    for row in _rows("table3_deepening_l.csv"):
        block = f"B({','.join(row['kernels'].split('-'))})"
        network = Architecture.of(int(row["depth"]), float(row["k"]), block).name
        for dataset, error in _cells(row, {"cifar10": "test_error_pct_cifar10_median5"}):
            yield Published(dataset, "table 3", network, 0.0, error, "median of 5", "zca")


def _table4() -> Iterator[Published]:
    columns = {"cifar10": "test_error_pct_cifar10", "cifar100": "test_error_pct_cifar100"}
    for row in _rows("table4_width_grid.csv"):
        for dataset, error in _cells(row, columns):
            said = "number of runs not stated"
            yield Published(dataset, "table 4", _name(row), 0.0, error, said, "zca")


def _table5() -> Iterator[Published]:
    columns = {"cifar10": "test_error_pct_cifar10", "cifar100": "test_error_pct_cifar100"}
    for row in _rows("table5_comparison_meanstd.csv"):
        if row["method"] == "WRN":
            for dataset, error in _cells(row, columns):
                yield Published(dataset, "table 5", _name(row), 0.0, error, "median of 5", "meanstd")


def _table6() -> Iterator[Published]:
    columns = {
        "cifar10": "test_error_pct_cifar10_median5",
        "cifar100": "test_error_pct_cifar100_median5",
        "svhn": "test_error_pct_svhn",
    }
    for row in _rows("table6_dropout.csv"):
        for dataset, error in _cells(row, columns):
            on_svhn = dataset == "svhn"
            dropout = float(row["dropout_p_svhn" if on_svhn else "dropout_p_cifar"])
            said = "number of runs not stated" if on_svhn else "median of 5"
            preprocessing = "divide255" if on_svhn else "meanstd"
            yield Published(dataset, "table 6", _name(row), dropout, error, said, preprocessing)


def _table9() -> Iterator[Published]:
    names = {title: name for name, title in _DATASETS.items()}
    for row in _rows("table9_best.csv"):
        match = re.fullmatch(r"WRN-(\d+)-(\d+)", row["model"])
        dataset = names.get(row["dataset"])
        if match and dataset:
            network = Architecture.of(int(match[1]), float(match[2])).name
            on_svhn = dataset == "svhn"
            preprocessing = "divide255" if on_svhn else "meanstd"
            dropout = 0.4 if on_svhn else 0.3
            yield Published(
                dataset, "table 9", network, dropout, float(row["value"]), "a single run", preprocessing
            )


def _name(row: dict[str, str]) -> str:
    return Architecture.of(int(row["depth"]), float(row["k"])).name
