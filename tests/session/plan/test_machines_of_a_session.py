"""What a session computes in is decided by the nodes that train, not by the head that only drives it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer
from wrn_search.hardware.machine import Node
from wrn_search.session.plan import machines_of_a_session as module
from wrn_search.session.plan.machines_of_a_session import SessionMachines, machines_for
from wrn_search.session.search_request import request_of

LAPTOP = ArithmeticOnOffer(fast_bf16=False, compiler=False, cuda_capabilities=())
SERVER = ArithmeticOnOffer(fast_bf16=True, compiler=True, cuda_capabilities=())
H100 = ArithmeticOnOffer(fast_bf16=False, compiler=True, cuda_capabilities=((9, 0),))
T4 = ArithmeticOnOffer(fast_bf16=True, compiler=True, cuda_capabilities=((7, 5),))
LARGE = 80 * 10**9
SPACE = {
    "name": "s",
    "dataset": {"name": "cifar10"},
    "model": {"depth": 16, "widen_factor": {"choice": [1, 2]}, "dropout": {"uniform": [0, 0.5]}},
    "search": {"searcher": "random", "trials": 64},
}


def _session(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *offers: tuple[Node, ArithmeticOnOffer],
    overrides: tuple[str, ...] = (),
) -> SessionMachines:
    """What a session decides where these nodes answer."""
    nodes = [
        LivingNode(str(n), f"node{n} (10.0.0.{n})", offer, arithmetic)
        for n, (offer, arithmetic) in enumerate(offers)
    ]
    monkeypatch.setattr(module, "check_nodes", lambda *_: nodes)
    request = request_of(SPACE, overrides, folder / "results")
    data: Any = SimpleNamespace(image_shape=(32, 32, 3), split_hash="0" * 16, directory=folder)
    facts: Any = None
    return machines_for(request, data, facts, [node.offer for node in nodes], None)


@pytest.mark.parametrize("head_cpus", [0, 4])
def test_a_head_without_gpus_decides_nothing_where_simulated_gpus_train(
    head_cpus: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch sees no GPU anywhere, so what the nodes offer tells them apart."""
    worker = Node(4, 1, LARGE, "H100")
    on = _session(monkeypatch, tmp_path, (Node(head_cpus), LAPTOP), (worker, SERVER), (worker, SERVER))
    assert on.arithmetic.precision == "bf16"
    assert on.allotment.by_memory
    assert on.allotment.gpus_per_trial == 1 / 8
    assert on.allotment.concurrent == 8  # four cores of each worker: not one more for the head's


@pytest.mark.parametrize(("worker", "precision"), [(H100, "bf16"), (T4, "fp32")])
def test_gpus_of_a_head_that_ray_was_told_nothing_of_decide_nothing(
    worker: ArithmeticOnOffer, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workstation with a small GPU drives a search on servers: `ray start --head --num-gpus=0`."""
    other = T4 if worker is H100 else H100
    on = _session(monkeypatch, tmp_path, (Node(4), other), (Node(8, 1, LARGE, "X"), worker))
    assert on.arithmetic.precision == precision
    assert on.arithmetic.cuda_graph == "on"


def test_a_head_without_cores_decides_nothing_where_cpus_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = ("training.compile=on",)
    on = _session(monkeypatch, tmp_path, (Node(0), LAPTOP), (Node(8), SERVER), overrides=compiled)
    assert on.arithmetic.precision == "bf16"
    assert on.arithmetic.compile == "on"  # though the head has no compiler
    alone = _session(monkeypatch, tmp_path, (Node(2), LAPTOP), (Node(8), SERVER))
    assert alone.arithmetic.precision == "fp32", "with cores it trains, too"
