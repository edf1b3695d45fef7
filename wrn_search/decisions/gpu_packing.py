"""Where trials find a place: shares of GPUs, cores, and a CPU's memory that are free. Pure bookkeeping, without Ray.

Ray places the trials for real, on a node by the same rule (the fullest GPU that still has room); the conductor keeps
this account so that it hands out no trial that would wait while a smaller one could train.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from wrn_search.decisions.trials_at_once import Allotment, threads_that_pay
from wrn_search.hardware.machine import Node
from wrn_search.memory.gpu_shares import (
    NO_CORRECTION,
    SHARES,
    Correction,
    after_too_little,
    needed_bytes,
    next_share,
    room_bytes,
    share_by_work,
    smallest_share,
)
from wrn_search.memory.predicted_memory import CONTEXT_BYTES, trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.trial_on_cpu import PROCESS_BYTES, room_for_trials, trial_bytes_on_cpu
from wrn_search.networks.parameters_and_macs import macs


@dataclass(frozen=True)
class Grant:
    """What a trial gets."""

    gpu_fraction: float
    threads: int
    accelerator: str = ""  # the kind of GPU, where the nodes have unlike ones
    gpu_bytes: int = 0  # memory of such a GPU; 0 where it is not known
    context_bytes: int = CONTEXT_BYTES  # that a process takes of it beside torch's allocator
    cpu_bytes: int = 0  # of the machine's memory, for a trial on a CPU; 0 where it is not known

    @property
    def room_bytes(self) -> int:
        """What torch's allocator may hold; 0 where the memory is not known."""
        return room_bytes(self.gpu_fraction, self.gpu_bytes, self.context_bytes) if self.gpu_bytes else 0


@dataclass(frozen=True)
class Asked:
    """What a trial needs of a GPU."""

    workload: Workload
    above_share: float = 0.0  # shares up to this one were too small for it
    above_bytes: int = 0  # and so was this much memory
    times: int = 0  # that it ran out of memory


@dataclass
class _Free:
    """What is left of a node."""

    node: Node
    cpus: int
    gpus: list[float]


