"""Steps are captured where real GPUs train and nothing forbids it, and in a search that goes on as in its beginning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.decisions.playing import conductor_of, new_record, space_of
from wrn_search.hardware.arithmetic_on_offer import SIMULATED_GPUS, ArithmeticOnOffer
from wrn_search.session.plan.automatic_cuda_graph import resolved_cuda_graph, with_cuda_graph
from wrn_search.space.space_file import space_from_mapping

HERE = ArithmeticOnOffer(fast_bf16=True, compiler=True, cuda_capabilities=())
H200 = ArithmeticOnOffer(fast_bf16=True, compiler=True, cuda_capabilities=((9, 0),))


def _space(**training: Any) -> Any:
    return space_from_mapping(
        {
            "dataset": {"name": "cifar10"},
            "model": {"depth": 16, "widen_factor": 2},
            "training": {"learning_rate": 0.1, "epochs": 2, **training},
        }
    )


@pytest.mark.parametrize(
    ("asked", "share", "machines", "resolved"),
    [
        ("auto", 0.5, [H200], "on"),
        ("auto", 0.5, [HERE, H200], "on"),  # a head without GPUs decides nothing
        ("auto", 0.0, [HERE], "off"),
        ("auto", 0.0, [H200], "off"),  # a GPU that no trial is given
        ("auto", 0.5, [HERE], "off"),  # GPUs in name only
        ("off", 0.5, [H200], "off"),
        ("on", 0.5, [H200], "on"),
    ],
)
def test_auto_is_on_where_gpus_train(
    asked: str, share: float, machines: list[ArithmeticOnOffer], resolved: str
) -> None:
    assert resolved_cuda_graph(_space(cuda_graph=asked), share, machines) == resolved


@pytest.mark.parametrize(
    "training", [{"mixup": 0.2}, {"precision": "fp16"}, {"optimizer": "adamw"}, {"ema": 0.99}], ids=str
)
def test_auto_is_off_where_a_rule_forbids_it(training: dict[str, Any]) -> None:
    assert resolved_cuda_graph(_space(**training), 0.5, [H200]) == "off"


def test_auto_is_off_where_images_stay_mapped_or_gpus_are_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolved_cuda_graph(_space(), 0.5, [H200], images_on_gpu=False) == "off"
    monkeypatch.setenv(SIMULATED_GPUS, "1")
    assert resolved_cuda_graph(_space(), 0.5, [H200]) == "off"


@pytest.mark.parametrize("began_with", ["on", "off"])
def test_a_search_that_goes_on_keeps_what_it_began_with(tmp_path: Path, began_with: str) -> None:
    asked = space_of()
    record = new_record(tmp_path / "events.jsonl", asked)
    conductor = conductor_of(with_cuda_graph(asked, began_with), record)
    conductor.next_trial()
    (trial,) = conductor.state.trials.values()
    assert trial.config["cuda_graph"] == began_with
    assert resolved_cuda_graph(asked, 0.5, [H200], conductor.state) == began_with
    assert asked.training.cuda_graph == "auto", "the record keeps what was asked"
    del trial.config["cuda_graph"]  # as before the key was there
    assert resolved_cuda_graph(asked, 0.5, [H200], conductor.state) == "off"
