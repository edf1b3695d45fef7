"""Constraints that the machine decides: which networks are predicted to keep to them, and what is told of none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.forecast.test_pace import HERE, table
from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.errors import InputError
from wrn_search.forecast.feasible_networks import Feasible, feasible_space
from wrn_search.forecast.forecast_here import Machines
from wrn_search.hardware.machine import Node
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.trial_on_cpu import trial_bytes_on_cpu
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.parameters_and_macs import macs
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping

FACTS = DatasetFacts(10, (8, 8, 1), 1497)
DATA = DataFacts(10, (8, 8, 1), 300, 90.0, 1197)
MODEL = {"depth": {"choice": [10, 16, 22]}, "widen_factor": {"choice": [0.5, 1, 2, 4]}}
IMAGES = 1197 + 300 / 3  # an epoch in images trained on: those that validate count a third


def space_of(constraints: dict[str, Any], **sections: Any) -> Space:
    document = {"name": "s", "dataset": {"name": "digits"}, "model": MODEL, "constraints": constraints}
    return space_from_mapping(document | sections)


def size_of(network: Architecture) -> int:
    return macs(network, 10, 1, (8, 8))


def feasible(space: Space, folder: Path, networks: Sequence[Architecture] = ()) -> Feasible | None:
    """On a machine on which a million multiply-adds take a millisecond, in proportion."""
    if not (folder / "old").exists():
        every = [(size_of(network), 1e9 / size_of(network), HERE, "cpu", 1) for network in (*ALL, *networks)]
        table(folder / "old", every)
    machines = Machines([Node(2, 0)], folder)
    return feasible_space(space, FACTS, DATA, Allotment(2, 1, 0.0), machines, "fp32")


ALL = [Architecture.of(depth, k, "B(3,3)") for depth in (10, 16, 22) for k in (0.5, 1.0, 2.0, 4.0)]


def test_without_such_constraints_nothing_is_predicted(tmp_path: Path) -> None:
    assert feasible(space_of({"num_params": {"max": 1e9}}), tmp_path) is None


@pytest.mark.parametrize("most", [1.0, 3.0, 10.0, 1e6])
def test_seconds_leave_what_one_by_one_is_fast_enough(tmp_path: Path, most: float) -> None:
    found = feasible(space_of({"seconds_per_epoch": {"max": most}}), tmp_path)
    assert found is not None
    wanted = {network for network in ALL if size_of(network) * IMAGES / 1e9 <= most}
    assert set(found.space.networks or ()) == wanted
    assert (found.kept, found.of) == (len(wanted), 12)
    assert found.line.endswith("(seconds from 12 earlier trials on this machine)")


def test_memory_is_that_of_the_largest_batch_and_of_the_device(tmp_path: Path) -> None:
    def bytes_of(network: Architecture) -> int:
        workload = Workload(
            network, 10, (8, 8, 1), 256, train_images=1197, validation_images=300, device="cpu"
        )
        return trial_bytes_on_cpu(workload)

    limit = sorted(map(bytes_of, ALL))[6]
    training = {"batch_size": {"choice": [32, 256]}}
    found = feasible(space_of({"peak_memory_bytes": {"max": limit}}, training=training), tmp_path)
    assert found is not None
    assert set(found.space.networks or ()) == {network for network in ALL if bytes_of(network) <= limit}
    on_gpu = Workload(ALL[0], 10, (8, 8, 1), 256, train_images=1197, validation_images=300)
    least = trial_memory(on_gpu).allocated_bytes
    space = space_of({"peak_memory_bytes": {"max": least}}, training=training)
    machines = Machines([Node(2, 1)], tmp_path)
    found = feasible_space(space, FACTS, DATA, Allotment(1, 1, 1.0), machines, "fp32")
    assert found is not None
    assert list(found.space.networks or ()) == [ALL[0]]


def test_memory_is_that_of_the_optimiser_and_the_micro_batches_that_take_most(tmp_path: Path) -> None:
    training = {
        "optimizer": {"choice": ["adamw", "sgd"]},
        "sam": {"choice": [0, 0.05]},
        "ema": {"choice": [0.99, 0]},
        "gradient_accumulation": {"choice": [1, 4]},
    }
    most = Workload(
        *(ALL[-1], 10, (8, 8, 1), 128),
        train_images=1197,
        validation_images=300,
        device="cpu",
        optimizer="adamw",
        sam=0.05,
        ema=0.99,
    )
    limit = trial_bytes_on_cpu(most)
    space = space_of({"peak_memory_bytes": {"max": limit}}, training=training)
    found = feasible(space, tmp_path)
    assert found is not None
    assert ALL[-1] in list(found.space.networks or ())
    below = feasible(space_of({"peak_memory_bytes": {"max": limit - 1}}, training=training), tmp_path)
    assert below is not None
    assert ALL[-1] not in list(below.space.networks or ())


def test_several_constraints_hold_together_and_with_those_that_are_counted(tmp_path: Path) -> None:
    constraints = {"seconds_per_epoch": {"min": 1, "max": 10}, "num_params": {"max": 3e5}}
    found = feasible(space_of(constraints), tmp_path)
    assert found is not None
    networks = list(found.space.networks or ())
    assert networks
    assert all(1 <= size_of(network) * IMAGES / 1e9 <= 10 for network in networks)
    assert found.of < 12, "what has too many parameters was no candidate"


def test_what_is_left_stands_in_the_document_and_is_proposed_alone(tmp_path: Path) -> None:
    found = feasible(space_of({"seconds_per_epoch": {"max": 3.0}}), tmp_path)
    assert found is not None
    again = space_from_mapping(found.space.to_document())
    assert again == found.space
    assert list(again.networks or ()) == list(found.space.networks or ())
    outside = {"depth": 22, "widen_factor": 4.0}
    assert again.point_of(outside) is None


def test_a_list_of_networks_is_looked_through(tmp_path: Path) -> None:
    model = {"network": {"choice": ["WRN-10-4", "WRN-22-0.5", "WRN-16-4"]}}
    limit = size_of(ALL[8]) * IMAGES / 1e9 * 1.01
    found = feasible(space_of({"seconds_per_epoch": {"max": limit}}, model=model), tmp_path)
    assert found is not None
    assert found.space.listed is not None
    assert [network.name for network in found.space.listed.networks] == ["WRN-22-0.5"]
    alone = feasible(
        space_of({"seconds_per_epoch": {"max": limit}}, model={"depth": 22, "widen_factor": 0.5}), tmp_path
    )
    assert alone is not None
    assert (alone.kept, alone.of) == (1, 1)


def test_of_none_the_nearest_is_told(tmp_path: Path) -> None:
    fastest = size_of(ALL[0]) * IMAGES / 1e9
    with pytest.raises(InputError) as caught:
        feasible(space_of({"seconds_per_epoch": {"max": 0.01}}), tmp_path)
    assert str(caught.value) == (
        "constraints.seconds_per_epoch: some network of the space must have seconds_per_epoch: {max: 0.01}, but none "
        f"of 12 has by prediction: the nearest is WRN-10-0.5 with {fastest:.3g} s an epoch (seconds from 12 earlier "
        "trials on this machine)"
    )
    with pytest.raises(InputError, match=r"the nearest is WRN-22-4 with .* an epoch and .* bytes"):
        feasible(space_of({"seconds_per_epoch": {"min": 1e4}, "peak_memory_bytes": {"max": 1e12}}), tmp_path)
    space, nowhere = space_of({"seconds_per_epoch": {"max": 1}}), Machines([Node(2, 0)], tmp_path / "x")
    with pytest.raises(InputError, match="nothing tells its pace"):
        feasible_space(space, FACTS, DATA, Allotment(1, 1, 0.0), nowhere, "fp32")


def test_points_of_the_file_must_be_feasible(tmp_path: Path) -> None:
    points = [{"depth": 22, "widen_factor": 4}]
    constraints = {"seconds_per_epoch": {"max": 3.0}}
    with pytest.raises(InputError, match=r"search\.points"):
        feasible(space_of(constraints, search={"points": points}), tmp_path)
    with pytest.raises(InputError, match=r"constraints\.seconds_per_epoch"):
        feasible(space_of(constraints, model={}, search={"points": points, "searcher": "grid"}), tmp_path)


def test_a_fine_lattice_is_looked_through_in_no_time(tmp_path: Path) -> None:
    model = {"depth": {"int": [10, 100, 6]}, "widen_factor": {"uniform": [0.1, 20]}}
    space = space_of({"peak_memory_bytes": {"max": 9e8}, "seconds_per_epoch": {"max": 30}}, model=model)
    found = feasible(
        space, tmp_path, [Architecture.of(100, 20.0, "B(3,3)"), Architecture.of(10, 0.125, "B(3,3)")]
    )
    assert found is not None
    assert 0 < found.kept < found.of
    assert found.of > 4000