@dataclass
class Places:
    """The places of a session's nodes.

    Args:
        nodes: the machines.
        allotment: how many trials run at once, and what each gets where that does not follow from its network.
        probed: what a probe of the device taught.
        by_work: whether a share follows from a network's work too, or from its memory alone.
    """

    nodes: Sequence[Node]
    allotment: Allotment
    probed: Correction = NO_CORRECTION
    by_work: bool = True
    _taken: dict[int, Grant] = field(default_factory=dict)
    _taken_cpu_bytes: int = 0  # of all that are taken
    _too_little: list[tuple[int, int]] = field(default_factory=list)  # (predicted, not enough), bytes

    @property
    def correction(self) -> Correction:
        """What the probe and the failures of this search have taught of the prediction."""
        correction = self.probed
        for predicted, room in self._too_little:
            correction = after_too_little(correction, predicted, room)
        return correction

    def take(self, number: int, asked: Asked) -> Grant | None:
        """A place for a trial, taken until `leave`; None when there is none now.

        Of the GPUs that can hold it the smallest kind comes first: large ones stay free for large networks.
        A trial that no GPU can hold by prediction gets a whole one of the largest: the prediction may be wrong.
        """
        if not self.allotment.gpus_per_trial:  # Ray alone places trials on cores
            needed = trial_bytes_on_cpu(asked.workload) if self.allotment.cpu_memory else 0
            if self.allotment.cpu_memory and not self._memory_holds(needed):
                return None
            return self._settled(number, Grant(0.0, self._threads_for(asked.workload), cpu_bytes=needed))
        free = self._free()
        for grant in self._grants(asked):
            if _settle(free, grant):
                return self._settled(number, grant)
        return None

    def planned_share(self, asked: Asked) -> float:
        """Of a GPU, that `take` would give a trial first, were there room; of unlike GPUs the smallest that hold it."""
        if not self.allotment.gpus_per_trial:
            return 0.0
        grant = next(self._grants(asked), None)
        return self.allotment.gpus_per_trial if grant is None else grant.gpu_fraction  # all GPUs have left

    def has_room(self) -> bool:
        """Whether a trial of the smallest share could begin now."""
        if not self.allotment.gpus_per_trial:
            return not self.allotment.cpu_memory or self._memory_holds(PROCESS_BYTES)
        least = Grant(self.allotment.gpus_per_trial, self.allotment.cpus_per_trial)
        return _settle(self._free(), least)

    def leave(self, number: int) -> None:
        """The trial has left its place; one that has none changes nothing."""
        if (grant := self._taken.pop(number, None)) is not None:
            self._taken_cpu_bytes -= grant.cpu_bytes

    def grant_of(self, number: int) -> Grant:
        """What a trial that trains was given."""
        return self._taken[number]

    def could_be_larger(self, asked: Asked) -> bool:
        """Whether some GPU gives the trial more than was too little for it.

        Never more often than there are shares, whatever is believed of the memory: each larger one is tried once.
        """
        kinds = self._kinds()
        if asked.times >= len(SHARES) * len(kinds):
            return False
        return any(self._is_more(share, kind.gpu_bytes, asked) for kind in kinds for share in SHARES)

    def follow(self, nodes: Sequence[Node]) -> None:
        """These are the machines from now on."""
        self.nodes = nodes

    def learn(self, workload: Workload, too_little_bytes: int) -> None:
        """A training did not fit into so many bytes: larger ones will not either, and predictions grow."""
        if too_little_bytes:
            self._too_little.append((trial_memory(workload).allocated_bytes, too_little_bytes))

    def _memory_holds(self, needed: int) -> bool:
        """Whether the machine's memory has room beside the trials that train; alone any trial is tried."""
        room = sum(room_for_trials(node.memory_bytes) for node in self.nodes)
        taken = self._taken_cpu_bytes
        return not room or not taken or taken + needed <= room

    def _settled(self, number: int, grant: Grant) -> Grant:
        self.leave(number)
        self._taken[number] = grant
        self._taken_cpu_bytes += grant.cpu_bytes
        return grant

    def _grants(self, asked: Asked) -> Iterator[Grant]:
        """What would hold the trial, in the order of preference."""
        kinds = self._kinds()
        fitting = [grant for kind in kinds if (grant := self._grant_on(kind, asked)) is not None]
        yield from fitting or [self._grant(kind, 1.0) for kind in kinds[-1:]]

    def _kinds(self) -> list[_Kind]:
        """Of the nodes that have the cores for a trial."""
        return _kinds([node for node in self.nodes if node.cpus >= self.allotment.cpus_per_trial])

    def _grant_on(self, kind: _Kind, asked: Asked) -> Grant | None:
        if self.allotment.by_memory and kind.gpu_bytes:
            needed, context = self._needed(asked.workload), self.probed.context_bytes
            share = smallest_share(needed, kind.gpu_bytes, context)
            if share is not None and self.by_work:
                share = max(share, share_by_work(asked.workload)[0])
        else:
            share = 1.0 if self.allotment.by_memory else self.allotment.gpus_per_trial
        while share is not None and not self._is_more(share, kind.gpu_bytes, asked):
            share = next_share(share)
        return self._grant(kind, share) if share is not None else None

    def _threads_for(self, workload: Workload) -> int:
        """Of a trial on a CPU."""
        most = self.allotment.cpus_per_trial
        if not self.allotment.cpus_follow_work:
            return most
        height, width, channels = workload.image_shape
        image = macs(workload.architecture, workload.num_classes, channels, (height, width))
        return min(most, threads_that_pay(image * workload.batch_size))

    def _is_more(self, share: float, gpu_bytes: int, asked: Asked) -> bool:
        """Whether a share gives more than was too little. Where no memory is known, shares themselves are compared."""
        if gpu_bytes and asked.above_bytes:
            return room_bytes(share, gpu_bytes, self.probed.context_bytes) > asked.above_bytes
        return share > asked.above_share

    def _needed(self, workload: Workload) -> int:
        """Bytes that torch's allocator must be able to hold, by all that is known."""
        predicted = trial_memory(workload).allocated_bytes
        failed = [room + 1 for smaller, room in self._too_little if smaller <= predicted]
        return max(needed_bytes(workload, self.correction), *failed, 0)

    def _grant(self, kind: _Kind, share: float) -> Grant:
        threads = self.allotment.cpus_per_trial
        if self.allotment.by_memory and self.allotment.cpus_follow_share:
            threads = max(1, int(kind.cpus_per_gpu * share))
        pinned = kind.accelerator if len({each.gpu_bytes for each in self._kinds()}) > 1 else ""
        return Grant(share, threads, pinned, kind.gpu_bytes, self.probed.context_bytes)

    def _free(self) -> list[_Free]:
        """What is left when all trials that have a place are settled, large ones first."""
        free = [_Free(node, node.cpus, [1.0] * node.gpus) for node in self.nodes]
        for grant in sorted(self._taken.values(), key=lambda grant: -grant.gpu_fraction):
            _settle(free, grant)
        return free


