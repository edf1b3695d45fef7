"""The rule that ties depth, block and number of blocks together, against the paper's tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrn_search.networks.architecture import Architecture, block_name, depth_problem, depth_step, parse_block

GOLDENS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "architectures.json").read_text())[
    "architectures"
]


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: f"{golden['depth']}-{golden['block']}")
def test_the_papers_networks_have_its_number_of_blocks(golden: dict[str, Any]) -> None:
    architecture = Architecture.of(golden["depth"], golden["widen_factor"], golden["block"])

    assert architecture.blocks_per_group == golden["blocks_per_group"]
    assert architecture.block == golden["block"]


def test_depth_of_3x3_blocks_counts_the_first_convolution_and_three_projections() -> None:
    """Table 1: WRN-28 is 1 + 3 + 24 convolutions, with two in each of four blocks in each of three groups."""
    architecture = Architecture.of(28, 10)

    assert 1 + 3 + 3 * architecture.blocks_per_group * architecture.deepening_factor == 28


@pytest.mark.parametrize(
    ("widen_factor", "widths"),
    [
        (1, (16, 32, 64)),
        (10, (160, 320, 640)),
        (1.3, (20, 41, 83)),
        (0.0625, (1, 2, 4)),
        (1.05, (16, 33, 67)),
    ],
)
def test_widths_are_whole_parts(widen_factor: float, widths: tuple[int, int, int]) -> None:
    assert Architecture.of(16, widen_factor).widths == widths


@pytest.mark.parametrize(
    ("architecture", "name"),
    [
        (Architecture.of(28, 10), "WRN-28-10"),
        (Architecture.of(16, 1.5), "WRN-16-1.5"),
        (Architecture.of(40, 2, "B(3,1,3)"), "WRN-40-2-B(3,1,3)"),
        (Architecture.of(40, 2, "B(3)"), "WRN-40-2-B(3)"),
    ],
)
def test_names_are_those_of_the_paper(architecture: Architecture, name: str) -> None:
    assert architecture.name == name


@pytest.mark.parametrize(
    ("depth", "block", "text"),
    [
        (20, "B(3,3)", r"depth must be 6\*N \+ 4 with block B\(3,3\) \(nearest: 16 or 22\), but got 20"),
        (4, "B(3,3)", r"depth must be 6\*N \+ 4 with block B\(3,3\) \(nearest: 10 or 16\), but got 4"),
        (28, "B(3,3,3)", r"depth must be 9\*N \+ 4 with block B\(3,3,3\) \(nearest: 22 or 31\), but got 28"),
        (13, "B(3,1,3)", r"depth must be 6\*N \+ 4 with block B\(3,1,3\) \(nearest: 10 or 16\), but got 13"),
        (10_006, "B(3,3)", r"depth <= 10000 must hold, but got 10006"),
    ],
)
def test_a_depth_that_no_network_has_is_refused(depth: int, block: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Architecture.of(depth, 1, block)


@pytest.mark.parametrize("widen_factor", [0, -1, 0.06, 100.5, float("nan"), float("inf")])
def test_a_widening_factor_out_of_range_is_refused(widen_factor: float) -> None:
    with pytest.raises(ValueError, match=rf"widen_factor <= 100 must hold, but got {widen_factor:g}"):
        Architecture.of(16, widen_factor)


@pytest.mark.parametrize("block", ["", "B()", "B(2,3)", "3,3", "B(3,)", "B(3;3)", f"B({','.join('3' * 17)})"])
def test_text_that_is_no_block_is_refused(block: str) -> None:
    with pytest.raises(ValueError, match=r"block must be B\(\.\.\.\)"):
        parse_block(block)


@given(st.lists(st.sampled_from([1, 3, 5]), min_size=1, max_size=16).map(tuple))
def test_a_block_survives_writing_and_reading(kernels: tuple[int, ...]) -> None:
    assert parse_block(block_name(kernels)) == kernels


@given(st.lists(st.sampled_from([1, 3, 5]), min_size=1, max_size=5).map(tuple), st.integers(-5, 200))
def test_a_depth_is_fine_exactly_when_some_number_of_blocks_gives_it(
    kernels: tuple[int, ...], depth: int
) -> None:
    possible = {4 + depth_step(kernels) * blocks for blocks in range(1, 100)}

    assert (depth_problem(depth, kernels) == "") == (depth in possible)
