"""The plan's lines on GPU shares: which networks of a space get which, by prediction. Pure arithmetic."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.image_facts import DataFacts, workload_of
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.forecast.facts_before_preparation import known_facts
from wrn_search.hardware.machine import Node
from wrn_search.memory.choice_of_probes import telling_values
from wrn_search.memory.gpu_shares import share_by_work, share_of, smallest_share
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.space.domains import finite_values
from wrn_search.space.rules.keys_with_own_rules import GPU_SHARES
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig
from wrn_search.wording import plural

_MOST_NETWORKS = 2_000
_SHAPE = ("family", "depth", "widen_factor", "block", "deepening_factor")
_NAMES = {share: name for name, share in GPU_SHARES.items()}


def trial_text(
    space: Space,
    nodes: Sequence[Node],
    allotment: Allotment,
    precision: str,
    dataset: DatasetFacts | None = None,
) -> tuple[str, list[str]]:
    """What each trial gets, for the end of the line on the hardware, and further lines."""
    if not allotment.by_memory:
        most = "up to " if allotment.cpus_follow_work and allotment.cpus_per_trial > 1 else ""
        threads = plural(allotment.cpus_per_trial, "thread")
        gpus = allotment.gpus_per_trial
        share = f" and {gpus:g} GPUs" if gpus > 1 else f" and {gpus:g} of a GPU" if gpus else ""
        return f"{most}{threads}{share}", _lines_of_several(space, nodes, gpus, precision, dataset)
    facts = known_facts(space, dataset)
    if facts is None:
        return "the share of a GPU that its network needs, known once the images are prepared", []
    lines = []
    for size in sorted({node.gpu_bytes for node in nodes if node.gpus}):
        told = share_text(space, facts, size, precision)
        lines.append(f"GPU shares    of {size / 1e9:.0f} GB, predicted: {told}")
    return "the share of a GPU that its network needs", lines


def _lines_of_several(
    space: Space, nodes: Sequence[Node], gpus: float, precision: str, dataset: DatasetFacts | None
) -> list[str]:
    """What a trial takes of each of its GPUs, where it has several; a share that is asked for is not looked at."""
    facts = known_facts(space, dataset) if gpus > 1 else None
    if facts is None:
        return []
    predicted = [
        (trial_memory(workload_of(config, facts, gpus)), config.architecture.name)
        for config in _networks(space, precision)
    ]
    most, name = max((memory.total_bytes, name) for memory, name in predicted)
    lines = [f"GPU memory    up to {most / 1e9:.1f} GB on each of {gpus:g} GPUs, predicted of {name}"]
    for size in sorted({node.gpu_bytes for node in nodes if node.gpus and node.gpu_bytes}):
        too_large = sum(memory.total_bytes > size for memory, _ in predicted)
        if too_large:
            text = f"{plural(too_large, 'network')} of {len(predicted)} predicted not to fit {size / 1e9:.0f} GB each"
            lines.append(f"warning       {text}; a smaller batch_size takes less")
    return lines


def share_text(space: Space, facts: DataFacts, gpu_bytes: int, precision: str) -> str:
    """`1/8 for 12 networks up to WRN-28-8 (5.1 GB), ...`: by the largest batch size and dropout of the space.

    Of those that get more than their memory needs it says so: their work fills a GPU.
    """
    of_share: dict[float | None, list[tuple[int, str]]] = {}
    by_work: dict[
        float, list[float]
    ] = {}  # share -> the part of a GPU that each fills which has it for its work
    for config in _networks(space, precision):
        workload = workload_of(config, facts)
        memory, (least, filled) = trial_memory(workload), share_by_work(workload)
        share = share_of(workload, memory.allocated_bytes, gpu_bytes)
        of_share.setdefault(share, []).append((memory.total_bytes, config.architecture.name))
        if share is not None and least > (smallest_share(memory.allocated_bytes, gpu_bytes) or 1.0):
            by_work.setdefault(share, []).append(filled)
    parts = []
    for share, networks in sorted(of_share.items(), key=lambda item: item[0] or 2.0):
        size, name = max(networks)
        count = (
            f"{len(networks)} network{'s' if len(networks) > 1 else ''} up to {name} ({size / 1e9:.1f} GB)"
        )
        parts.append(
            f"{_NAMES[share]} for {count}{_why(by_work.get(share, ()), len(networks))}"
            if share
            else f"{count} predicted not to fit, tried with a whole one"
        )
    return "; ".join(parts)


def _why(filled: Sequence[float], networks: int) -> str:
    """That so many of the networks get a share for their work."""
    if not filled:
        return ""
    who = "" if len(filled) == networks else f"{len(filled)} of them "
    return f", {who}for their work: each alone keeps {100 * min(filled):.0f} % of a GPU busy or more"


def _networks(space: Space, precision: str) -> Iterator[TrialConfig]:
    """Each network of the space once, at its largest in memory; of a large or continuous space its ends."""
    leaves = space.hyperparameters
    networks = space.networks
    if networks is not None:
        largest = {name: telling_values(name, domain)[-1] for name, domain in leaves.items()}
        if len(networks) > _MOST_NETWORKS:
            networks = list(dict.fromkeys(space.axes.extremes))
        for network in networks:
            hparams = largest | space.shape_of(network)
            yield space.trial_config(hparams, 0, precision=precision, compile="off")
        return
    values = []
    for name, domain in leaves.items():
        ends = telling_values(name, domain)
        every = finite_values(domain) if name in _SHAPE else None
        values.append((list(every or ends), ends) if name in _SHAPE else (ends[-1:], ends[-1:]))
    many = 1
    for every_value, _ in values:
        many *= len(every_value)
    choices = [every_value if many <= _MOST_NETWORKS else ends for every_value, ends in values]
    for point in itertools.product(*choices):
        hparams = dict(zip(leaves, point, strict=True))
        yield space.trial_config(hparams, 0, precision=precision, compile="off")
