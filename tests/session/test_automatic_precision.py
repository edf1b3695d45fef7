from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.decisions.playing import conductor_of, new_record, space_of
from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.errors import InputError
from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer
from wrn_search.hardware.machine import Node
from wrn_search.session import dry_run as plans
from wrn_search.session.automatic_precision import check_arithmetic, resolved_precision
from wrn_search.session.plan import measured_objectives
from wrn_search.space.sections.training_keys import TrainingSettings

CIFAR, DIGITS = (32, 32, 3), (8, 8, 1)
FAST = ArithmeticOnOffer(fast_bf16=True, compiler=True, cuda_capabilities=())
SLOW = ArithmeticOnOffer(fast_bf16=False, compiler=True, cuda_capabilities=())
T4 = ArithmeticOnOffer(fast_bf16=True, compiler=True, cuda_capabilities=((7, 5),))
H100 = ArithmeticOnOffer(fast_bf16=False, compiler=True, cuda_capabilities=((9, 0), (9, 0)))
SILENT = ArithmeticOnOffer(fast_bf16=True, compiler=True, cuda_capabilities=None)


@pytest.mark.parametrize(("machine", "best"), [(FAST, "bf16"), (SLOW, "fp32")])
def test_auto_on_cpu_is_bf16_where_it_is_fast_and_pays(machine: ArithmeticOnOffer, best: str) -> None:
    assert resolved_precision("auto", CIFAR, 0.0, [machine]) == best
    assert resolved_precision("auto", (64, 48, 3), 0.0, [machine]) == best
    assert resolved_precision("auto", DIGITS, 0.0, [machine]) == "fp32"


@pytest.mark.parametrize("machine", [FAST, SLOW, H100])
def test_what_is_asked_for_is_taken(machine: ArithmeticOnOffer) -> None:
    for asked in ("fp32", "tf32", "bf16", "fp16"):
        assert resolved_precision(asked, DIGITS, 0.0, [machine]) == asked


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_auto_on_cuda_goes_by_its_capability(capability: tuple[int, int], expected: str) -> None:
    machine = ArithmeticOnOffer(fast_bf16=False, compiler=False, cuda_capabilities=(capability,))
    assert resolved_precision("auto", DIGITS, 0.5, [machine]) == expected


@pytest.mark.parametrize(
    ("machines", "gpu_fraction", "expected"),
    [
        ([FAST, SLOW], 0.0, "fp32"),
        ([SLOW, FAST], 0.0, "fp32"),
        ([FAST, FAST], 0.0, "bf16"),
        ([H100, T4], 0.5, "fp32"),
        ([H100, H100], 0.5, "bf16"),
        ([SLOW, H100], 0.5, "bf16"),  # a head without a GPU trains nothing
        ([FAST, T4], 0.5, "fp32"),
        ([H100, SILENT], 0.5, "fp32"),
        ([ArithmeticOnOffer(True, True, ((9, 0), (7, 5)))], 0.5, "fp32"),
    ],
)
def test_the_weakest_of_the_machines_that_train_decides(
    machines: list[ArithmeticOnOffer], gpu_fraction: float, expected: str
) -> None:
    assert resolved_precision("auto", CIFAR, gpu_fraction, machines) == expected


@pytest.mark.parametrize(("machine", "best"), [(FAST, "bf16"), (SLOW, "fp32")])
def test_a_simulated_gpu_goes_by_the_cpu(machine: ArithmeticOnOffer, best: str) -> None:
    assert resolved_precision("auto", CIFAR, 0.5, [machine]) == best


def test_a_resumed_search_keeps_its_precision(tmp_path) -> None:
    space = space_of()
    with new_record(tmp_path / "events.jsonl", space) as record:
        conductor = conductor_of(space, record, precision="bf16")
        assert resolved_precision("auto", DIGITS, 0.0, [FAST], conductor.state) == "fp32"
        conductor.next_trial()
    assert conductor.state.trials[0].config["precision"] == "bf16"
    assert resolved_precision("auto", DIGITS, 0.0, [FAST], conductor.state) == "bf16"


