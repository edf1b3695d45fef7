"""The trainable, driven as Ray Tune drives it, without Ray's processes: real trainings of a thin network."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.training.trainings import config_of, learned
from wrn_search.ray_tune.fault_note import told_fault
from wrn_search.ray_tune.trainable import WideResNetTrainable, metrics_of
from wrn_search.training.checkpoints.checkpoint_file import partial_path
from wrn_search.training.training_loop import Training

EPOCHS = config_of().epochs
ROOT = Path(__file__).resolve().parents[2]


def assignment_of(checkpoint: Path, epochs_done: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "trial": config_of(**changes).to_dict(),
        "epochs_done": epochs_done,
        "checkpoint": str(checkpoint),
        "threads": 1,
        "gpu_fraction": 0.0,
        "epoch_seconds": None,
    }


def trainable_of(assignment: dict[str, Any]) -> WideResNetTrainable:
    """Without the parent's constructor, which wants a running trial of Ray's."""
    trainable = WideResNetTrainable.__new__(WideResNetTrainable)
    trainable.setup(assignment)
    return trainable


def epochs_of(trainable: WideResNetTrainable, count: int) -> list[dict[str, float]]:
    return [learned(metrics_of(trainable.step())) for _ in range(count)]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    """What each epoch learns when nothing gets in the way."""
    return epochs_of(trainable_of(assignment_of(tmp_path_factory.mktemp("straight") / "trial.pt")), EPOCHS)


def test_a_checkpoint_is_there_before_its_epoch_is_reported(tmp_path: Path) -> None:
    trainable = trainable_of(assignment_of(tmp_path / "trial.pt"))
    result = trainable.step()
    assert metrics_of(result).epoch == 1
    assert result["device"] == "cpu"
    assert (tmp_path / "trial.pt").exists()


@pytest.mark.parametrize("saved", range(1, EPOCHS + 1))
@pytest.mark.parametrize("recorded", range(EPOCHS))
def test_every_epoch_is_reported_once_wherever_a_kill_came_between_checkpoint_and_record(
    tmp_path: Path, straight: list[dict[str, float]], saved: int, recorded: int
) -> None:
    """A checkpoint ahead of the record tells what it knows; one behind it trains the epochs again, bit for bit."""
    epochs_of(trainable_of(assignment_of(tmp_path / "trial.pt")), saved)
    resumed = trainable_of(assignment_of(tmp_path / "trial.pt", epochs_done=recorded))
    first = min(saved, recorded)
    assert epochs_of(resumed, EPOCHS - first) == straight[first:]


def test_an_epoch_told_from_the_checkpoint_is_not_trained(tmp_path: Path) -> None:
    trainable = trainable_of(assignment_of(tmp_path / "trial.pt"))
    first = trainable.step()["epoch"]
    resumed = trainable_of(assignment_of(tmp_path / "trial.pt"))
    assert resumed.step()["epoch"] == first, "its seconds too are those of the first time"


def test_a_process_goes_from_trial_to_trial(tmp_path: Path, straight: list[dict[str, float]]) -> None:
    trainable = trainable_of(assignment_of(tmp_path / "other.pt", seed=5, widen_factor=1))
    trainable.step()
    assert trainable.reset_config(assignment_of(tmp_path / "trial.pt"))
    assert epochs_of(trainable, EPOCHS) == straight


def test_the_driver_may_hand_a_process_its_next_trial_itself(
    tmp_path: Path, straight: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its first step in one call; a process that cannot begin it ends, and does not train the one before again."""
    trainable = trainable_of(assignment_of(tmp_path / "other.pt", seed=5, widen_factor=1))
    trainable.step()
    monkeypatch.setattr(trainable, "train", trainable.step)  # Tune's needs a running trial of Ray's
    first = trainable.train_next(assignment_of(tmp_path / "trial.pt"))
    assert [learned(metrics_of(first)), *epochs_of(trainable, EPOCHS - 1)] == straight

    def ended(reason: str) -> None:
        raise SystemExit(reason)

    monkeypatch.setattr("wrn_search.ray_tune.trainable.end_process", ended)
    with pytest.raises(SystemExit, match="JSONDecodeError"):
        trainable.train_next({**assignment_of(tmp_path / "trial.pt"), "trial": "{not JSON"})


