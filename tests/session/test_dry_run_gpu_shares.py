"""What a dry run says of GPU shares."""

from __future__ import annotations

import re
from typing import Any

from wrn_search.decisions.image_facts import workload_of
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.forecast.facts_before_preparation import known_facts
from wrn_search.hardware.machine import Node
from wrn_search.memory.gpu_shares import share_by_work, smallest_share
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.networks.architecture import Architecture
from wrn_search.session.dry_run_gpu_shares import share_text, trial_text
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping

GB = 10**9
BY_MEMORY = Allotment(8, 1, 1 / 8, by_memory=True)


def _space(**sections: Any) -> Space:
    model = {"depth": {"choice": [16, 40]}, "widen_factor": {"choice": [1, 4, 10]}}
    return space_from_mapping({"name": "planned", "model": model, **sections})


def test_every_network_is_counted_in_the_share_that_holds_it() -> None:
    space = _space()
    facts = known_facts(space)
    assert facts is not None
    text = share_text(space, facts, 16 * GB, "fp32")
    counted = {name: int(count) for name, count in re.findall(r"(1(?:/\d)?) for (\d+) network", text)}
    expected: dict[str, int] = {}
    names = {1 / 8: "1/8", 1 / 4: "1/4", 1 / 2: "1/2", 1.0: "1"}
    for depth in (16, 40):
        for width in (1, 4, 10):
            config = space.trial_config(
                {"depth": depth, "widen_factor": width}, 0, precision="fp32", compile="off"
            )
            workload = workload_of(config, facts)
            share = smallest_share(trial_memory(workload).allocated_bytes, 16 * GB)
            assert share is not None
            share = max(share, share_by_work(workload)[0])
            expected[names[share]] = expected.get(names[share], 0) + 1
    assert counted == expected
    assert len(expected) > 1
    assert re.search(r"up to WRN-40-10 \([45]\.\d GB\), (\d of them )?for their work: each alone keeps", text)


def test_the_plan_says_why_a_share_is_larger_than_its_memory_needs() -> None:
    """In bf16 on 80 GB memory asks an eighth for each: what differs is their work."""
    space = _space()
    facts = known_facts(space)
    assert facts is not None
    text = share_text(space, facts, 80 * GB, "bf16")
    eighth, *larger = text.split("; ")
    assert eighth.startswith("1/8 for 2 networks up to WRN-40-1 (")
    assert "for their work" not in eighth
    assert [part.split(" for ")[0] for part in larger] == ["1/4", "1/2", "1"]
    assert all("for their work: each alone keeps" in part for part in larger)
    assert larger[-1].startswith("1 for 2 networks up to WRN-40-10 (")
    assert larger[-1].endswith(" keeps 100 % of a GPU busy or more")


def test_what_does_not_fit_is_said() -> None:
    space = _space(training={"batch_size": {"choice": [128, 4096]}})
    facts = known_facts(space)
    assert facts is not None
    text = share_text(space, facts, 16 * GB, "fp32")
    assert "predicted not to fit, tried with a whole one" in text
    assert "up to WRN-40-10" in text


def test_a_continuous_space_is_told_by_its_ends() -> None:
    space = _space(model={"depth": 16, "widen_factor": {"uniform": [1, 4]}})
    facts = known_facts(space)
    assert facts is not None
    assert share_text(space, facts, 80 * GB, "bf16").startswith("1/8 for 1 network up to WRN-16-1 (")


def test_the_data_set_on_the_device_is_that_of_cifar() -> None:
    facts = known_facts(_space())
    assert facts is not None
    assert (facts.train_images, facts.validation_images) == (45_000, 5_000)
    assert facts.stored_bytes == 45_000 * (40 * 40 * 3 + 8) + 5_000 * (32 * 32 * 3 + 8)


def test_lines_of_the_plan() -> None:
    nodes = [Node(8, 1, 16 * GB), Node(8, 1, 80 * GB), Node(32)]
    each, lines = trial_text(_space(), nodes, BY_MEMORY, "fp32")
    assert each == "the share of a GPU that its network needs"
    assert [line[:35] for line in lines] == [
        "GPU shares    of 16 GB, predicted: ",
        "GPU shares    of 80 GB, predicted: ",
    ]
    each, lines = trial_text(_space(dataset={"name": "folder"}), nodes, BY_MEMORY, "fp32")
    assert "known once the images are prepared" in each
    assert trial_text(_space(), nodes, Allotment(2, 3, 0.5), "fp32") == ("3 threads and 0.5 of a GPU", [])


def test_the_plan_tells_what_a_trial_takes_of_each_of_its_gpus() -> None:
    nodes = [Node(8, 2, 80 * GB)]
    each, lines = trial_text(_space(), nodes, Allotment(1, 8, 2.0), "fp32")
    assert each == "8 threads and 2 GPUs"
    (line,) = lines
    assert line.startswith("GPU memory    up to ")
    assert " GB on each of 2 GPUs, predicted of WRN-" in line
    told, warning = trial_text(_space(), [Node(8, 2, 10**9)], Allotment(1, 8, 2.0), "fp32")[1]
    assert told == line
    assert warning.startswith("warning       ")
    assert "predicted not to fit 1 GB each; a smaller batch_size takes less" in warning


def test_a_part_of_the_batch_takes_less_than_the_whole() -> None:
    space = _space(model={"depth": 16, "widen_factor": 4}, training={"batch_size": 512})
    facts = known_facts(space)
    assert facts is not None
    config = space.trial_config({}, 0, precision="fp32", compile="off")
    peaks = [trial_memory(workload_of(config, facts, gpus)).allocated_bytes for gpus in (0.5, 1, 2, 4)]
    assert peaks[0] == peaks[1] > peaks[2] > peaks[3]


def test_a_workload_is_what_its_config_says() -> None:
    space = _space(model={"depth": 16, "dropout": 0.2}, training={"batch_size": 64, "momentum": 0.0})
    facts = known_facts(space)
    assert facts is not None
    workload = workload_of(space.trial_config({}, 0, precision="bf16", compile="off"), facts)
    assert workload == Workload(
        Architecture.of(16, workload.architecture.widen_factor),
        10,
        (32, 32, 3),
        64,
        "bf16",
        0.2,
        0.0,
        45_000,
        facts.stored_bytes,
        5_000,
    )