def _plan(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[str]:
    """The plan of a search at the address of a cluster of one node with an H100, on a machine with fast bf16."""
    monkeypatch.setenv("WRN_SEARCH_DATA", str(folder / "data"))
    monkeypatch.setattr(plans, "check_ray", lambda address: None)
    nodes = options.pop("nodes", [LivingNode("1", "gpu (10.0.0.1)", Node(8, 1, 80 * 10**9))])
    monkeypatch.setattr(plans, "_machines", lambda address: nodes)
    monkeypatch.setattr(measured_objectives, "arithmetic_here", lambda: FAST)
    return plans.dry_run(FILE, results=folder / "out", **options).splitlines()


FILE: dict[str, Any] = {
    "name": "planned",
    "dataset": {"name": "digits"},
    "model": {"depth": 16, "dropout": {"uniform": [0.0, 0.5]}},
}


def test_a_plan_says_that_the_nodes_decide_where_one_does_not_answer(tmp_path, monkeypatch) -> None:
    """And names its own reckoning as such; where the precision is asked for, nothing is left to be decided."""

    def told(**options: Any) -> list[str]:
        lines = _plan(tmp_path, monkeypatch, **options)
        return [line for line in lines if line.startswith("precision     auto")]

    (line,) = told(address="10.0.0.1:6379")
    assert line.startswith("precision     auto: what every node can do, which the search asks when it starts")
    assert line.endswith("; no answer within 30 s from gpu (10.0.0.1)")
    assert told() == []
    assert told(address="10.0.0.1:6379", overrides=["training.precision=bf16"]) == []


def test_a_plan_for_a_cluster_tells_what_the_weakest_node_that_trains_offers(tmp_path, monkeypatch) -> None:
    def told(*offers: tuple[int, ArithmeticOnOffer], overrides: Sequence[str] = ()) -> str:
        nodes = [
            LivingNode(str(n), f"node{n} (10.0.0.{n})", Node(8, gpus), arithmetic)
            for n, (gpus, arithmetic) in enumerate(offers)
        ]
        lines = _plan(tmp_path, monkeypatch, address="10.0.0.1:6379", overrides=overrides, nodes=nodes)
        (line,) = (line for line in lines if line.startswith("weakest node"))
        return line

    none = ArithmeticOnOffer(False, False, ())
    weakest = "weakest node  GPUs of compute capability 7.5 (node1 (10.0.0.1)), so auto is fp32 (training.precision)"
    assert told((1, H100), (2, T4), (0, none)) == weakest
    assert told((1, H100), (0, none)).endswith("9.0 (node0 (10.0.0.0)), so auto is bf16 (training.precision)")
    on_cpus = told((0, FAST), (0, none), overrides=["training.precision=fp32"])
    assert on_cpus == (
        "weakest node  no bf16 in the CPU's hardware (node1 (10.0.0.1)), no C++ compiler (node1 (10.0.0.1))"
    )
    assert "GPUs of a compute capability that cannot be told (node0 (10.0.0.0))" in told((1, SILENT))


@pytest.mark.parametrize(
    ("gpus", "offer", "overrides", "problem"),
    [
        (1, FAST, [], "--address: torch must see the GPUs that Ray was told of"),
        (
            0,
            ArithmeticOnOffer(True, False, ()),
            ["training.compile=on"],
            r"training\.compile: a C\+\+ compiler",
        ),
    ],
)
def test_what_the_search_would_refuse_of_its_nodes_the_plan_refuses(
    tmp_path, monkeypatch, gpus: int, offer: ArithmeticOnOffer, overrides: list[str], problem: str
) -> None:
    nodes = [LivingNode("1", "node (10.0.0.1)", Node(8, gpus), offer)]
    with pytest.raises(InputError, match=problem):
        _plan(tmp_path, monkeypatch, address="10.0.0.1:6379", overrides=overrides, nodes=nodes)


@pytest.mark.parametrize(
    ("settings", "gpu_fraction", "machines", "told"),
    [
        ({"precision": "tf32"}, 0.0, [FAST], ["but trials train on CPUs"]),
        ({"precision": "tf32"}, 0.0, [H100], ["but trials train on CPUs"]),
        ({"precision": "tf32"}, 0.5, [FAST], ["but trials train on CPUs"]),  # GPUs in name only
        ({"precision": "tf32"}, 0.5, [H100, T4], ["but one has 7.5"]),
        ({"precision": "tf32"}, 0.5, [H100, FAST], []),  # whoever has no GPU does not train
        ({"precision": "tf32"}, 1.0, [SILENT], []),
        ({"precision": "fp16"}, 0.0, [FAST], []),
        ({"precision": "fp16"}, 0.5, [T4], []),
        ({"cuda_graph": "on"}, 0.0, [FAST], ["cuda_graph: on needs GPUs"]),
        ({"cuda_graph": "on"}, 1.0, [T4], []),
        ({"cuda_graph": "auto"}, 0.0, [FAST], []),
        (
            {"cuda_graph": "on", "precision": "tf32"},
            0.0,
            [FAST],
            ["tf32 needs GPUs", "cuda_graph: on needs GPUs"],
        ),
    ],
)
def test_what_needs_a_gpu_is_refused_without_one(
    settings: dict[str, str], gpu_fraction: float, machines: Sequence[ArithmeticOnOffer], told: list[str]
) -> None:
    asked = TrainingSettings.model_validate(settings)
    if not told:
        check_arithmetic(asked, gpu_fraction, machines)
        return
    with pytest.raises(InputError) as refused:
        check_arithmetic(asked, gpu_fraction, machines)
    assert len(refused.value.problems) == len(told)
    assert all(text in problem.text for text, problem in zip(told, refused.value.problems, strict=True))


def test_auto_never_means_tf32_or_fp16() -> None:
    for machine in (FAST, SLOW, T4, H100, SILENT):
        for share in (0.0, 0.5):
            assert resolved_precision("auto", CIFAR, share, [machine]) in ("fp32", "bf16")
