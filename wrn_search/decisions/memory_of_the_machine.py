"""Whether trials on CPUs fit into the machine's memory: what a search's plan and its start say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wrn_search.decisions.image_facts import DataFacts, workload_of
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.hardware.machine import Node
from wrn_search.memory.choice_of_probes import probe_configs
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.memory.trial_on_cpu import room_for_trials, trial_bytes_on_cpu
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig


@dataclass(frozen=True)
class MachineMemory:
    """The memory of the machines, and what the trials of a space take of it on CPUs, by prediction. Bytes."""

    least: int  # of a trial
    most: int
    largest: str  # the trial that takes the most, in words
    offered: int
    room: int  # of it for trials

    def text(self, allotment: Allotment) -> str:
        """For the end of the plan's line on the hardware; nothing for trials on GPUs."""
        if allotment.gpus_per_trial:
            return ""
        low, high = _gigabytes(self.least), _gigabytes(self.most)
        span = high if low == high else f"{low} to {high}"
        return f", by memory: about {span} GB a trial of {_gigabytes(self.room)} GB"

    def may_wait(self, allotment: Allotment) -> bool:
        """Whether fewer trials may run at once than the allotment says, because large ones wait for memory."""
        return allotment.cpu_memory and allotment.concurrent * self.most > self.room

    def remarks(self, allotment: Allotment) -> list[str]:
        """Warnings: what may end in the kernel's killer."""
        if allotment.gpus_per_trial:
            return []
        offer = f"{_gigabytes(self.room)} of {_gigabytes(self.offered)} GB are there for trials"
        if self.most > self.room:
            return [
                f"a trial of {self.largest} is predicted to take {_gigabytes(self.most)} GB of memory, but {offer}: "
                "it trains alone, and the system may end it; a smaller batch_size takes less"
            ]
        together = allotment.concurrent * self.most
        if not allotment.cpu_memory and together > self.room:
            return [
                f"resources.concurrent: {allotment.concurrent} trials at once may take "
                f"{_gigabytes(together)} GB of memory by prediction, but {offer}: "
                "the system may end some, or the search; with auto each waits until there is memory for it"
            ]
        return []


def machine_memory(
    space: Space, facts: DataFacts, nodes: Sequence[Node], precision: str
) -> MachineMemory | None:
    """What is known of it; None where the memory of a machine is not known."""
    if not is_memory_known(nodes):
        return None

    def workload(config: TrialConfig) -> Workload:
        return replace(workload_of(config, facts), device="cpu")

    configs = probe_configs(space, workload, precision)
    smallest, largest = configs[0], configs[-1]
    return MachineMemory(
        least=trial_bytes_on_cpu(workload(smallest)),
        most=trial_bytes_on_cpu(workload(largest)),
        largest=f"{largest.architecture.name} at batch_size {largest.batch_size}",
        offered=sum(node.memory_bytes for node in nodes),
        room=sum(room_for_trials(node.memory_bytes) for node in nodes),
    )


def is_memory_known(nodes: Sequence[Node]) -> bool:
    """Whether every machine tells its memory: this one does, nodes of a cluster do not."""
    return bool(nodes) and all(node.memory_bytes for node in nodes)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f}"