def test_the_second_trial_of_a_process_imports_nothing_and_reads_no_data(tmp_path: Path) -> None:
    trainable = trainable_of(assignment_of(tmp_path / "first.pt"))
    epochs_of(trainable, EPOCHS)
    modules = set(sys.modules)
    opened: list[str] = []
    watching = [True]
    sys.addaudithook(
        lambda event, args: opened.append(str(args[0])) if watching and event == "open" else None
    )
    trainable.reset_config(assignment_of(tmp_path / "second.pt", seed=5, depth=16))
    assert metrics_of(trainable.step()).epoch == 1
    watching.clear()
    assert any(path.startswith(str(tmp_path / "second.pt")) for path in opened), "the hook sees files"
    foreign = [path for path in opened if not path.startswith((str(tmp_path), "/proc/self/"))]
    assert foreign == []
    assert set(sys.modules) == modules


def test_what_goes_wrong_is_a_value(tmp_path: Path) -> None:
    assert (
        trainable_of(assignment_of(tmp_path / "trial.pt", learning_rate=1e30)).step()["diverged"]["epoch"]
        == 1
    )


def test_a_damaged_checkpoint_is_a_fault_that_passes(
    tmp_path: Path, straight: list[dict[str, float]]
) -> None:
    """The next try begins anew, and learns what was learned before."""
    path = tmp_path / "trial.pt"
    epochs_of(trainable_of(assignment_of(path)), 2)
    path.write_bytes(path.read_bytes()[:1000])
    assert trainable_of(assignment_of(path, epochs_done=2)).step()["lost"]["error"].startswith(f"{path}: ")
    assert epochs_of(trainable_of(assignment_of(path, epochs_done=2)), EPOCHS) == straight


def test_a_full_disk_is_no_fault_of_the_trial(tmp_path: Path) -> None:
    """/dev/full is a disk without room; the file that cannot be written is named."""
    partial_path(tmp_path / "trial.pt").symlink_to("/dev/full")
    result = trainable_of(assignment_of(tmp_path / "trial.pt")).step()
    assert result == {
        "storage": {
            "error": f"a checkpoint could not be written: No space left on device ({tmp_path / 'trial.pt'})"
        }
    }


LEFT_OUT = [pytest.mark.slow, pytest.mark.exhaustive]


