"""Counts in closed form against the paper's numbers, and against networks that were really built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.counting import counted_macs, counted_params, meta_network
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs, num_params

GOLDENS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "architectures.json").read_text())[
    "architectures"
]


def name_of(golden: dict[str, Any]) -> str:
    return f"{golden['depth']}-{golden['widen_factor']}-{golden['block']}"


def architecture_of(golden: dict[str, Any]) -> Architecture:
    return Architecture.of(golden["depth"], golden["widen_factor"], golden["block"])


@pytest.mark.parametrize("golden", GOLDENS, ids=name_of)
def test_the_closed_form_gives_the_known_counts(golden: dict[str, Any]) -> None:
    architecture = architecture_of(golden)

    assert num_params(architecture) == golden["num_params_10"]
    assert num_params(architecture, num_classes=100) == golden["num_params_100"]
    assert macs(architecture) == golden["macs"]


@pytest.mark.parametrize("golden", GOLDENS, ids=name_of)
def test_a_built_network_has_the_known_counts(golden: dict[str, Any]) -> None:
    architecture = architecture_of(golden)
    network = meta_network(architecture)

    assert counted_params(network) == golden["num_params_10"]
    assert counted_params(meta_network(architecture, num_classes=100)) == golden["num_params_100"]
    assert counted_macs(network, in_channels=3, image_size=32) == golden["macs"]


def test_the_authors_own_log_of_wrn_40_4_counts_the_same() -> None:
    assert num_params(Architecture.of(40, 4)) == 8_949_210


@pytest.mark.parametrize("image_size", [1, 7, 8, 28, 33, 96])
@pytest.mark.parametrize("in_channels", [1, 3])
@pytest.mark.parametrize("widen_factor", [0.0625, 0.5, 1, 1.3, 2.75])
def test_odd_sizes_grey_images_and_fractional_factors(
    widen_factor: float, in_channels: int, image_size: int
) -> None:
    architecture = Architecture.of(16, widen_factor)
    network = meta_network(architecture, num_classes=7, in_channels=in_channels)

    assert counted_params(network) == num_params(architecture, 7, in_channels)
    assert counted_macs(network, in_channels, image_size) == macs(architecture, 7, in_channels, image_size)


kernel_lists = st.lists(st.sampled_from([1, 3, 5]), min_size=1, max_size=4).map(tuple)


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    kernels = draw(kernel_lists)
    step = 3 * len(kernels) if set(kernels) == {3} else 6
    blocks_per_group = draw(st.integers(1, 3))
    return Architecture(step * blocks_per_group + 4, draw(st.floats(1 / 16, 6)), kernels)


@settings(max_examples=60, deadline=None)
@given(architectures(), st.integers(1, 200), st.integers(1, 4), st.integers(1, 70))
def test_any_architecture_counts_as_it_is_built(
    architecture: Architecture, num_classes: int, in_channels: int, image_size: int
) -> None:
    network = meta_network(architecture, num_classes, in_channels)

    assert counted_params(network) == num_params(architecture, num_classes, in_channels)
    assert counted_macs(network, in_channels, image_size) == macs(
        architecture, num_classes, in_channels, image_size
    )


def test_doubling_k_multiplies_the_work_by_almost_four() -> None:
    narrow, wide = macs(Architecture.of(40, 8)), macs(Architecture.of(40, 16))

    assert 3.9 < wide / narrow < 4
