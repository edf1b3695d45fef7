"""One training on several GPUs of a machine: a process each, of which this one is the first and speaks for all."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import torch

from wrn_search.epoch_metrics import EpochMetrics
from wrn_search.images.prepared_data import PreparedData
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.several_gpus.replica import Replica
from wrn_search.training.training_loop import Training

_MODULE = "wrn_search.training.several_gpus.replica_process"
_SECONDS_TO_END = 10.0


class ReplicaError(RuntimeError):
    """Another process of the training failed; its text is what that process said."""


class ReplicatedTraining(Training):
    """A `Training` of which each of `gpus` processes trains on its part of every batch (`DistributedDataParallel`).

    They learn by their standard input what to do, and end when this one does. With `device` cuda process r has GPU r
    of those that are seen; on a CPU they are there for tests, and for GPUs in name only. Dropout draws the same masks
    in each of them.

    Raises:
        ReplicaError: another process fails, in any method.
    """

    def __init__(self, config: TrialConfig, data: PreparedData, *, gpus: int, device: str, threads: int):
        self._others: list[subprocess.Popen[str]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="wrn-search-replicas-")
        folder, share = Path(self._folder.name), max(1, threads // gpus)
        first = Replica(0, gpus)
        try:
            for rank in range(1, gpus):
                task = {
                    "config": config.to_dict(),
                    "rank": rank,
                    "size": gpus,
                    "device": _device_of(device, rank),
                    "threads": share,
                    "meeting": str(folder / "meeting"),
                }
                self._others.append(_started(task, _errors_of(folder, rank)))
            self._meet(first, torch.device(_device_of(device, 0)))
            super().__init__(config, data, device=_device_of(device, 0), threads=share, replica=first)
        except BaseException as error:
            failure = self._failure()
            self._end_others()
            if failure is not None and isinstance(error, Exception):
                raise failure from error
            raise

    def run_epoch(self) -> EpochMetrics:
        """See `Training.run_epoch`; all processes train, this one validates."""
        self._tell("epoch")
        try:
            return super().run_epoch()
        except RuntimeError as error:  # a connection that broke says nothing of why
            if (failure := self._failure()) is not None:
                raise failure from error
            raise

    def restore(self, path: Path) -> None:
        """See `Training.restore`; all processes read the file."""
        super().restore(path)
        self._tell(f"restore {path.absolute()}")

    def close(self) -> None:
        """See `Training.close`; the other processes end."""
        super().close()
        self._end_others()

    def _meet(self, first: Replica, device: torch.device) -> None:
        if device.type == "cuda":
            torch.cuda.set_device(device)
        first.join(Path(self._folder.name) / "meeting", device)

    def _tell(self, command: str) -> None:
        for process in self._others:
            assert process.stdin is not None
            try:
                process.stdin.write(command + "\n")
                process.stdin.flush()
            except OSError:
                raise self._failure() or ReplicaError("another process of the training is gone") from None

    def _failure(self) -> ReplicaError | None:
        """What the first process that has ended said of it; None while all live."""
        for rank, process in enumerate(self._others, start=1):
            try:
                code = process.wait(1.0)
            except subprocess.TimeoutExpired:
                continue
            said = _errors_of(Path(self._folder.name), rank).read_text(errors="replace").strip()
            last = said.splitlines()[-1] if said else f"exit status {code}"
            return ReplicaError(
                f"process {rank} of the training on {len(self._others) + 1} GPUs failed: {last}"
            )
        return None

    def _end_others(self) -> None:
        for process in self._others:
            assert process.stdin is not None
            with contextlib.suppress(OSError):  # it is gone
                process.stdin.close()
        Replica().leave()
        for process in self._others:
            try:
                process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._others = []
        self._folder.cleanup()


def _started(task: dict[str, object], errors: Path) -> subprocess.Popen[str]:
    with errors.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
    stream: IO[str] | None = process.stdin
    assert stream is not None
    stream.write(json.dumps(task) + "\n")
    stream.flush()
    return process


def _errors_of(folder: Path, rank: int) -> Path:
    return folder / f"errors-{rank}"


def _device_of(device: str, rank: int) -> str:
    return f"cuda:{rank}" if device == "cuda" else device
