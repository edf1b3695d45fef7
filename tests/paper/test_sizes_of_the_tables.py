"""Every size that tables 2 to 8 print, from the closed forms; the exact counts were made by others' code."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import named_network
from wrn_search.networks.parameters_and_macs import macs, num_params

IMAGENET = 1000  # classes


def rows(name: str) -> list[dict[str, str]]:
    text = files("wrn_search.paper").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def millions(count: int) -> float:
    """As the paper prints them."""
    return round(count / 1e6, 1)


@pytest.mark.parametrize("row", rows("table2_block_types.csv"), ids=lambda row: row["block_type"])
def test_table_2(row: dict[str, str]) -> None:
    network = Architecture.of(int(row["depth_label"]), float(row["k"]), row["block_type"])

    assert num_params(network) == int(row["params_exact_computed"])
    assert millions(num_params(network)) == float(row["params_millions_paper"])
    assert macs(network) == int(row["macs_computed"])
    assert network.blocks_per_group == int(row["N_blocks_per_group_derived"])


@pytest.mark.parametrize("row", rows("table3_deepening_l.csv"), ids=lambda row: row["l_convs_per_block"])
def test_table_3(row: dict[str, str]) -> None:
    block = f"B({row['kernels'].replace('-', ',')})"
    network = Architecture.of(int(row["depth"]), float(row["k"]), block)

    assert num_params(network) == int(row["params_exact_computed"])
    assert millions(num_params(network)) == float(row["params_millions_paper"])
    assert network.deepening_factor == int(row["l_convs_per_block"])


@pytest.mark.parametrize("row", rows("table4_width_grid.csv"), ids=lambda row: f"{row['depth']}-{row['k']}")
def test_table_4(row: dict[str, str]) -> None:
    network = Architecture.of(int(row["depth"]), float(row["k"]))

    assert num_params(network) == int(row["params_exact_c10_computed"])
    assert num_params(network, 100) == int(row["params_exact_c100_computed"])
    assert millions(num_params(network)) == float(row["params_millions_paper"])
    assert macs(network) == int(row["macs_computed"])


THIN = {
    "110": 1_730_522,
    "164": 1_703_258,
    "1001": 10_327_706,
}  # counted on the layers of the authors' resnet-pre-act


@pytest.mark.parametrize(
    "row",
    [row for row in rows("table5_comparison_meanstd.csv") if row["method"] in ("WRN", "pre-act-ResNet")],
    ids=lambda row: f"{row['method']}-{row['depth']}-{row['k']}",
)
def test_table_5(row: dict[str, str]) -> None:
    name = f"WRN-{row['depth']}-{row['k']}" if row["method"] == "WRN" else f"ResNet-{row['depth']}"
    count = num_params(named_network(name))

    if row["depth"] == "1001":  # 10.2 is what He et al. print; their layers have 10.3
        assert count / 1e6 == pytest.approx(float(row["params_millions_paper"]), rel=0.015)
    else:
        assert millions(count) == float(row["params_millions_paper"])
    if row["method"] != "WRN":
        assert count == THIN[row["depth"]]


@pytest.mark.parametrize(
    "row", rows("table6_dropout.csv"), ids=lambda row: f"{row['depth']}-{row['k']}-{row['dropout']}"
)
def test_table_6(row: dict[str, str]) -> None:
    network = Architecture.of(int(row["depth"]), float(row["k"]))

    assert num_params(network) == int(row["params_exact_c10_computed"])


@pytest.mark.parametrize(
    "row", rows("table7_imagenet_width.csv"), ids=lambda row: f"{row['model']}-{row['width']}"
)
def test_table_7(row: dict[str, str]) -> None:
    network = named_network(f"{row['model']}-{row['width']}", "imagenet_resnet")

    assert num_params(network, IMAGENET) == int(row["params_exact_computed"])
    assert millions(num_params(network, IMAGENET)) == float(row["params_millions_paper"])


# pre-ResNet-200 is none of the paper's own networks, and none of ours
@pytest.mark.parametrize(
    "row",
    [row for row in rows("table8_imagenet_bottleneck.csv") if row["model"] != "pre-ResNet-200"],
    ids=lambda row: row["model"],
)
def test_table_8(row: dict[str, str]) -> None:
    name = (
        row["model"] if row["model"].startswith("WRN") else f"WRN-{row['model'].split('-')[1]}-1-bottleneck"
    )
    network = named_network(name)

    assert network.name == name
    assert num_params(network, IMAGENET) == int(row["params_exact_computed"])
    assert abs(num_params(network, IMAGENET) / 1e6 - float(row["params_millions_paper"])) < 0.1
    assert macs(network, IMAGENET, 3, 224) == MACS_AT_224[name]


# torchvision prints GFLOPs of its weights (multiply-adds): 4.09, 7.80, 11.51, 11.40
MACS_AT_224 = {
    "WRN-50-1-bottleneck": 4_089_184_256,
    "WRN-101-1-bottleneck": 7_801_405_440,
    "WRN-152-1-bottleneck": 11_513_626_624,
    "WRN-50-2-bottleneck": 11_398_021_120,
}
