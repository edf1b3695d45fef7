"""The tables of "Wide Residual Networks" (arXiv 1605.07146 v4) as shipped with the package, as one list of results."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from wrn_search.networks.architecture import Architecture

MEDIAN_OF_5 = "median of 5"
_UNTOLD = "number of runs not stated"
_DATASETS = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN"}


@dataclass(frozen=True)
class Published:
    """One test error that the paper prints for one network on one data set; of ImageNet the top-1 error."""

    dataset: str  # cifar10 | cifar100 | svhn | imagenet
    table: str
    network: str  # the name of our `Architecture`
    dropout: float | None  # probability; None: the table does not say
    error: float  # test error, percent
    statistic: str
    preprocessing: str  # zca | meanstd | divide255 | imagenet
    batch_size: int = 128


@cache
def published() -> tuple[Published, ...]:
    """Every result of a network that a search can hold, table by table."""
    tables = (_table2, _table3, _table4, _table5, _table6, _table7, _table8, _table9)
    return tuple(row for read in tables for row in read())


@cache
def published_times(table: int) -> Mapping[str, float]:
    """Network -> what one unit of training took there: an epoch (table 2), a batch (figure 4 for table 5, table 8).

    Only ratios within a table can be compared with ours.
    """
    if table == 2:
        rows = _rows("table2_block_types.csv")
        return {_with_block(row): float(row["epoch_time_s"]) for row in rows}
    if table == 5:
        column = "time_ms_fwd_bwd_batch32_titanx_cudnn5"
        return {_in_figure4(row): float(row[column]) for row in _rows("figure4_minibatch_time.csv")}
    if table == 8:
        found = ((_bottleneck(row), row) for row in _rows("table8_imagenet_bottleneck.csv"))
        return {name: float(row["time_ms_per_minibatch16"]) for name, row in found if name}
    return {}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("wrn_search.paper").joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _cells(row: dict[str, str], columns: dict[str, str]) -> Iterator[tuple[str, float]]:
    """(data set, error) of each cell that the paper prints."""
    yield from ((dataset, float(row[column])) for dataset, column in columns.items() if row[column])


def _table2() -> Iterator[Published]:
    for row in _rows("table2_block_types.csv"):
        for dataset, error in _cells(row, {"cifar10": "test_error_pct_cifar10_median5"}):
            yield Published(dataset, "table 2", _with_block(row), 0.0, error, MEDIAN_OF_5, "zca")


def _table3() -> Iterator[Published]:
    for row in _rows("table3_deepening_l.csv"):
        block = f"B({','.join(row['kernels'].split('-'))})"
        network = Architecture.of(int(row["depth"]), float(row["k"]), block).name
        for dataset, error in _cells(row, {"cifar10": "test_error_pct_cifar10_median5"}):
            yield Published(dataset, "table 3", network, 0.0, error, MEDIAN_OF_5, "zca")


def _table4() -> Iterator[Published]:
    columns = {"cifar10": "test_error_pct_cifar10", "cifar100": "test_error_pct_cifar100"}
    for row in _rows("table4_width_grid.csv"):
        for dataset, error in _cells(row, columns):
            said = _UNTOLD
            yield Published(dataset, "table 4", _name(row), 0.0, error, said, "zca")


def _table5() -> Iterator[Published]:
    columns = {"cifar10": "test_error_pct_cifar10", "cifar100": "test_error_pct_cifar100"}
    for row in _rows("table5_comparison_meanstd.csv"):
        if row["method"] not in ("WRN", "pre-act-ResNet"):  # others are not among our networks
            continue
        network = _name(row) if row["method"] == "WRN" else f"ResNet-{row['depth']}"
        said = MEDIAN_OF_5 if row["method"] == "WRN" else "as cited by the paper"
        batch = int(row["batch_size"] or 128)
        for dataset, error in _cells(row, columns):
            yield Published(dataset, "table 5", network, 0.0, error, said, "meanstd", batch)


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
            said = _UNTOLD if on_svhn else MEDIAN_OF_5
            preprocessing = "divide255" if on_svhn else "meanstd"
            yield Published(dataset, "table 6", _name(row), dropout, error, said, preprocessing)


def _table7() -> Iterator[Published]:
    for row in _rows("table7_imagenet_width.csv"):
        network, error = f"{row['model']}-{float(row['width']):g}", float(row["top1_error_pct"])
        yield Published("imagenet", "table 7", network, 0.0, error, _UNTOLD, "imagenet", 256)


def _table8() -> Iterator[Published]:
    for row in _rows("table8_imagenet_bottleneck.csv"):
        if network := _bottleneck(row):
            error = float(row["top1_error_pct"])
            yield Published("imagenet", "table 8", network, 0.0, error, _UNTOLD, "imagenet", 256)


def _bottleneck(row: dict[str, str]) -> str:
    """Our name of a network of table 8; empty for the pre-activation ResNet-200, which is none of ours."""
    match = re.fullmatch(r"(WRN|ResNet)-(\d+)(-2-bottleneck)?", row["model"])
    return f"WRN-{match[2]}-{2 if match[3] else 1}-bottleneck" if match else ""


def _in_figure4(row: dict[str, str]) -> str:
    """The axis of figure 4 says 1004, its text 1001."""
    return _name(row) if row["family"] == "wide" else f"ResNet-{row['depth'].replace('1004', '1001')}"


def _with_block(row: dict[str, str]) -> str:
    return Architecture.of(int(row["depth_label"]), float(row["k"]), row["block_type"]).name


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
