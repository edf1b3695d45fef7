"""Families of networks: their depths and blocks, their names, and what is refused with the nearest that exists."""

from __future__ import annotations

import pytest
import torch

from tests.counting import counted_macs, counted_params, meta_network
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.lattice import Candidates, lattice_of
from wrn_search.networks.network_names import exact_name, named_network
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.networks.sizes_of_many import ImageKind

NAMED = {
    "WRN-28-10": Architecture(28, 10.0),
    "WRN-40-2-B(3,1,3)": Architecture(40, 2.0, (3, 1, 3)),
    "WRN-34-2": Architecture(34, 2.0),
    "ResNet-110": Architecture(110, 1.0, (3, 3), "preact_resnet"),
    "ResNet-164": Architecture(164, 1.0, (1, 3, 1), "preact_resnet"),
    "ResNet-1001": Architecture(1001, 1.0, (1, 3, 1), "preact_resnet"),
    "ResNet-1202": Architecture(1202, 1.0, (3, 3), "preact_resnet"),
    "ResNet-164-basic": Architecture(164, 1.0, (3, 3), "preact_resnet"),
    "ResNet-110-bottleneck": Architecture(110, 1.0, (1, 3, 1), "preact_resnet"),
    "WRN-18-1.5": Architecture(18, 1.5, (3, 3), "imagenet_resnet"),
    "WRN-34-2-basic": Architecture(34, 2.0, (3, 3), "imagenet_resnet"),
    "WRN-50-2-bottleneck": Architecture(50, 2.0, (1, 3, 1), "imagenet_resnet"),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_name_is_read_as_the_network_that_has_it(name: str) -> None:
    assert named_network(f" {name} ") == NAMED[name]
    assert exact_name(NAMED[name]) == name


def test_a_name_that_two_families_have_is_told_apart_by_the_block_or_the_family() -> None:
    other = named_network("WRN-34-2", "imagenet_resnet")

    assert other == NAMED["WRN-34-2-basic"]
    assert other.name == "WRN-34-2"  # as the paper calls both
    assert named_network("WRN-18-1.5-basic").name == "WRN-18-1.5"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WRN-17-2", r"depth must be 6\*N \+ 4 with block B\(3,3\) \(nearest: 16 or 22\), but got 17"),
        ("ResNet-112", r"depth must be 9\*N \+ 2 with block bottleneck \(nearest: 110 or 119\), but got 112"),
        ("ResNet-60-basic", r"depth must be 6\*N \+ 2 with block basic \(nearest: 56 or 62\), but got 60"),
        ("ResNet-3", r"depth must be 6\*N \+ 2 with block basic \(nearest: 8 or 14\), but got 3"),
        (
            "WRN-40-2-bottleneck",
            r"depth must be 18 or 34 with block basic, or 50, 101 or 152 with block bottleneck",
        ),
        ("WRN-34-2-bottleneck", r"\(nearest: 50 or 101\), but got 34"),
        ("ResNet-164-2", "a widening factor must follow the depth of a WRN, and none that of a ResNet"),
        ("WRN-28", "a widening factor must follow the depth of a WRN"),
        (
            "ResNet-164-B(3,3)",
            r"block must be basic or bottleneck with family preact_resnet \(nearest: basic\)",
        ),
        ("VGG-16", "must be a network such as WRN-28-10, .*, but got 'VGG-16'"),
    ],
)
def test_what_is_no_network_is_refused_with_the_two_nearest_depths(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        named_network(name)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            (16, 1.0, "bottleneck", "wrn"),
            r"block must be B\(...\) with family wrn \(nearest: B\(1,3,1\)\), but got bottl",
        ),
        ((18, 1.0, "B(3,3)", "imagenet_resnet"), r"\(nearest: basic\), but got B\(3,3\)"),
        ((164, 2.0, None, "preact_resnet"), "widen_factor must be 1 with family preact_resnet"),
        ((40, 2.0, None, "imagenet_resnet"), r"\(nearest: 34 or 50\), but got 40"),
        (
            (16, 2.0, None, "wide"),
            "family must be one of wrn, preact_resnet, imagenet_resnet, but got 'wide'",
        ),
    ],
)
def test_what_does_not_apply_to_a_family_is_refused(
    arguments: tuple[int, float, str, str], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        Architecture.of(*arguments)


@pytest.mark.parametrize(("channels", "size"), [(3, 32), (1, 28), (3, 65)])
@pytest.mark.parametrize(
    "name",
    [
        "ResNet-14",
        "ResNet-20-bottleneck",
        "WRN-18-1.5",
        "WRN-34-0.3-basic",
        "WRN-50-2-bottleneck",
        "WRN-101-1-bottleneck",
    ],
)
def test_the_closed_forms_are_what_the_layers_count(name: str, channels: int, size: int) -> None:
    architecture = named_network(name)
    network = meta_network(architecture, 7, channels)

    assert num_params(architecture, 7, channels) == counted_params(network)
    assert macs(architecture, 7, channels, size) == counted_macs(network, channels, size)


def test_the_thin_basic_network_is_a_wide_one_of_width_1() -> None:
    thin, wide = Architecture.of(110, 1, None, "preact_resnet"), Architecture.of(112, 1)

    assert thin.layout == wide.layout
    assert num_params(thin) == num_params(wide) == 1_730_522
    with torch.device("meta"):
        assert meta_network(thin).state_dict().keys() == meta_network(wide).state_dict().keys()


@pytest.mark.parametrize(
    ("candidates", "most", "names"),
    [
        (
            Candidates(((3, 3), (1, 3, 1)), (18, 34, 50), (1.0, 1.5, 2.0), "imagenet_resnet", is_told=False),
            45e6,
            ["WRN-18-1", "WRN-18-1.5", "WRN-34-1", "WRN-50-1-bottleneck", "WRN-50-1.5-bottleneck"],
        ),
        (
            Candidates(((3, 3), (1, 3, 1)), (20, 110, 164, 1001), (1.0,), "preact_resnet", is_told=False),
            5e6,
            ["ResNet-20", "ResNet-110", "ResNet-164"],
        ),
    ],
)
def test_budgets_leave_the_networks_of_a_family_that_meet_them(
    candidates: Candidates, most: float, names: list[str]
) -> None:
    lattice = lattice_of(candidates, (("num_params", 0.0, most),), ImageKind(1000, 32, 32, 3))

    assert [each.name for each in lattice] == names
    assert all(num_params(each, 1000) <= most for each in lattice)
