"""Seconds an epoch: from trials that the same machines trained before, else from a probe of a few steps, else assumed.

The probe on a GPU has never run on one.
"""

from __future__ import annotations

import bisect
import math
import socket
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.decisions.trials_at_once import threads_that_pay
from wrn_search.hardware.waiting_threads import waiting_threads_asleep
from wrn_search.images.streamed.decoding_workers import decoding_workers
from wrn_search.seconds_alone import NONE_ALONE
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.domains import finite_values
from wrn_search.space.sections.optimiser_keys import passes_of_a_step
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig
from wrn_search.wording import plural

if TYPE_CHECKING:
    import torch

_VALIDATION_COST = 1 / 3  # of a training image: no backward pass, which takes twice a forward pass
_MOST_DIRECTORIES = 50  # the latest
_NEAR = 4.0  # times as many multiply-adds
_COLUMNS = ("macs", "images_per_second", "node", "device", "threads", "precision")
_LATER_COLUMNS = ("sam", "seconds_alone", "epochs_alone", "train_seconds", "epochs_done")
_ROUNDING = 1e-9  # of a sum of seconds
_PROBE_MACS = 1e10  # of a step; on two cores a step of that size takes about a third of a second
_PROBE_STEPS = 2  # on a GPU, of which the fastest counts: it is alone there
# On a CPU, whose mean counts: other programs take their part of the search too, in turns of some milliseconds.
_PROBE_SECONDS, _MOST_STEPS, _MOST_WAITING = 1.0, 250, 30.0
_WARM_UP_ON_A_GPU = 5
# For each multiply-add of an image: two operations, and a backward pass takes twice a forward one.
_FLOPS_OF_A_TRAINING = 6
# Stated, not measured. The paper's figure 4 (WRN-28-10: 312 ms for 32 images) is 3 TFLOP/s of a Titan X in fp32.
ASSUMED_FLOPS = 1e13


@dataclass(frozen=True)
class Measured:
    """One training's speed."""

    macs: int  # multiply-adds of one image
    images_per_second: float
    waiting: float = 1.0  # wall seconds of a second of a core


@dataclass(frozen=True)
class Pace:
    """How fast networks train here, by their multiply-adds: logarithms are interpolated between what was measured."""

    # (multiply-adds, seconds of a training image), rising, at least one
    points: tuple[tuple[int, float], ...]
    source: str  # in words
    of_a_whole_gpu: bool = False  # a share of it trains in proportion
    # of an image: decoded while others are trained on, by all workers of a trial
    decoding_seconds: float = 0.0
    passes: float = 1.0  # forward and backward, of a training image; SAM takes two
    validations: float = 1.0  # after each epoch; an average of the weights has its own
    waiting: float = 1.0  # wall seconds of a second of a core, where a probe had it with other programs

    @classmethod
    def of(cls, measured: Iterable[Measured], source: str, of_a_whole_gpu: bool = False) -> Pace:
        """The median of each size."""
        by_size: dict[int, list[float]] = {}
        for each in measured:
            by_size.setdefault(each.macs, []).append(1 / each.images_per_second)
        return cls(
            tuple((size, statistics.median(by_size[size])) for size in sorted(by_size)),
            source,
            of_a_whole_gpu,
        )

    def covers(self, macs: int) -> bool:
        """Whether a network was measured that is not much smaller or larger: others are bound by other things."""
        return any(1 / _NEAR <= size / macs <= _NEAR for size, _ in self.points)

    def seconds_per_epoch(
        self, macs: int, train_images: int, validation_images: int, gpu_fraction: float = 0.0
    ) -> float:
        """Seconds of one epoch, validation included."""
        slower = 1 / gpu_fraction if self.of_a_whole_gpu and gpu_fraction else 1.0
        one_pass = slower * self._seconds_per_image(macs)
        validating = self.validations * max(_VALIDATION_COST * one_pass, self.decoding_seconds)
        return (
            max(self.passes * one_pass, self.decoding_seconds) * train_images + validating * validation_images
        )

    def _seconds_per_image(self, macs: int) -> float:
        place = bisect.bisect_left(self.points, (macs, 0.0))
        if place in (0, len(self.points)):  # beyond the ends in proportion
            size, seconds = self.points[min(place, len(self.points) - 1)]
            return seconds * macs / size
        (small, fast), (large, slow) = self.points[place - 1 : place + 1]
        share = math.log(macs / small) / math.log(large / small)
        return math.exp((1 - share) * math.log(fast) + share * math.log(slow))


