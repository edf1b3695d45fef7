"""A search that is to minimise energy is refused at its start where nothing can measure it, with what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.cluster.node_check import Look, energy_problems
from wrn_search.errors import InputError
from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer
from wrn_search.hardware.machine import Node
from wrn_search.session.dry_run import dry_run
from wrn_search.session.plan.measured_objectives import check_energy, offers_of
from wrn_search.session.search_run import run

COUNTS = ArithmeticOnOffer(True, True, ((9, 0),))
DIVIDED = ArithmeticOnOffer(True, True, ((9, 0),), "a GPU is divided (MIG), and its counter is of the whole")
SPACE: dict[str, Any] = {
    "name": "watts",
    "dataset": {"name": "digits"},
    "objectives": ["val_error", "energy_kwh"],
    "resources": {"concurrent": 1},
}


@pytest.mark.parametrize("begin", [dry_run, run])
def test_a_machine_without_gpus_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: Any
) -> None:
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    with pytest.raises(InputError) as caught:
        begin(SPACE, results=tmp_path / "out")
    assert [str(problem) for problem in caught.value.problems] == [
        "objectives: energy_kwh is told by the counters of GPUs (NVML), but trials train on CPUs; write "
        "seconds_per_epoch or macs"
    ]
    assert not (tmp_path / "out").exists()


def test_every_node_without_counters_is_named() -> None:
    offers = [
        ("a", COUNTS),
        ("b", DIVIDED),
        ("head", ArithmeticOnOffer(True, True, (), "there is no driver")),
    ]
    check_energy(["num_params"], 1.0, offers)
    check_energy(["energy_kwh"], 1.0, [offers[0], offers[2]])  # a head without GPUs does not train
    with pytest.raises(InputError) as caught:
        check_energy(["energy_kwh"], 1.0, offers)
    assert [str(problem) for problem in caught.value.problems] == [
        "objectives: energy_kwh needs the energy counters of the GPUs (NVML), but on b: a GPU is divided (MIG), and "
        "its counter is of the whole"
    ]


def test_gpus_in_name_only_have_no_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_SIMULATED_GPUS", "1")
    with pytest.raises(InputError, match="but trials train on GPUs that are there in name only"):
        check_energy(["energy_kwh"], 1.0, [("a", COUNTS)])


def test_a_node_that_joins_without_counters_is_not_used() -> None:
    look = Look({}, arithmetic=DIVIDED)
    assert energy_problems("late", look, ["macs"], on_gpus=True) == []
    assert energy_problems("late", look, ["energy_kwh"], on_gpus=False) == []
    assert energy_problems("late", Look({}, arithmetic=COUNTS), ["energy_kwh"], on_gpus=True) == []
    (problem,) = energy_problems("late", look, ["energy_kwh"], on_gpus=True)
    assert str(problem).endswith("but on late: a GPU is divided (MIG), and its counter is of the whole")


def test_nodes_that_answered_are_asked_and_else_this_machine() -> None:
    node = LivingNode("1", "a", Node(8, 1), COUNTS)
    assert offers_of([node, LivingNode("2", "b", Node(8, 1))]) == [
        ("a (a)" if node.name != "a" else "a", COUNTS)
    ]
    assert len(offers_of([])) == 1