@pytest.mark.parametrize(
    "method",
    ["run_epoch", pytest.param("save", marks=LEFT_OUT), pytest.param("restore", marks=LEFT_OUT)],
)
def test_an_epoch_that_hangs_ends_its_process(tmp_path: Path, method: str) -> None:
    """Also when it hangs in C code that never gives the interpreter back, and when its checkpoint's disk hangs."""
    assignment = assignment_of(tmp_path / "trial.pt") | {"epoch_seconds": 1.0}
    if method == "restore":
        (tmp_path / "trial.pt").touch()
    program = f"""
import ctypes
from wrn_search.ray_tune.trainable import WideResNetTrainable
from wrn_search.training.training_loop import Training
Training.run_epoch = lambda self: None
Training.{method} = lambda self, *rest: ctypes.PyDLL(None).sleep(50)
trainable = WideResNetTrainable.__new__(WideResNetTrainable)
trainable.setup({assignment!r})
trainable.step()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False, timeout=240
    )
    assert done.returncode == 1
    assert "Timeout" in done.stderr


def test_the_limit_of_an_epoch_ends_with_it(tmp_path: Path) -> None:
    trainable = trainable_of(assignment_of(tmp_path / "trial.pt") | {"epoch_seconds": 2.0})
    assert metrics_of(trainable.step()).epoch == 1
    time.sleep(2.5)  # the process lives


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_share_of_a_gpu_that_torch_does_not_see_is_no_reason_to_train_on_the_cpu(tmp_path: Path) -> None:
    on_a_gpu = assignment_of(tmp_path / "trial.pt") | {"gpu_fraction": 0.5, "context_bytes": 0}
    refused = trainable_of(on_a_gpu).step()
    assert refused["storage"]["error"].startswith(
        "torch must see the GPUs that Ray was told of, but sees none on "
    )
    declared = trainable_of(on_a_gpu | {"simulated_gpus": True}).step()
    assert (metrics_of(declared).epoch, declared["device"]) == (1, "cpu")


@pytest.mark.parametrize(
    ("gpu_fraction", "cuda", "limits"), [(0.25, True, [4e9]), (0.25, False, []), (0.0, True, [])]
)
def test_a_share_of_a_gpu_is_a_share_of_its_memory_context_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpu_fraction: float, cuda: bool, limits: list[float]
) -> None:
    set_limits: list[float] = []
    gpu = SimpleNamespace(total_memory=16 * 10**9)
    monkeypatch.setattr("torch.cuda.is_available", lambda: cuda)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda number: gpu)
    monkeypatch.setattr("torch.cuda.set_per_process_memory_fraction", set_limits.append)
    assignment = assignment_of(tmp_path / "trial.pt") | {"gpu_fraction": gpu_fraction, "context_bytes": 10**9}
    trainable_of(assignment).step()  # where there is no GPU it fails later, as a value
    assert [limit * gpu.total_memory + 10**9 for limit in set_limits] == pytest.approx(limits)


def test_a_step_that_runs_out_of_memory_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exception's frames hold the activations of the step that failed: they must not outlive it."""
    held: list[weakref.ref[torch.Tensor]] = []

    def run_epoch(self: Training) -> None:
        activation = torch.ones(3)
        held.append(weakref.ref(activation))
        kept = [activation]  # noqa: F841 - as a local variable of a frame of the trace
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Training, "run_epoch", run_epoch)
    alive_at_close: list[bool] = []
    monkeypatch.setattr(Training, "close", lambda self: alive_at_close.append(held[0]() is not None))
    told = trainable_of(assignment_of(tmp_path / "trial.pt")).step()
    assert told["failed"]["out_of_memory"]
    assert "CUDA out of memory" in told["failed"]["error"]
    assert alive_at_close == [False]


def test_the_whole_trace_of_a_failure_is_in_the_file_that_its_error_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outermost(depth: int) -> None:
        if depth:
            outermost(depth - 1)
        try:
            raise KeyError("the cause")
        except KeyError as cause:
            raise RuntimeError("mat1 and mat2 must have the same dtype") from cause

    monkeypatch.setattr(Training, "run_epoch", lambda self: outermost(9))
    assignment = assignment_of(tmp_path / "checkpoints" / "00003-deadbeef.pt") | {
        "logs": str(tmp_path / "logs")
    }
    for tries in (1, 2):
        first, second = trainable_of(assignment).step()["failed"]["error"].split("\n")
        assert first.startswith("RuntimeError: mat1 and mat2 must have the same dtype (")
        assert second == "all of it: logs/00003-deadbeef.txt"
        written = (tmp_path / "logs" / "00003-deadbeef.txt").read_text()
        assert written.count("KeyError: 'the cause'") == tries
        assert written.count("in _epoch") == tries  # beyond the three innermost frames
    assert f"in process {os.getpid()} on {socket.gethostname()}" in written


