"""What a machine offers to trials: cores, GPUs, their memory and kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ACCELERATOR = "accelerator_type:"  # Ray's resource of which a node has one for its kind of GPU


@dataclass(frozen=True)
class Node:
    """What one machine offers."""

    cpus: int
    gpus: int = 0
    gpu_bytes: int = 0  # memory of each of them; 0 where it is not known
    accelerator: str = ""  # what Ray calls their kind
    memory_bytes: int = 0  # of the machine itself, that its processes may use; 0 where it is not known


def capacity(nodes: Sequence[Node], cpus: int, share: float) -> int:
    """How many trials of this size fit on the nodes at once."""
    return sum(
        min(node.cpus // cpus, int(node.gpus / share)) if share else node.cpus // cpus for node in nodes
    )


def node_of(resources: Mapping[str, float], gpu_bytes: int = 0) -> Node:
    """A node by what Ray says that it offers; Ray names kinds of GPUs, but not their memory."""
    kinds = [name.removeprefix(ACCELERATOR) for name in resources if name.startswith(ACCELERATOR)]
    kind = kinds[0] if kinds else ""
    return Node(int(resources.get("CPU", 0)), int(resources.get("GPU", 0)), gpu_bytes, kind)
