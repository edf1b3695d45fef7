"""What the plan and the start of a search say of the machine's memory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from wrn_search.decisions.memory_of_the_machine import MachineMemory
from wrn_search.decisions.trials_at_once import Allotment, allot
from wrn_search.forecast.facts_before_preparation import known_facts
from wrn_search.hardware import control_groups
from wrn_search.hardware.detected_cores_and_gpus import local_node
from wrn_search.hardware.machine import Node
from wrn_search.memory.trial_on_cpu import DRIVER_BYTES
from wrn_search.session.dry_run import dry_run
from wrn_search.session.search_request import memory_of
from wrn_search.space.space_file import space_from_mapping

GB = 10**9


def _memory(room: int, **training: Any) -> MachineMemory:
    model = {"depth": {"choice": [16, 40]}, "widen_factor": {"choice": [1, 10]}}
    space = space_from_mapping(
        {"name": "planned", "model": model, "training": {"precision": "fp32", **training}}
    )
    memory = memory_of(space, known_facts(space), [Node(64, memory_bytes=room + DRIVER_BYTES)])
    assert memory is not None
    return memory


def _allotment(memory: MachineMemory, **resources: Any) -> Allotment:
    space = space_from_mapping({"name": "planned", "resources": resources, "model": {"depth": 16}})
    node = Node(64, memory_bytes=memory.offered)
    return allot(space.resources, [node], 64, 64, False, 0, memory.least)


def test_the_smallest_and_the_largest_trial_are_told() -> None:
    memory = _memory(60 * GB)
    assert memory.least < memory.most < 60 * GB
    assert memory.largest == "WRN-40-10 at batch_size 128"
    allotment = _allotment(memory)
    assert (
        memory.text(allotment)
        == f", by memory: about {memory.least / 1e9:.1f} to {memory.most / 1e9:.1f} GB a trial of 60.0 GB"
    )
    assert memory.may_wait(allotment)
    assert memory.remarks(allotment) == []


def test_more_at_once_than_fit_are_warned_of_and_not_refused() -> None:
    memory = _memory(60 * GB)
    allotment = _allotment(memory, concurrent=64)
    assert allotment.concurrent == 64
    (line,) = memory.remarks(allotment)
    assert line.startswith(
        f"resources.concurrent: 64 trials at once may take {64 * memory.most / 1e9:.1f} GB"
    )
    assert "60.0 of 62.1 GB" in line
    assert memory.remarks(_allotment(memory, concurrent=2)) == []


def test_one_trial_that_does_not_fit_is_warned_of() -> None:
    memory = _memory(4 * GB, batch_size={"choice": [64, 512]})
    (line,) = memory.remarks(_allotment(memory))
    assert line.startswith("a trial of WRN-40-10 at batch_size 512 is predicted to take ")


def test_of_what_is_not_known_nothing_is_said() -> None:
    space = space_from_mapping({"name": "planned", "model": {"depth": 16}})
    facts = known_facts(space)
    assert memory_of(space, facts, [Node(4), Node(4, memory_bytes=GB)]) is None
    assert memory_of(space, None, [Node(4, memory_bytes=GB)]) is None
    memory = _memory(60 * GB)
    on_gpus = Allotment(8, 1, 1 / 8, by_memory=True)
    assert (memory.text(on_gpus), memory.remarks(on_gpus)) == ("", [])


def test_the_plan_of_a_search_goes_by_the_limit_of_a_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two gigabytes for a container: one small trial at once, whatever cores and memory the machine has."""
    (tmp_path / "memory.max").write_text(f"{2 * 2**30}\n")
    monkeypatch.setattr(control_groups, "CGROUPS", tmp_path)
    monkeypatch.setattr(control_groups, "OWN_CGROUPS", tmp_path / "none")
    space = {
        "name": "planned",
        "dataset": {"name": "digits"},
        "model": {"depth": 10, "widen_factor": {"choice": [0.25, 0.5]}},
        "search": {"trials": 4, "searcher": "random"},
    }
    plan = dry_run(space, results=tmp_path / "new")
    assert re.search(r"hardware .* 1 trial at once, .*, by memory: about 0\.7 GB a trial of 1\.1 GB", plan)
    asked = dry_run(
        space, overrides=[f"resources.concurrent={min(2, local_node().cpus)}"], results=tmp_path / "new"
    )
    assert ("warning       resources.concurrent: 2 trials at once may take" in asked) == (
        local_node().cpus > 1
    )