def test_variables_that_tie_threads_to_cores_are_overruled_and_waiting_threads_sleep(tmp_path: Path) -> None:
    """In a new process, whose OpenMP has read nothing yet: both threads may run on every core."""
    assignment = assignment_of(tmp_path / "trial.pt") | {"threads": 2}
    program = f"""
import os, sys
from wrn_search.ray_tune.trainable import WideResNetTrainable
assert "torch" not in sys.modules
trainable = WideResNetTrainable.__new__(WideResNetTrainable)
trainable.setup({assignment!r})
assert "epoch" in trainable.step()
import torch
torch.rand(4_000_000).sum()
assert torch.get_num_threads() == 2
assert (os.environ["OMP_WAIT_POLICY"], os.environ["GOMP_SPINCOUNT"]) == ("PASSIVE", "0")
for task in os.listdir("/proc/self/task"):
    print(len(os.sched_getaffinity(int(task))))
"""
    bound = {"OMP_PROC_BIND": "true", "OMP_PLACES": "{0}", "GOMP_CPU_AFFINITY": "0", "OMP_THREAD_LIMIT": "1"}
    unset = {
        name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=unset | bound | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=240,  # two threads under a limit of one wait for each other for ever
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {str(len(os.sched_getaffinity(0)))}


def test_a_wait_that_the_user_chose_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    trainable_of(assignment_of(tmp_path / "trial.pt"))
    assert (os.environ["OMP_WAIT_POLICY"], os.environ["GOMP_SPINCOUNT"]) == ("ACTIVE", "7")


@pytest.mark.parametrize(
    ("error", "out_of_memory"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"), True),
        (MemoryError(), True),
        (RuntimeError("GET was unable to find an engine to execute this computation"), True),
        (RuntimeError("FIND was unable to find an engine to execute this computation"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"), True),
        (torch.AcceleratorError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA driver error: out of memory"), True),
        (RuntimeError("mat1 and mat2 must have the same dtype"), False),
    ],
)
def test_too_little_memory_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, out_of_memory: bool
) -> None:
    def raising(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("wrn_search.training.training_loop.Training.run_epoch", raising)
    failed = trainable_of(assignment_of(tmp_path / "trial.pt")).step()["failed"]
    assert failed["out_of_memory"] is out_of_memory
    assert failed["error"].startswith(type(error).__name__)


@pytest.mark.slow
@pytest.mark.parametrize(
    "error",
    [
        "RuntimeError('CUDA error: an illegal memory access was encountered')",
        "torch.AcceleratorError('CUDA error: unspecified launch failure')",
        "RuntimeError('CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`')",
        "RuntimeError('cuDNN error: CUDNN_STATUS_EXECUTION_FAILED')",
        "RuntimeError('CUDA driver error: device not ready')",
    ],
)
def test_a_process_whose_gpu_answers_no_more_ends_and_says_why(tmp_path: Path, error: str) -> None:
    """The exceptions are made up, for want of a GPU; the process and its end are real."""
    note = tmp_path / "trial.fault"
    assignment = assignment_of(tmp_path / "trial.pt") | {"fault_note": str(note)}
    program = f"""
import torch
from wrn_search.ray_tune.trainable import WideResNetTrainable
from wrn_search.training.training_loop import Training
def raising(self):
    raise {error}
Training.run_epoch = raising
trainable = WideResNetTrainable.__new__(WideResNetTrainable)
trainable.setup({assignment!r})
print(trainable.step())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False, timeout=240
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    told = told_fault(note)
    assert told is not None
    assert told.startswith("the trial's process ended: ")
    assert error.partition("'")[2].partition("'")[0] in told


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), OSError(errno.EMFILE, "Too many open files")]
)
def test_a_checkpoint_that_cannot_be_read_just_now_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, straight: list[dict[str, float]], error: OSError
) -> None:
    path = tmp_path / "trial.pt"
    epochs_of(trainable_of(assignment_of(path)), 2)

    def raising(*arguments: object, **options: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("torch.load", raising)
        assert error.strerror in trainable_of(assignment_of(path, epochs_done=2)).step()["lost"]["error"]
    assert epochs_of(trainable_of(assignment_of(path, epochs_done=2)), EPOCHS - 2) == straight[2:]


def test_no_room_for_prepared_images_is_no_fault_of_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(WideResNetTrainable, "_build", raising)
    result = trainable_of(assignment_of(tmp_path / "trial.pt")).step()
    assert result == {"storage": {"error": "[Errno 28] No space left on device"}}
