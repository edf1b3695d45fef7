"""Times beside the paper's: ratios to one network, in text and for programs."""

from __future__ import annotations

import pytest

from wrn_search.networks.network_names import named_network
from wrn_search.paper.figure4 import figure4_milliseconds
from wrn_search.speed.beside_figure4 import plain_values, speed_lines, speed_rows
from wrn_search.speed.timed_networks import Batch, Setting, Timed

SETTING = Setting("cpu", "fp32", threads=2, rounds=3)


def timed(**milliseconds: tuple[float, ...]) -> list[Timed]:
    """Of networks whose names have underscores for dashes."""
    names = {name.replace("_", "-"): values for name, values in milliseconds.items()}
    return [Timed(named_network(name), Batch(32, (32, 32, 3), 10), values) for name, values in names.items()]


def test_the_figure_holds_the_papers_five_networks() -> None:
    assert figure4_milliseconds() == {
        "ResNet-164": 85,
        "ResNet-1001": 512,
        "WRN-40-4": 68,
        "WRN-16-10": 164,
        "WRN-28-10": 312,
    }
    assert all(named_network(name).name == name for name in figure4_milliseconds())


def test_ratios_are_to_wrn_40_4_here_and_in_the_paper() -> None:
    reference, rows = speed_rows(timed(ResNet_1001=(900.0, 800.0, 1000.0), WRN_40_4=(100.0, 90.0, 120.0)))

    assert reference == "WRN-40-4"
    assert [row.ratio for row in rows] == [9.0, 1.0]
    assert rows[0].paper_ratio == pytest.approx(512 / 68)  # "8 times as fast"
    assert (rows[0].low, rows[0].median, rows[0].high) == (800, 900, 1000)
    assert rows[1].milliseconds_per_gmac == pytest.approx(100 / 1.298582016)


def test_without_wrn_40_4_the_first_network_is_the_reference() -> None:
    reference, rows = speed_rows(timed(WRN_10_1=(10.0,), ResNet_164=(30.0,)))

    assert reference == "WRN-10-1"
    assert [(row.ratio, row.paper_milliseconds, row.paper_ratio) for row in rows] == [
        (1.0, None, None),
        (3.0, 85.0, None),  # the paper did not time the reference
    ]


def test_the_table_and_the_plain_values_say_the_same() -> None:
    measured = timed(WRN_40_4=(100.0, 90.0, 120.0), ResNet_164=(150.0, 130.0, 170.0))
    lines = speed_lines(measured, SETTING, "a CPU")
    values = plain_values(measured, SETTING, "a CPU")

    assert lines[0] == "forward + backward of 32 images, fp32, a CPU, 2 threads"
    assert lines[-1].split() == [
        "ResNet-164",
        "1.7",
        "M",
        "0.24",
        "150",
        "130",
        "to",
        "170",
        "613",
        "1.50",
        "1.25",
    ]
    assert values["reference"] == "WRN-40-4"
    assert [row["ratio"] for row in values["networks"]] == [1.0, 1.5]
    assert [row["paper_ratio"] for row in values["networks"]] == [1.0, 1.25]
    assert values["networks"][1]["num_params"] == 1_703_258
