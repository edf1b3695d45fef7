"""How many trials run at once and what each gets: pure arithmetic over nodes, checked before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wrn_search.errors import InputError, Problem
from wrn_search.hardware.machine import Node, capacity
from wrn_search.memory.gpu_shares import SHARES
from wrn_search.memory.trial_on_cpu import room_for_trials
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.sections.resource_keys import ResourceSettings
from wrn_search.space.space import Space

_MACS_OF_A_THREAD = 250_000_000


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
    cpus_follow_work: bool = False  # on CPUs: `cpus_per_trial` is the most, a small network gets fewer
    drawn_at_random: int = 0  # proposals before the searcher learns from results
    once_learning: int = 0  # trials at once from then on, at most; 0 is no other limit
    cpu_memory: bool = (
        False  # on CPUs: a trial begins only where the machine's memory holds it beside the others
    )

    def at_once(self, proposed: int) -> int:
        """How many trials may run when so many were proposed: what is drawn at random need not wait for results."""
        if not self.once_learning or proposed < self.drawn_at_random:
            return self.concurrent
        return min(self.concurrent, self.once_learning)


def allot(
    resources: ResourceSettings,
    nodes: Sequence[Node],
    trials: int,
    rows: int,
    learns: bool,
    drawn_at_random: int = 0,
    least_bytes: int = 0,
) -> Allotment:
    """The allotment for these nodes.

    `auto` on CPU is one trial a core, but at most a quarter of `trials` for a searcher that learns from results, once
    it does; spare cores become threads of networks that are large enough (`threads_that_pay`). On GPUs every share is
    used; where their memory is known, `auto` is the smallest share that holds a trial, so that up to eight train on one
    GPU (for a searcher that learns also at most a quarter of `trials`, but at least one a GPU). On CPUs whose machine's
    memory is known, `auto` is at most what it holds of the smallest trials, and each waits for memory (`Places`).

    Args:
        resources: the `resources` section.
        nodes: the machines, at least one.
        trials: configurations of the search.
        rows: trials times repeats: more never run at once.
        learns: whether the searcher learns from results.
        drawn_at_random: configurations that it draws before it does.
        least_bytes: of the machine's memory, that the smallest trial of the space takes on a CPU; 0 is not known.

    Raises:
        InputError: the nodes cannot give what was asked for.
    """
    gpus = resources.gpus_per_trial
    with_gpus = [node for node in nodes if node.gpus]
    if isinstance(gpus, str) and with_gpus and all(node.gpu_bytes for node in with_gpus):
        return _allot_by_memory(resources, with_gpus, trials, rows, learns, drawn_at_random)
    share = (1.0 if any(node.gpus for node in nodes) else 0.0) if isinstance(gpus, str) else gpus
    cpus = 1 if isinstance(resources.cpus_per_trial, str) else resources.cpus_per_trial
    room, once_learning = _room(nodes, cpus, share), 0
    waits = not share and isinstance(resources.concurrent, str) and all(node.memory_bytes for node in nodes)
    if isinstance(resources.concurrent, str):
        once_learning = _once_learning(nodes, share, trials, learns, by_memory=False)
        held = _held(nodes, least_bytes) if waits and least_bytes else room
        concurrent = _at_once(min(room, held), rows, once_learning, drawn_at_random)
    else:
        _check_fits(resources.concurrent, room, nodes, _request(cpus, share))
        concurrent = min(resources.concurrent, rows)
    follow = isinstance(resources.cpus_per_trial, str)
    while follow and capacity(nodes, cpus + 1, share) >= concurrent:
        cpus += 1
    return Allotment(
        concurrent,
        cpus,
        share,
        cpus_follow_work=follow and not share,
        drawn_at_random=drawn_at_random if once_learning else 0,
        once_learning=once_learning,
        cpu_memory=waits,
    )


def threads_that_pay(macs_of_a_batch: int) -> int:
    """Threads that a training uses well: a power of two, so that trials of few kinds use each other's processes.

    One for each `_MACS_OF_A_THREAD` multiply-adds of the forward pass of a batch. With batches of 128 images a second
    thread made WRN-10-1 1.2 times as fast at 8x8 (98 million multiply-adds), and twice as fast at 32x32 (1.6 billion).
    """
    return 1 << max(0, (macs_of_a_batch // _MACS_OF_A_THREAD).bit_length() - 1)


def _allot_by_memory(
    resources: ResourceSettings,
    nodes: Sequence[Node],
    trials: int,
    rows: int,
    learns: bool,
    drawn_at_random: int = 0,
) -> Allotment:
    """For nodes with GPUs of known memory: as many trials as the smallest shares allow; each takes what it needs.

    Raises:
        InputError: the nodes cannot give what was asked for.
    """
    smallest = SHARES[0]
    follow = isinstance(resources.cpus_per_trial, str)
    cpus = 1 if isinstance(resources.cpus_per_trial, str) else resources.cpus_per_trial
    room, once_learning = _room(nodes, cpus, smallest), 0
    if not isinstance(resources.concurrent, str):
        _check_fits(resources.concurrent, room, nodes, f"{_request(cpus, smallest)} or more")
        concurrent = min(resources.concurrent, rows)
    else:
        once_learning = _once_learning(nodes, smallest, trials, learns, by_memory=True)
        concurrent = _at_once(room, rows, once_learning, drawn_at_random)
    return Allotment(
        concurrent,
        cpus,
        smallest,
        by_memory=True,
        cpus_follow_share=follow,
        drawn_at_random=drawn_at_random if once_learning else 0,
        once_learning=once_learning,
    )


def on_nodes(nodes: Sequence[Node], space: Space, allotment: Allotment) -> Allotment:
    """The allotment on these nodes, for `resources.concurrent: auto`: as `allot` decides it, a trial's part unchanged.

    At least one trial at once: where no node has room it waits for one that joins.
    """
    share, rows = allotment.gpus_per_trial, space.trials * space.search.repeats
    searcher = SEARCHERS[space.search.searcher]
    configurations, by_memory = space.trials_at_least, allotment.by_memory
    once_learning = _once_learning(nodes, share, configurations, searcher.learns, by_memory=by_memory)
    room = capacity(nodes, allotment.cpus_per_trial, share)
    concurrent = max(1, _at_once(room, rows, once_learning, searcher.drawn_at_random))
    return replace(allotment, concurrent=concurrent, once_learning=once_learning)


def _at_once(room: int, rows: int, once_learning: int, drawn_at_random: int) -> int:
    """What `auto` is, when a search begins and whenever nodes join or leave: all that fit, or what learning leaves."""
    fit = min(room, rows)
    return min(fit, max(once_learning, drawn_at_random)) if once_learning else fit


def _once_learning(nodes: Sequence[Node], share: float, trials: int, learns: bool, *, by_memory: bool) -> int:
    """Trials at once, at most, of a searcher that learns from results; 0 is no limit.

    It would know nothing of most trials if all began at once: at most a quarter of `trials` then, on cores, and on
    shares of GPUs that follow from memory, where each GPU has at least one.
    """
    if learns and by_memory:
        return max(sum(node.gpus for node in nodes), trials // 4)
    if learns and not share:
        return max(1, trials // 4)
    return 0


def _held(nodes: Sequence[Node], trial_bytes: int) -> int:
    """Trials of this size that the machines' memory holds at once; one that no machine holds is tried alone."""
    return max(1, sum(room_for_trials(node.memory_bytes) // trial_bytes for node in nodes))


def _room(nodes: Sequence[Node], cpus: int, share: float) -> int:
    """Trials that fit at once.

    Raises:
        InputError: not even one.
    """
    room = capacity(nodes, cpus, share)
    if room == 0:
        raise InputError([_infeasible(nodes, cpus, share)])
    return room


def _check_fits(concurrent: int, room: int, nodes: Sequence[Node], request: str) -> None:
    """Sees to it that so many trials as the user wants fit at once.

    Raises:
        InputError: they do not.
    """
    if concurrent > room:
        text = (
            f"concurrent must be at most {room}, the trials that fit at once ({_offer(nodes)}; a trial takes"
        )
        raise InputError.of("resources.concurrent", f"{text} {request}), but got {concurrent}")


def _infeasible(nodes: Sequence[Node], cpus: int, share: float) -> Problem:
    if share and not any(node.gpus for node in nodes):
        return Problem("resources.gpus_per_trial", f"a GPU must be there, but got {_offer(nodes)}")
    most = max(node.gpus for node in nodes)
    if share > most:
        rule = f"must be at most {most}, the GPUs of one machine, as a trial trains on one machine"
        return Problem("resources.gpus_per_trial", f"{rule}, but got {share:g} ({_offer(nodes)})")
    return Problem(
        "resources.cpus_per_trial",
        f"one machine must be able to hold a trial of {_request(cpus, share)}, but got {_offer(nodes)}",
    )


def _request(cpus: int, share: float) -> str:
    return f"{cpus} CPU{'s' if cpus > 1 else ''}" + (f" and {share:g} GPU" if share else "")


def _offer(nodes: Sequence[Node]) -> str:
    machines = ", ".join(f"{node.cpus} CPUs and {node.gpus} GPUs" for node in nodes[:4])
    return machines + (f" and {len(nodes) - 4} more machines" if len(nodes) > 4 else "")
