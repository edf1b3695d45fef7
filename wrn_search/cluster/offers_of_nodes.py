"""What each node of a cluster can compute with, asked of all at once: for a plan, which starts nothing else there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.errors import Problem
from wrn_search.hardware.arithmetic_on_offer import ArithmeticOnOffer, no_gpu_text
from wrn_search.memory.probe.tasks_on_nodes import runtime_env

SECONDS_FOR_AN_OFFER = 30.0  # to start a process and to look; the search itself has more patience


def with_offers(nodes: Sequence[LivingNode]) -> list[LivingNode]:
    """The nodes, each with its `arithmetic`; None stays where one does not answer in time."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(num_cpus=0, max_retries=0, runtime_env=runtime_env.get())(_looking())
    asked = {
        task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.node_id, soft=False)).remote(): n
        for n, node in enumerate(nodes)
    }
    found = list(nodes)
    answered, late = ray.wait(list(asked), num_returns=len(asked), timeout=SECONDS_FOR_AN_OFFER)
    for reference in answered:
        try:
            found[asked[reference]] = replace(nodes[asked[reference]], arithmetic=ray.get(reference))
        except ray.exceptions.RayError:  # the search will say why: here it has only not answered
            continue
    for reference in late:
        ray.cancel(reference, force=True)
    return found


def gpu_problems(nodes: Sequence[LivingNode]) -> list[Problem]:
    """The nodes that offer GPUs which their torch does not see: a search on GPUs refuses them."""
    return [
        Problem("--address", no_gpu_text(node.name))
        for node in nodes
        if node.offer.gpus and node.arithmetic is not None and node.arithmetic.cuda_capabilities == ()
    ]


def weakest_text(nodes: Sequence[LivingNode], on_gpus: bool) -> str:
    """What the weakest of the nodes offers, each lack with the first node that has it: `no C++ compiler (HOST)`.

    Args:
        nodes: those that train, each with its arithmetic.
        on_gpus: whether trials train on GPUs that are not simulated.
    """
    offers = [(node.name, node.arithmetic) for node in nodes if node.arithmetic is not None]
    if on_gpus:
        capabilities = [
            (min(offer.cuda_capabilities), name) for name, offer in offers if offer.cuda_capabilities
        ]
        unknown = [name for name, offer in offers if not offer.cuda_capabilities]
        if unknown:
            return f"GPUs of a compute capability that cannot be told ({unknown[0]})"
        (major, minor), name = min(capabilities)
        return f"GPUs of compute capability {major}.{minor} ({name})"
    aspects = (
        ("bf16 in the CPU's hardware", [name for name, offer in offers if not offer.fast_bf16]),
        ("C++ compiler", [name for name, offer in offers if not offer.compiler]),
    )
    return ", ".join(f"no {what} ({lacking[0]})" if lacking else what for what, lacking in aspects)


def _looking() -> Callable[[], ArithmeticOnOffer | None]:
    """The task that a node runs. It travels by value: a node without the package answers with None."""

    def look() -> ArithmeticOnOffer | None:
        try:
            from wrn_search.hardware.arithmetic_on_offer import arithmetic_here
        except ImportError:
            return None
        return arithmetic_here()

    return look
