"""The step that a CUDA graph can capture, run as it is on a CPU, against the plain one; and a graph in name only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.training.trainings import DIGITS, config_of, differences, learned, new_training, run_to_the_end
from wrn_search.memory.device_errors import is_out_of_memory
from wrn_search.training.steps import captured_step
from wrn_search.training.steps.captured_step import CapturedStep
from wrn_search.training.steps.steps_of_an_epoch import CapturedSteps, Steps
from wrn_search.training.training_loop import Training

BY_BATCH = DIGITS.model_copy(update={"augmentation": "flip_crop_batch"})


def _state(training: Training) -> dict[str, Any]:
    return {name: value for name, value in training.state().items() if name != "config"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"last_batch": "keep", "dataset": BY_BATCH},
        {"momentum_at_drops": "restart", "weight_decay_on": "weights"},
        {"momentum": 0.0, "lr_schedule": "cosine"},
        {"precision": "bf16", "linear_precision": "fp32"},
        {"stochastic_depth": 0.4, "depth": 16, "epochs": 2},
        {"label_smoothing": 0.1, "class_weights": "balanced", "clip_norm": 0.5, "nesterov": False},
        {"lr_schedule": "onecycle", "lr_by": "step", "last_batch": "keep"},
    ],
    ids=str,
)
def test_it_learns_the_same_to_the_bit(changes: dict[str, Any]) -> None:
    plain, captured = (new_training(config_of(**changes, cuda_graph=graph)) for graph in ("off", "on"))
    assert (type(plain._steps), type(captured._steps)) == (Steps, CapturedSteps)
    one, other = ([learned(each) for each in run_to_the_end(training)] for training in (plain, captured))
    assert one == other
    assert differences(_state(plain), _state(captured)) == []


def test_a_training_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    straight = new_training(config_of(cuda_graph="on"))
    expected = [learned(each) for each in run_to_the_end(straight)]
    first = new_training(config_of(cuda_graph="on"))
    first.run_epoch()
    first.save(tmp_path / "one.pt")
    first.run_epoch()
    first.restore(tmp_path / "one.pt")  # back in time: momentum lies elsewhere now
    assert [learned(each) for each in run_to_the_end(first)] == expected[1:]


class _Asked(TorchDispatchMode):
    """Notes every operation; those that wait for the device's answer cannot be captured."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def test_a_whole_step_asks_nothing_of_the_host_and_writes_where_it_wrote() -> None:
    training = new_training(config_of(cuda_graph="on", dropout=0.0))
    training.run_epoch()
    steps = training._steps
    assert isinstance(steps, CapturedSteps)
    training.network.train()
    steps._static.begin(training.randomness.batches)
    steps._whole_batch()
    kept = [training._loss_sum, training._errors, steps._rate, *training.network.state_dict().values()]
    kept += [each["momentum_buffer"] for each in training.optimiser.state.values()]
    before = [each.data_ptr() for each in kept]
    with _Asked() as asked:
        steps._whole_batch()
    assert {"convolution", "convolution_backward", "index", "where"} <= asked.names, "gather to update"
    assert asked.names & {"_local_scalar_dense", "nonzero", "equal", "_to_cpu", "randperm"} == set()
    after = [training._loss_sum, training._errors, steps._rate, *training.network.state_dict().values()]
    after += [each["momentum_buffer"] for each in training.optimiser.state.values()]
    assert [each.data_ptr() for each in after] == before


@pytest.mark.parametrize("cuda_graph", ["on", "off"])
def test_an_epoch_and_its_evaluation_ask_the_device_once_each(cuda_graph: str) -> None:
    """What they add up stays there until the end, and comes in one copy; short epochs look at no loss in between."""
    training = new_training(config_of(cuda_graph=cuda_graph))
    metrics = training.run_epoch()
    with _Asked() as asked:
        loss, error = training.evaluate(training.val_batches, 1, "validation loss")
        told = training._train(2)
    assert "_local_scalar_dense" not in asked.names, "no number is asked for by itself"
    assert (loss, error) == (metrics.val_loss, metrics.val_error)
    assert told[1] == 100 * training._errors.item() / training.train_batches.num_images


class _Cuda:
    """torch.cuda in name only: a graph keeps which step it captured, and a replay is noted."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.capturing = False
        stream = SimpleNamespace(wait_stream=lambda other: None)
        self.current_stream = self.Stream = lambda device: stream
        self.stream = lambda stream: contextlib.nullcontext()

    def new_graph(self, *rest: object) -> SimpleNamespace:
        """Keeps nothing: what it would do is noted."""
        return SimpleNamespace(replay=lambda: self.told.append("replayed"))

    @contextlib.contextmanager
    def graph(self, graph: object, stream: object, capture_error_mode: str) -> Iterator[None]:
        assert capture_error_mode == "thread_local", "a checkpoint may be written meanwhile"
        assert stream is self.Stream(None), (
            "where the steps before ran: cuBLAS keeps a workspace for each stream"
        )
        self.capturing = True
        try:
            yield
        except BaseException:  # torch ends the capture all the same, and says that it failed
            raise RuntimeError("operation failed due to a previous error during capture") from None
        finally:
            self.capturing = False

    def takes_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Instead of torch.cuda, where no other test sees its stream."""
        for name in ("current_stream", "Stream", "stream", "graph"):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))
        monkeypatch.setattr(torch.cuda, "CUDAGraph", self.new_graph)
        monkeypatch.setattr(captured_step, "_stream_beside", self.Stream)


def test_on_a_gpu_some_steps_run_as_they_are_and_then_one_graph_is_replayed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = _Cuda()
    cuda.takes_over(monkeypatch)
    step = CapturedStep(
        lambda: cuda.told.append("captured" if cuda.capturing else "run"), torch.device("cuda", 0)
    )
    for _ in range(6):
        step()
    assert cuda.told == ["run"] * 3 + ["captured"] + ["replayed"] * 3
    step.forget()
    cuda.told.clear()
    for _ in range(4):
        step()
    assert cuda.told == ["run"] * 3 + ["captured", "replayed"]


@pytest.mark.parametrize(
    "what", [torch.OutOfMemoryError("CUDA out of memory"), ValueError("a fault")], ids=str
)
def test_memory_that_is_wanting_in_a_capture_is_told_as_such(
    what: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial is tried again with a larger share for it; for another error it is not."""
    cuda = _Cuda()
    cuda.takes_over(monkeypatch)

    def learn() -> None:
        if cuda.capturing:
            raise what

    step = CapturedStep(learn, torch.device("cuda", 0))
    for _ in range(3):
        step()
    with pytest.raises(RuntimeError) as raised:
        step()
    assert is_out_of_memory(raised.value) == isinstance(what, torch.OutOfMemoryError)
