"""fp16 and TF32 beside fp32 and bf16, the last layer in fp32, and what is set for a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.training.trainings import config_of, differences, learned, new_training, run_to_the_end
from wrn_search.training.checkpoints.checkpoint_file import load_checkpoint
from wrn_search.training.mixed_precision import (
    ExactLinear,
    autocast,
    keep_linear_in_fp32,
    memory_format,
    use_arithmetic,
)

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("precision", "computed"),
    [("fp32", torch.float32), ("tf32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_products_are_of_the_precision(precision: str, computed: torch.dtype) -> None:
    with autocast(CPU, precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == computed


@pytest.fixture
def flags() -> Iterator[None]:
    """What torch keeps for this process, as it was."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark
    yield
    cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = before


@pytest.mark.usefixtures("flags")
def test_what_torch_keeps_for_a_process_is_set_for_each_training() -> None:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    for device, precision in ((GPU, "fp32"), (GPU, "tf32"), (CPU, "fp32"), (GPU, "bf16")):
        use_arithmetic(device, precision)
        assert cudnn.allow_tf32 is matmul.allow_tf32 is (precision == "tf32")
        assert cudnn.benchmark is (device.type == "cuda")


def test_exact_fp32_on_a_gpu_lies_as_nchw_and_all_else_in_channels_last() -> None:
    assert memory_format(GPU, "fp32") is torch.contiguous_format
    others = [memory_format(GPU, each) for each in ("tf32", "bf16", "fp16")]
    assert {*others, *(memory_format(CPU, each) for each in ("fp32", "bf16"))} == {torch.channels_last}


def test_fp16_scales_its_loss_and_goes_on_from_a_checkpoint_to_the_same_bits(tmp_path: Path) -> None:
    """A scale that overflows is halved, and the step that saw it is left out, be it the first: torch's fused SGD would
    go on from memory that nobody wrote to.
    """
    config = config_of(precision="fp16")
    first = new_training(config)
    first._scaler.load_state_dict(first._scaler.state_dict() | {"scale": 2.0**20})
    before = [parameter.detach().clone() for parameter in first.network.parameters()]
    first.run_epoch()
    assert first._scaler.get_scale() < 2.0**20
    assert any(not torch.equal(one, two) for one, two in zip(before, first.network.parameters(), strict=True))
    first.save(tmp_path / "one.pt")
    straight = [learned(each) for each in run_to_the_end(first)]
    second = new_training(config)
    second.restore(tmp_path / "one.pt")
    assert second._scaler.state_dict() == load_checkpoint(tmp_path / "one.pt")["scaler"]
    assert [learned(each) for each in run_to_the_end(second)] == straight
    assert differences(first.state(), second.state()) == []


def test_fp16_learns(tmp_path: Path) -> None:
    losses = {}
    for precision in ("fp32", "fp16"):
        training = new_training(config_of(precision=precision, dropout=0.0))
        losses[precision] = [each.train_loss for each in run_to_the_end(training)]
    assert losses["fp16"][-1] < losses["fp16"][0]
    assert losses["fp16"] == pytest.approx(losses["fp32"], rel=0.05)


def test_other_precisions_leave_no_trace_of_a_scale() -> None:
    assert "scaler" not in new_training(config_of(precision="bf16")).state()


def test_the_last_layer_in_fp32_ties_fewer_classes() -> None:
    """Scores of 5,000 images of a network in bf16: 8 significant bits are too few to tell two classes apart."""
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 10))
    with torch.no_grad():
        network[0].weight.copy_(torch.randn(10, 64, generator=generator) / 8)
    features = torch.rand(5000, 64, generator=generator).bfloat16()
    tied = []
    for change in (lambda network: None, keep_linear_in_fp32):
        change(network)
        with torch.no_grad(), autocast(CPU, "bf16"):
            first, second = network(features).float().topk(2).values.T
        tied.append(int((first == second).sum()))
    assert tied[0] > 10
    assert tied[1] == 0


def test_a_training_gives_scores_of_the_precision_of_its_last_layer_which_keeps_its_name() -> None:
    for linear, scored in (("same", torch.bfloat16), ("fp32", torch.float32)):
        training = new_training(config_of(precision="bf16", linear_precision=linear))
        assert "linear.weight" in training.network.state_dict()
        with torch.no_grad(), autocast(CPU, "bf16"):
            assert training.network(torch.zeros(2, 1, 8, 8)).dtype == scored


def test_in_fp32_the_last_layer_is_the_same_to_the_bit() -> None:
    one, other = (new_training(config_of(linear_precision=each)) for each in ("same", "fp32"))
    assert [learned(each) for each in run_to_the_end(one)] == [
        learned(each) for each in run_to_the_end(other)
    ]


def test_a_network_without_one_linear_layer_is_refused() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with pytest.raises(ValueError, match="must have one linear layer, but got 2"):
        keep_linear_in_fp32(network)
    nested = nn.Sequential(nn.Sequential(nn.Conv2d(1, 1, 1), nn.Linear(2, 3)))
    keep_linear_in_fp32(nested)
    assert isinstance(nested[0][1], ExactLinear)


def test_memory_is_measured_after_the_first_steps_and_the_first_evaluation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device in name only: the mark begins anew when cuDNN has tried its algorithms."""
    loop = "wrn_search.training.training_loop."
    told: list[str] = []
    monkeypatch.setattr(loop + "forget_warm_up", lambda device: told.append("forgot"))
    monkeypatch.setattr(loop + "high_water_mark_bytes", lambda device: told.append("measured") or len(told))
    training = new_training(config_of())
    training._is_cold = True
    assert training.run_epoch().memory_bytes == told.index("measured") + 1
    assert told == ["forgot", "measured", "forgot"]
    told.clear()
    assert training.run_epoch().memory_bytes == len(told)
    assert "forgot" not in told
