"""Item 2: so many trials at once on one device, a process each, against one alone."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

import torch

from benchmarks.gpu.made_up_data import config_of, device_here, made_up_data
from wrn_search.memory.keeping_freed_memory import keep_freed_memory
from wrn_search.training.training_loop import Training

SECONDS_TO_BEGIN = 180.0  # of a process: to import torch, to find its GPU, to train one epoch


@dataclass(frozen=True)
class Packed:
    """What is trained side by side, and for how long."""

    folder: str  # of the images, which are made where they are not
    images: int
    validation: int
    batch_size: int
    precision: str
    seconds: float


class Trainer:
    """A process that trains what it is told, as a trial's would.

    Args:
        packed: what it trains on.
        fraction: of the device's memory that it may take.
        threads: of torch.
    """

    def __init__(self, packed: Packed, fraction: float, threads: int):
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, packed, fraction, threads), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, network: str, cuda_graph: str) -> None:
        """Builds a training and trains an epoch, in which all is chosen and captured; does not wait."""
        self._pipe.send((network, cuda_graph))

    def go(self) -> None:
        """Trains for some seconds; does not wait."""
        self._pipe.send(None)

    def wait(self) -> float:
        """Images that the last thing trained on.

        Raises:
            RuntimeError: it did not end in time, or the process ended.
        """
        if not self._pipe.poll(SECONDS_TO_BEGIN):
            raise RuntimeError(f"a trial must answer within {SECONDS_TO_BEGIN:.0f} s")
        try:
            return float(self._pipe.recv())
        except EOFError:
            raise RuntimeError("a trial's process ended; its error stands on stderr") from None

    def __enter__(self) -> Trainer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join(timeout=20)
        self._process.kill()


def packed_rates(
    networks: Iterable[str], ways: Iterable[str], counts: Iterable[int], packed: Packed, threads: int
) -> dict[str, dict[int, float]]:
    """`16-2 captured` -> trials at once -> images/s of them together, each with its share of the device.

    The processes are the same throughout: those that do not take part hold memory and no more.

    Args:
        networks: such as 16-2.
        ways: `off` or `on`, of `training.cuda_graph`.
        counts: of trials at once, rising.
        packed: what is trained.
        threads: of the machine.
    """
    counts = list(counts)
    most = max(counts)
    made_up_data(Path(packed.folder), packed.images, packed.validation)
    found: dict[str, dict[int, float]] = {}
    with ExitStack() as stack:
        trainers = [
            stack.enter_context(Trainer(packed, 1 / most, max(1, threads // most))) for _ in range(most)
        ]
        for network in networks:
            for way in ways:
                for trainer in trainers:
                    trainer.begin(network, way)
                for trainer in trainers:
                    trainer.wait()
                name = f"{network} {'captured' if way == 'on' else 'eager'}"
                found[name] = {count: _rate(trainers[:count]) for count in counts}
    return found


def _rate(trainers: list[Trainer]) -> float:
    """Images/s of these together."""
    began = time.perf_counter()
    for trainer in trainers:
        trainer.go()
    images = sum(trainer.wait() for trainer in trainers)
    return images / (time.perf_counter() - began)


def _serve(pipe: Connection, packed: Packed, fraction: float, threads: int) -> None:
    """A process: a training for each pair that comes, some seconds of it for each None."""
    keep_freed_memory()
    device = device_here()
    if device == "cuda":
        torch.cuda.set_per_process_memory_fraction(fraction)
    data = made_up_data(Path(packed.folder), packed.images, packed.validation)
    training: Training | None = None
    while True:
        try:
            told = pipe.recv()
        except EOFError:
            return
        if told is not None:
            if training is not None:
                training.close()
            network, cuda_graph = told
            config = config_of(network, packed.batch_size, packed.precision, cuda_graph=cuda_graph)
            training = Training(config, data, device=device, threads=threads)
        assert training is not None, "a training has begun"
        began, trained = time.perf_counter(), 0
        while not trained or (told is None and time.perf_counter() - began < packed.seconds):
            training.run_epoch()
            trained += training.train_batches.num_images
        pipe.send(trained)
