"""Trainings on a real GPU."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.trainings import config_of, differences, new_training, run_to_the_end
from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.memory.device_errors import is_out_of_memory
from wrn_search.training.checkpoints.background_writer import BackgroundWriter
from wrn_search.training.checkpoints.checkpoint_file import load_checkpoint
from wrn_search.training.steps.steps_of_an_epoch import CapturedSteps
from wrn_search.training.training_loop import Training


def _trained(**changes: Any) -> tuple[Training, list[EpochMetrics]]:
    training = new_training(config_of(dropout=0.0, **changes), device="cuda")
    return training, run_to_the_end(training)


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
def test_every_precision_learns_what_fp32_learns_on_a_cpu(precision: str) -> None:
    expected = run_to_the_end(new_training(config_of(dropout=0.0)))
    _, found = _trained(precision=precision)
    assert all(math.isfinite(each.train_loss) for each in found)
    assert found[0].train_loss == pytest.approx(expected[0].train_loss, rel=0.05)
    assert found[-1].train_loss == pytest.approx(expected[-1].train_loss, rel=0.2)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("changes", [{}, {"last_batch": "keep"}, {"momentum_at_drops": "restart"}], ids=str)
def test_a_captured_step_learns_what_the_plain_one_learns(precision: str, changes: dict[str, Any]) -> None:
    _, plain = _trained(precision=precision, **changes)
    training, captured = _trained(precision=precision, cuda_graph="on", **changes)
    assert isinstance(training._steps, CapturedSteps)
    assert training._steps._step._graph is not None, "it was captured"
    rel = 1e-3 if precision == "fp32" else 0.05
    for one, other in zip(plain, captured, strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, rel=rel)


def test_dropout_of_a_captured_step_draws_anew_each_time() -> None:
    training = new_training(config_of(dropout=0.5, cuda_graph="on"), device="cuda")
    assert len({each.train_loss for each in run_to_the_end(training)}) == training.config.epochs
    again = new_training(config_of(dropout=0.5, cuda_graph="on", seed=1), device="cuda")
    assert run_to_the_end(again)[-1].train_loss != training.history[-1].train_loss


def test_a_checkpoint_written_while_it_trains_is_the_state_before(tmp_path: Path) -> None:
    training = new_training(config_of(), device="cuda")
    training.run_epoch()
    training.save(tmp_path / "then.pt")
    writer = BackgroundWriter(tmp_path / "trial.pt")
    writer.begin(training.state())
    training.run_epoch()
    writer.wait()
    assert differences(load_checkpoint(tmp_path / "trial.pt"), load_checkpoint(tmp_path / "then.pt")) == []
    on_cpu = new_training(config_of())
    on_cpu.restore(tmp_path / "trial.pt")
    assert on_cpu.epoch == 1


@pytest.mark.parametrize("cuda_graph", ["off", "on"])
def test_a_compiled_network_learns_what_the_plain_one_learns(cuda_graph: str) -> None:
    _, plain = _trained(precision="bf16")
    _, compiled = _trained(precision="bf16", compile="on", cuda_graph=cuda_graph)
    for one, other in zip(plain, compiled, strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, rel=0.05)


def test_a_captured_training_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    training = new_training(config_of(cuda_graph="on"), device="cuda")
    training.run_epoch()
    training.save(tmp_path / "then.pt")
    expected = run_to_the_end(training)
    again = new_training(config_of(cuda_graph="on"), device="cuda")
    again.restore(tmp_path / "then.pt")
    for one, other in zip(expected, run_to_the_end(again), strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, rel=0.02)


@pytest.mark.parametrize(
    "changes", [{"ema": 0.99}, {"sam": 0.05}, {"clip_norm": 1.0}, {"mixup": 0.2}], ids=str
)
def test_what_else_a_step_does_is_done_there_too(changes: dict[str, Any]) -> None:
    _, found = _trained(precision="bf16", **changes)
    assert found[-1].train_loss < found[0].train_loss


def test_out_of_memory_is_told_apart() -> None:
    total = torch.cuda.get_device_properties(0).total_memory
    with pytest.raises(torch.OutOfMemoryError) as raised:
        torch.empty(2 * total, dtype=torch.uint8, device="cuda")
    assert is_out_of_memory(raised.value)