def pace_of_trials(pace: Pace | None, space: Space, device: str, threads: int) -> Pace | None:
    """The pace of a search's own trials: how often images pass their networks, and whether these wait for images."""
    return with_decoding(with_passes(pace, space), space.dataset, device, threads)


def with_decoding(pace: Pace | None, dataset: DatasetSettings, device: str, threads: int) -> Pace | None:
    """The pace of trainings that wait for images which their workers decode meanwhile; others are as they were."""
    if pace is None or not dataset.is_streamed:
        return pace
    from wrn_search.images.streamed.decoding_pace import seconds_to_decode

    seconds = seconds_to_decode(dataset) / decoding_workers(threads, on_gpu=device == "cuda")
    return replace(pace, decoding_seconds=seconds)


def with_passes(pace: Pace | None, space: Space) -> Pace | None:
    """The pace of trainings of which some take two passes a step, or validate an average of their weights, too.

    On average, where their values are drawn evenly.
    """
    sam, ema = (
        finite_values(space.hyperparameters.get(name, getattr(space.training, name))) or (1.0,)
        for name in ("sam", "ema")
    )
    return pace and replace(
        pace,
        passes=statistics.fmean(passes_of_a_step(value) for value in sam),
        validations=statistics.fmean(2 if value else 1 for value in ema),
    )


def assumed_pace() -> Pace:
    """The pace of GPUs of which no trial and no probe tells: by multiply-adds alone."""
    seconds = _FLOPS_OF_A_TRAINING / ASSUMED_FLOPS
    text = f"assumed, not measured: {ASSUMED_FLOPS / 1e12:g} TFLOP/s of a GPU, of a share of it in proportion"
    return Pace(((1_000_000, 1_000_000 * seconds),), text, of_a_whole_gpu=True)


def recorded_pace(
    root: Path, device: str, threads: int, hosts: Iterable[str] | None = None, *, shared: bool = False
) -> Pace | None:
    """The pace of earlier trials below `root` that these machines trained; None if there is none.

    By the epochs that had their device alone; tables of before that was told count as they are.

    Args:
        root: where results directories lie.
        device: cpu or cuda.
        threads: of a trial; those with as many count, or all if there are none.
        hosts: names of the machines; default this one.
        shared: of all epochs, whoever trained beside them: for who knows nothing better.
    """
    tables = sorted(root.glob("*/trials.parquet"), key=_written)[-_MOST_DIRECTORIES:]
    rows = [row for table in tables for row in _rows(table)]
    names = {socket.gethostname()} if hosts is None else set(hosts)
    here = [row for row in rows if row["node"] in names and _is_on(row, device)]
    chosen = [row for row in here if row["threads"] == threads] or here
    if not chosen:
        return None
    rates = [(row, row["images_per_second"] if shared else _rate_alone(row)) for row in chosen]
    measured = [Measured(row["macs"], passes_of_a_step(row.get("sam")) * rate) for row, rate in rates if rate]
    if not measured:
        return None
    where = "on this machine" if hosts is None else "on these nodes"
    whose = f", of which {NONE_ALONE}" if shared else ""
    source = f"from {plural(len(measured), 'earlier trial')} {where}{whose}"
    told = any(row.get("seconds_alone") is not None for row, rate in rates if rate)
    return Pace.of(measured, source, of_a_whole_gpu=device == "cuda" and told and not shared)


def _rate_alone(row: dict[str, Any]) -> float | None:
    """Images a second in epochs that had their device alone; None without one."""
    alone, rate = row.get("seconds_alone"), float(row["images_per_second"])
    if alone is None:  # a table of before that was told
        return rate
    seconds, epochs = row.get("train_seconds") or 0.0, row.get("epochs_done") or 0
    if alone >= seconds * (1 - _ROUNDING):
        return rate
    of_them = row.get("epochs_alone") or 0
    return rate * seconds / epochs * of_them / alone if alone and epochs and of_them else None


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # gone meanwhile
        return 0.0