def places_for(allotment: Allotment) -> Places:
    """Places of one machine that has just what an allotment takes."""
    gpus = math.ceil(allotment.concurrent * allotment.gpus_per_trial)
    return Places([Node(allotment.concurrent * allotment.cpus_per_trial, gpus)], allotment)


@dataclass(frozen=True)
class _Kind:
    """GPUs of equal memory."""

    gpu_bytes: int
    accelerator: str
    cpus_per_gpu: int  # the fewest of its nodes


def _kinds(nodes: Sequence[Node]) -> list[_Kind]:
    """The kinds of GPUs, the smallest first. Unlike ones that Ray cannot tell apart count as the smallest of them."""
    with_gpus = [node for node in nodes if node.gpus]
    if not all(node.accelerator and node.gpu_bytes for node in with_gpus):
        with_gpus = [replace(node, accelerator="") for node in with_gpus]
    kinds: dict[str, _Kind] = {}
    for node in with_gpus:
        cpus = max(1, node.cpus // node.gpus)
        kind = kinds.get(node.accelerator, _Kind(node.gpu_bytes, node.accelerator, cpus))
        kinds[node.accelerator] = _Kind(
            min(kind.gpu_bytes, node.gpu_bytes), node.accelerator, min(kind.cpus_per_gpu, cpus)
        )
    return sorted(kinds.values(), key=lambda kind: kind.gpu_bytes)


def _settle(free: list[_Free], grant: Grant) -> bool:
    """Takes a grant from the GPU that has the least room left for it; whether there was one.

    Several GPUs are whole ones of one node, that with the fewest left.
    """
    share = grant.gpu_fraction
    if share > 1:
        return _settle_on_several(free, grant)
    fitting = [
        (left, number, each)
        for each in free
        if each.cpus >= grant.threads and grant.accelerator in ("", each.node.accelerator)
        for number, left in enumerate(each.gpus)
        if left >= share
    ]
    if not fitting:
        return False
    _, number, node = min(fitting, key=lambda place: place[0])
    node.cpus -= grant.threads
    node.gpus[number] -= share
    return True


def _settle_on_several(free: list[_Free], grant: Grant) -> bool:
    count = int(grant.gpu_fraction)
    fitting = [
        each
        for each in free
        if each.cpus >= grant.threads
        and grant.accelerator in ("", each.node.accelerator)
        and each.gpus.count(1.0) >= count
    ]
    if not fitting:
        return False
    node = min(fitting, key=lambda each: each.gpus.count(1.0))
    node.cpus -= grant.threads
    for _ in range(count):
        node.gpus[node.gpus.index(1.0)] = 0.0
    return True
