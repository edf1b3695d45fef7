"""Sizes of many networks at once against the closed forms one by one, and the lattice against looking at each."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrn_search.networks.architecture import Architecture, depth_problem, depth_step
from wrn_search.networks.lattice import Candidates, lattice_of
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.networks.sizes_of_many import ImageKind, sizes_of_many

CIFAR = ImageKind(10, 32, 32, 3)
BLOCKS = ((3, 3), (3, 1, 3), (3,), (3, 3, 3))


@given(
    st.lists(st.sampled_from([1, 3, 5]), min_size=1, max_size=4).map(tuple),
    st.lists(st.integers(1, 200), min_size=1, max_size=3),
    st.lists(st.floats(1 / 16, 100), min_size=1, max_size=3),
    st.builds(ImageKind, st.integers(2, 1000), st.integers(1, 64), st.integers(1, 64), st.integers(1, 4)),
)
def test_many_have_the_sizes_that_each_has(kernels, blocks, widths, images) -> None:
    depths = [4 + depth_step(kernels) * count for count in blocks]

    found = sizes_of_many(depths, widths, kernels, images)

    for (row, depth), (column, k) in itertools.product(enumerate(depths), enumerate(widths)):
        network = Architecture(depth, k, kernels)
        size = (images.height, images.width)
        assert found.num_params[row, column] == num_params(network, images.num_classes, images.channels)
        assert found.macs[row, column] == macs(network, images.num_classes, images.channels, size)


@pytest.mark.parametrize(
    "budgets",
    [
        (("num_params", 1e5, 1e6),),
        (("macs", 0.0, 4e7),),
        (("num_params", 2e5, 4e5), ("macs", 3e7, 7e7)),
        (("num_params", 0.0, math.inf),),
    ],
)
def test_the_lattice_is_what_meets_all_budgets(budgets) -> None:
    candidates = Candidates(BLOCKS, tuple(range(5, 60)), tuple(place / 4 for place in range(1, 20)))
    every = [
        Architecture(depth, k, kernels)
        for kernels in BLOCKS
        for depth in candidates.depths
        if not depth_problem(depth, kernels)
        for k in candidates.widen_factors
    ]
    size = {"num_params": num_params, "macs": macs}
    inside = [n for n in every if all(low <= size[name](n) <= high for name, low, high in budgets)]

    lattice = lattice_of(candidates, budgets, CIFAR)

    assert list(lattice) == [lattice[place] for place in range(len(lattice))] == inside
    fewest, most = min(map(num_params, inside)), max(map(num_params, inside))
    assert {num_params(each) for each in lattice.extremes} >= {fewest, most}
    assert {macs(each) for each in lattice.extremes} >= {min(map(macs, inside)), max(map(macs, inside))}
    assert {each.depth for each in lattice.extremes} >= {
        min(n.depth for n in inside),
        max(n.depth for n in inside),
    }


def test_of_an_empty_lattice_the_nearest_network_is_told() -> None:
    candidates = Candidates(((3, 3),), (16, 22, 28, 40), (1.0, 2.0, 4.0))

    lattice = lattice_of(candidates, (("num_params", 2.3e6, 2.4e6),), CIFAR)

    assert (len(lattice), lattice.nearest) == (0, Architecture(40, 2.0))  # 2,243,546
    assert lattice_of(Candidates(((3, 3),), (11,), (1.0,)), (), CIFAR).nearest is None
