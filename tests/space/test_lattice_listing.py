"""`check --lattice`: a row a network, its sizes where they are known, and what it is told without a list."""

from __future__ import annotations

import pytest

from tests.space.spaces import space
from wrn_search.errors import InputError
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.space.lattice_listing import MOST_ROWS, lattice_rows, lattice_text


def test_a_row_has_the_sizes_of_its_network() -> None:
    made = space("model: {network: [WRN-40-2, 'WRN-16-1-B(3,1,3)']}")

    rows = lattice_rows(made, made.dataset.facts)

    wide = Architecture(40, 2.0)
    assert rows[0] == {
        "network": "WRN-40-2",
        "depth": 40,
        "widen_factor": 2.0,
        "block": "B(3,3)",
        "num_params": num_params(wide),
        "macs": macs(wide),
        "depth_width_ratio": 20.0,
    }
    assert [row["network"] for row in rows] == ["WRN-40-2", "WRN-16-1-B(3,1,3)"]
    assert lattice_text(made, made.dataset.facts).splitlines()[2].split() == [
        "WRN-40-2", "2,243,546", "327,599,360", "20.0",
    ]  # fmt: skip


def test_a_long_one_is_cut_and_says_so() -> None:
    made = space(
        "model: {depth: {int: [10, 100, 6]}, widen_factor: {uniform: [1, 10]}}\nconstraints: {multiple_of: 1}"
    )

    lines = lattice_text(made, made.dataset.facts).splitlines()

    assert len(lines) == MOST_ROWS + 2
    assert lines[0] == "lattice       2,320 networks, the first 1000 of them below (--json has all)"
    assert len(lattice_rows(made, made.dataset.facts)) == 2320


def test_where_only_files_tell_sizes_are_not_known() -> None:
    made = space("dataset: {name: folder, validation: 10}\nmodel: {network: [WRN-10-1, WRN-16-1]}")

    assert [row["num_params"] for row in lattice_rows(made, made.dataset.facts)] == [None, None]
    assert "only the files tell" in lattice_text(made, made.dataset.facts)


def test_a_product_of_depths_and_widths_has_no_list() -> None:
    made = space("model: {depth: {choice: [10, 16]}}")

    with pytest.raises(InputError, match="needs a space with constraints or with a choice"):
        lattice_rows(made, made.dataset.facts)
