"""Which share of a GPU a trial needs: the smallest of four classes that holds it, and that its work does not overfill.

Few classes, so that a trial process is used again by the next trial of its class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from wrn_search.memory.predicted_memory import CONTEXT_BYTES, trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.work_on_gpu import gain, step_of

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)
_NEARLY_ALL = 0.9  # of the throughput that trials side by side can have: more of them would only take turns
_LEAST_FACTOR = 0.8  # a probe that took less than predicted is believed so far
_MOST_LEARNED = 1.25  # beyond, something else took the memory: no reason to mistrust all predictions
_LEARNED_MARGIN = 1.02  # a training that did not fit needed more than its room, nobody knows how much


@dataclass(frozen=True)
class Correction:
    """What was learned of a GPU: a trial needs `factor` times the prediction and `extra_bytes`, beside the context."""

    factor: float = 1.0
    extra_bytes: int = 0
    context_bytes: int = CONTEXT_BYTES


@dataclass(frozen=True)
class ProbeResult:
    """What a short training on the device took."""

    predicted_bytes: int  # `TrialMemory.allocated_bytes` of what was trained
    reserved_bytes: int  # the most that torch's allocator held
    context_bytes: int  # what the process held beside it


NO_CORRECTION = Correction()


def needed_bytes(workload: Workload, correction: Correction = NO_CORRECTION) -> int:
    """What torch's allocator must be able to hold for a training, the process's context not counted."""
    predicted = trial_memory(workload).allocated_bytes
    return int(correction.factor * predicted) + correction.extra_bytes


def room_bytes(share: float, gpu_bytes: int, context_bytes: int = CONTEXT_BYTES) -> int:
    """What torch's allocator may hold within a share of a GPU: each process has a context of its own.

    Of several GPUs each has a process.
    """
    return max(0, int(min(share, 1.0) * gpu_bytes) - context_bytes)


def allocator_fraction(share: float, gpu_bytes: int, context_bytes: int = CONTEXT_BYTES) -> float:
    """The part of a GPU's memory that torch's allocator may hold: a process keeps its share, context included."""
    return room_bytes(share, gpu_bytes, context_bytes) / gpu_bytes


def smallest_share(needed: int, gpu_bytes: int, context_bytes: int = CONTEXT_BYTES) -> float | None:
    """The smallest share whose room holds so many bytes; None when a whole GPU does not."""
    return next((share for share in SHARES if needed <= room_bytes(share, gpu_bytes, context_bytes)), None)


@lru_cache(4096)  # asked again and again of each trial that waits
def share_by_work(workload: Workload) -> tuple[float, float]:
    """(the largest share at which trials side by side come near the most that they can do, the part that one fills).

    A network that fills a GPU alone gets a whole one: beside others it would only take turns with them. By a model of
    its step, from its multiply-adds and activations (`work_on_gpu`).
    """
    filled = step_of(workload).filled
    best = max(gain(filled, 1 / share) for share in SHARES)
    return max(share for share in SHARES if gain(filled, 1 / share) >= _NEARLY_ALL * best), filled


def share_of(
    workload: Workload, needed: int, gpu_bytes: int, context_bytes: int = CONTEXT_BYTES
) -> float | None:
    """The smallest share that holds so many bytes and the training's work; None when a whole GPU does not hold them."""
    share = smallest_share(needed, gpu_bytes, context_bytes)
    return None if share is None else max(share, share_by_work(workload)[0])


def next_share(share: float) -> float | None:
    """The share after this one; None after a whole GPU."""
    return next((larger for larger in SHARES if larger > share), None)


def correction_of(probes: Sequence[ProbeResult]) -> Correction:
    """From trainings of different sizes: what the smallest took too much every size takes, the rest grows with it.

    A prediction is lowered by a fifth at most. Without a probe nothing is corrected.
    """
    if not probes:
        return NO_CORRECTION
    smallest, *_, largest = sorted([*probes, *probes], key=lambda probe: probe.predicted_bytes)
    extra = max(0, smallest.reserved_bytes - smallest.predicted_bytes)
    factor = max(
        _LEAST_FACTOR,
        *((probe.reserved_bytes - extra) / probe.predicted_bytes for probe in (smallest, largest)),
    )
    return Correction(factor, extra, max(probe.context_bytes for probe in probes))


def after_too_little(correction: Correction, predicted_bytes: int, room: int) -> Correction:
    """What is known after a training that was predicted to need so many bytes did not fit into this room.

    All predictions grow in proportion, by a quarter at most.
    """
    factor = min(_MOST_LEARNED, _LEARNED_MARGIN * (room - correction.extra_bytes) / predicted_bytes)
    if factor <= correction.factor:
        return correction
    return Correction(factor, correction.extra_bytes, correction.context_bytes)