def _rows(table: Path) -> Iterable[dict[str, Any]]:
    """The trials of a table that have a speed; of one that cannot be read, or is of another version, none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        later = [name for name in _LATER_COLUMNS if name in pq.read_schema(table).names]
        rows: list[dict[str, Any]] = pq.read_table(table, columns=[*_COLUMNS, *later]).to_pylist()
    except (pa.ArrowException, OSError, KeyError, ValueError):
        return []
    return [row for row in rows if (row.get("images_per_second") or 0) > 0 and (row.get("macs") or 0) > 0]


def _is_on(row: dict[str, Any], device: str) -> bool:
    return str(row["device"] or "").partition(":")[0] == device


def probed_pace(
    configs: Sequence[TrialConfig],
    num_classes: int,
    image_shape: tuple[int, int, int],
    threads: int,
    device: str = "cpu",
) -> Pace:
    """The pace by some steps of each network on made-up images, on this machine's CPU or GPU; no file is opened.

    `threads` are the most of a trial; on a CPU a small network has as many as pay.
    """
    with waiting_threads_asleep():
        import torch

    before = torch.get_num_threads()
    try:
        measured = [
            _probed(config, num_classes, image_shape, threads, torch.device(device)) for config in configs
        ]
    finally:
        torch.set_num_threads(before)
    source = "from a probe of the smallest and the largest network"
    if device == "cpu":
        waiting = statistics.geometric_mean(each.waiting for each in measured)
        return replace(Pace.of(measured, source), waiting=waiting)
    return Pace.of(measured, f"{source}, alone on a GPU; of a share in proportion", of_a_whole_gpu=True)


def _probed(
    config: TrialConfig,
    num_classes: int,
    image_shape: tuple[int, int, int],
    threads: int,
    device: torch.device,
) -> Measured:
    import torch

    from wrn_search.networks.parameters_and_macs import macs
    from wrn_search.training.loss import training_loss
    from wrn_search.training.mixed_precision import autocast
    from wrn_search.training.network_of_a_trial import network_of
    from wrn_search.training.optimiser import build_optimiser

    height, width, channels = image_shape
    size = macs(config.architecture, num_classes, channels, (height, width))
    on_cpu = device.type == "cpu"
    torch.set_num_threads(min(threads, threads_that_pay(size * config.batch_size)) if on_cpu else threads)
    # A step of a few images says nothing of a GPU, whose kernels would be too small to fill it.
    batch = max(2, min(config.batch_size, int(_PROBE_MACS / size))) if on_cpu else config.batch_size
    took: list[float] = []
    computed: list[float] = []  # seconds of a core
    warm_up = 1 if on_cpu else _WARM_UP_ON_A_GPU  # the first steps make room and choose kernels
    with torch.random.fork_rng(devices=[] if on_cpu else [device]):  # dropout draws
        network = network_of(config, num_classes, channels).to(device).to(memory_format=torch.channels_last)
        images = torch.rand(batch, channels, height, width).to(device, memory_format=torch.channels_last)
        labels = (torch.arange(batch) % num_classes).to(device)
        optimiser = build_optimiser(network, config)
        for group in optimiser.param_groups:
            group["lr"] = 0.0  # it computes as ever, and made-up images make no network diverge
        for _ in range(warm_up + (_MOST_STEPS if on_cpu else _PROBE_STEPS)):
            if on_cpu and len(took) > warm_up and sum(took[warm_up:]) >= _PROBE_SECONDS:
                break
            _wait_for(device)
            began, core = time.perf_counter(), time.thread_time()
            optimiser.zero_grad(set_to_none=True)
            with autocast(device, config.precision):
                loss = training_loss(network(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            _wait_for(device)
            took.append(time.perf_counter() - began)
            computed.append(time.thread_time() - core)
    own = took[warm_up:]
    if not on_cpu:
        return Measured(size, batch / min(own))
    waiting = sum(own) / max(sum(computed[warm_up:]), sum(own) / _MOST_WAITING)
    return Measured(size, batch / statistics.fmean(own), max(1.0, waiting))


def _wait_for(device: torch.device) -> None:
    """Until what a GPU was told to do is done; a CPU does it at once."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
