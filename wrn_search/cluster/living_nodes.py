"""The nodes of a Ray cluster that are alive now, and what each of them offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer
from wrn_search.hardware.machine import Node, node_of
from wrn_search.memory.probe.probe_on_gpus import gpu_bytes_by_node
from wrn_search.ray_tune.ray_environment import ray_environment


@dataclass(frozen=True)
class LivingNode:
    """A node of the Ray that this process is connected to."""

    node_id: str
    name: str  # `host (address)`, for people
    offer: Node
    arithmetic: ArithmeticOnOffer | None = None  # once it was asked

    @property
    def host(self) -> str:
        """As trials that it trained name it in their tables."""
        return self.name.partition(" (")[0]


def living_nodes(gpu_bytes: Mapping[str, int] | None = None) -> list[LivingNode]:
    """The nodes that are alive now; `gpu_bytes` is node id -> memory of each of its GPUs, where that is known."""
    import ray

    found = []
    for node in ray.nodes():
        if node["Alive"]:
            offer = node_of(node["Resources"], (gpu_bytes or {}).get(node["NodeID"], 0))
            name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
            found.append(LivingNode(node["NodeID"], name, offer))
    return found


def leaving_nodes() -> frozenset[str]:
    """Ids of the nodes that the cluster was told will be taken away (Ray: which drain), by whomever."""
    from ray._private.state import state

    return frozenset(state.get_draining_nodes())


def nodes_that_train(nodes: Sequence[LivingNode], gpus_per_trial: float) -> list[LivingNode]:
    """Those on which trials can run: not a head without GPUs where trials train on GPUs, nor one without cores."""
    return [node for node in nodes if node.offer.cpus and (node.offer.gpus or not gpus_per_trial)]


def joined_nodes() -> list[Node]:
    """The living nodes of the Ray that this process is connected to."""
    return [node.offer for node in living_nodes(gpu_bytes_by_node())]


def is_connected() -> bool:
    """Whether this process (a notebook) has connected to Ray already."""
    with ray_environment():  # this may be the import that reads it
        import ray

    return bool(ray.is_initialized())
