"""How many trials run at once and what each gets: pure arithmetic over nodes, checked before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.errors import InputError, Problem
from wrn_search.hardware.machine import Node, capacity
from wrn_search.memory.gpu_shares import SHARES
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.section_keys import ResourceSettings
from wrn_search.space.space import Space


@dataclass(frozen=True)
class Allotment:
    """What the search takes: trials at once, and for each its cores (also its threads) and its share of a GPU.

    With `by_memory` the share follows from each trial's network, and what stands here is the smallest.
    """

    concurrent: int
    cpus_per_trial: int
    gpus_per_trial: float
    by_memory: bool = False
    cpus_follow_share: bool = False  # cores too, as the share of those that belong to a GPU


def allot(
    resources: ResourceSettings, nodes: Sequence[Node], trials: int, rows: int, learns: bool
) -> Allotment:
    """The allotment for these nodes.

    `auto` on CPU is one trial a core, but at most a quarter of `trials` for a searcher that learns from results;
    spare cores become threads. On GPUs every share is used; where their memory is known, `auto` is the smallest share
    that holds a trial, so that up to eight train on one GPU (for a searcher that learns also at most a quarter of
    `trials`, but at least one a GPU).

    Args:
        resources: the `resources` section.
        nodes: the machines, at least one.
        trials: configurations of the search.
        rows: trials times repeats: more never run at once.
        learns: whether the searcher learns from results.

    Raises:
        InputError: the nodes cannot give what was asked for.
    """
    gpus = resources.gpus_per_trial
    with_gpus = [node for node in nodes if node.gpus]
    if isinstance(gpus, str) and with_gpus and all(node.gpu_bytes for node in with_gpus):
        return _allot_by_memory(resources, with_gpus, trials, rows, learns)
    share = (1.0 if any(node.gpus for node in nodes) else 0.0) if isinstance(gpus, str) else gpus
    cpus = 1 if isinstance(resources.cpus_per_trial, str) else resources.cpus_per_trial
    room = capacity(nodes, cpus, share)
    if room == 0:
        raise InputError([_infeasible(nodes, cpus, share)])
    if isinstance(resources.concurrent, str):
        concurrent = min(rows, _at_once(nodes, cpus, share, trials, learns, by_memory=False))
    else:
        if resources.concurrent > room:
            text = f"concurrent must be at most {room}, the trials that fit at once ({_offer(nodes)}; a trial takes"
            raise InputError.of(
                "resources.concurrent", f"{text} {_request(cpus, share)}), but got {resources.concurrent}"
            )
        concurrent = min(resources.concurrent, rows)
    if isinstance(resources.cpus_per_trial, str):
        while capacity(nodes, cpus + 1, share) >= concurrent:
            cpus += 1
    return Allotment(concurrent, cpus, share)


def _allot_by_memory(
    resources: ResourceSettings, nodes: Sequence[Node], trials: int, rows: int, learns: bool
) -> Allotment:
    """For nodes with GPUs of known memory: as many trials as the smallest shares allow; each takes what it needs.

    Raises:
        InputError: the nodes cannot give what was asked for.
    """
    smallest = SHARES[0]
    follow = isinstance(resources.cpus_per_trial, str)
    cpus = 1 if isinstance(resources.cpus_per_trial, str) else resources.cpus_per_trial
    room = capacity(nodes, cpus, smallest)
    if room == 0:
        raise InputError([_infeasible(nodes, cpus, smallest)])
    concurrent = min(rows, _at_once(nodes, cpus, smallest, trials, learns, by_memory=True))
    if not isinstance(resources.concurrent, str):
        if resources.concurrent > room:
            text = f"concurrent must be at most {room}, the trials that fit at once ({_offer(nodes)}; a trial takes"
            wrong = f"{text} {_request(cpus, smallest)} or more), but got {resources.concurrent}"
            raise InputError.of("resources.concurrent", wrong)
        concurrent = min(resources.concurrent, rows)
    return Allotment(concurrent, cpus, smallest, by_memory=True, cpus_follow_share=follow)


def concurrent_on(nodes: Sequence[Node], space: Space, allotment: Allotment) -> int:
    """Trials at once on these nodes, for `resources.concurrent: auto`: as `allot` decides it, at an allotment's size.

    At least one: where no node has room it waits for one that joins.
    """
    at_once = _at_once(
        nodes,
        allotment.cpus_per_trial,
        allotment.gpus_per_trial,
        space.trials,
        SEARCHERS[space.search.searcher].learns,
        by_memory=allotment.by_memory,
    )
    return max(1, min(at_once, space.trials * space.search.repeats))


def _at_once(
    nodes: Sequence[Node], cpus: int, share: float, trials: int, learns: bool, *, by_memory: bool
) -> int:
    """What `auto` is, when a search begins and whenever nodes join or leave: all that fit on the nodes.

    A searcher that learns from results would know nothing of most trials if all began at once: at most a quarter of
    `trials` then, on cores, and on shares of GPUs that follow from memory, where each GPU has at least one.
    """
    room = capacity(nodes, cpus, share)
    if learns and by_memory:
        return min(room, max(sum(node.gpus for node in nodes), trials // 4))
    if learns and not share:
        return min(room, max(1, trials // 4))
    return room


def _infeasible(nodes: Sequence[Node], cpus: int, share: float) -> Problem:
    if share and not any(node.gpus for node in nodes):
        return Problem("resources.gpus_per_trial", f"a GPU must be there, but got {_offer(nodes)}")
    return Problem(
        "resources.cpus_per_trial",
        f"one machine must be able to hold a trial of {_request(cpus, share)}, but got {_offer(nodes)}",
    )


def _request(cpus: int, share: float) -> str:
    return f"{cpus} CPU{'s' if cpus > 1 else ''}" + (f" and {share:g} GPU" if share else "")


def _offer(nodes: Sequence[Node]) -> str:
    machines = ", ".join(f"{node.cpus} CPUs and {node.gpus} GPUs" for node in nodes[:4])
    return machines + (f" and {len(nodes) - 4} more machines" if len(nodes) > 4 else "")
