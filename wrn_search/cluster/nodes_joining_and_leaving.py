"""Nodes that join or leave while a search runs: how many trials may run at once follows those that are there."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ray.tune import Callback

from wrn_search.cluster.living_nodes import LivingNode, leaving_nodes, living_nodes
from wrn_search.cluster.node_check import (
    Probe,
    begin_look,
    end_look,
    energy_problems,
    is_to_show_gpus,
    problems_of,
)
from wrn_search.cluster.node_facts import own_versions
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.decisions.trials_at_once import on_nodes
from wrn_search.errors import printable
from wrn_search.memory.probe.probe_on_gpus import gpu_bytes_by_node

SECONDS_BETWEEN_LOOKS = 2.0


class FollowNodes(Callback):
    """Lets a search use nodes that join, once they have shown that they can train for it, and miss those that leave.

    A node that joined and cannot train (other packages, no access to the results) is kept full by a placeholder, so
    that no trial is placed there, and is named on stderr. Of a node that the cluster was told will be taken away the
    trials leave after the epoch that runs; Ray itself places none there any more.

    Args:
        conductor: whose `allotment.concurrent` follows the nodes when `resources.concurrent` is `auto`.
        manifest: a file of the results directory, by which a node shows that it sees the same directory.
        split_hash: of the driver's images.
        nodes: those that were checked before the search began.
        tell: where a refused node is named.
    """

    def __init__(
        self,
        conductor: Conductor,
        manifest: Path,
        split_hash: str,
        nodes: Sequence[LivingNode],
        tell: Callable[[str], None] | None = None,
    ):
        self._conductor = conductor
        self._probe = Probe(manifest.absolute(), manifest.read_text(encoding="utf-8"))
        self._split_hash = split_hash
        self._tell = tell or _tell
        self._versions = own_versions()
        self._able = {node.node_id: node.name for node in nodes}
        self._asked: dict[Any, LivingNode] = {}  # reference to the look to come -> node
        self._placeholders: dict[str, Any] = {}  # node id -> what keeps a node full
        self._followed = frozenset(self._able)  # nodes that the conductor's places are on
        self._leaving: set[str] = set()  # node ids that were told of
        self._asked_to_end: set[str] = set()  # actor ids
        self._next = 0.0  # monotonic seconds

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Some times a second; looks at the nodes every other second."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SECONDS_BETWEEN_LOOKS
        living = living_nodes()
        self._hear(living)
        self._let_leave(living, trials)
        for left in self._able.keys() - {node.node_id for node in living}:
            name = self._able.pop(left)
            if left not in self._leaving:
                self._tell(f"a node has left, its trials go on elsewhere: {name}")
        known = (
            self._able.keys() | self._placeholders.keys() | {node.node_id for node in self._asked.values()}
        )
        for node in living:
            if node.node_id not in known:
                reference = begin_look(
                    node, self._probe, self._conductor.space.dataset, self._conductor.space.model.init_from
                )
                self._asked[reference] = node
        able = [node for node in living if node.node_id in self._able.keys() - self._leaving]
        offers = [node.offer for node in able]
        if (now := frozenset(node.node_id for node in able)) != self._followed:
            self._followed = now
            if any(node.offer.gpus for node in able):  # asking a node takes seconds, and its changes are rare
                memory = gpu_bytes_by_node()
                offers = [node.offer for node in living_nodes(memory) if node.node_id in now]
            self._conductor.places.follow(offers)
        space, allotment = self._conductor.space, self._conductor.allotment
        if isinstance(space.resources.concurrent, str):
            self._conductor.allotment = on_nodes(offers, space, allotment)

    def _let_leave(self, living: Sequence[LivingNode], trials: Sequence[Any]) -> None:
        """Lets trials go from nodes that will be taken away: each process ends after the epoch that it trains."""
        noticed = leaving_nodes() & {node.node_id for node in living}
        for node in living:
            if node.node_id in noticed - self._leaving and node.node_id in self._able:
                self._tell(
                    f"a node will be taken away, its trials go on elsewhere after their epoch: {node.name}"
                )
        self._leaving |= noticed
        for trial in trials if noticed else ():
            actor = trial.temporary_state.ray_actor if trial.status == "RUNNING" else None
            if actor is None or (name := actor._actor_id.hex()) in self._asked_to_end:
                continue
            if _node_of(name) in noticed:
                self._asked_to_end.add(name)
                _end_after_epoch(actor)

    def _hear(self, living: Sequence[LivingNode]) -> None:
        """Takes in the answers of nodes that joined."""
        import ray

        answered, _ = (
            ray.wait(list(self._asked), num_returns=len(self._asked), timeout=0) if self._asked else ([], [])
        )
        for reference in answered:
            node = self._asked.pop(reference)
            look = end_look(reference, node.name)
            if node.node_id not in {each.node_id for each in living}:
                continue  # it has left again
            on_gpus = self._conductor.allotment.gpus_per_trial > 0 and is_to_show_gpus(node)
            precision = self._conductor.precision
            problems = problems_of(
                node.name, look, self._versions, self._split_hash, on_gpus, precision=precision
            )
            problems += energy_problems(node.name, look, self._conductor.space.costs, on_gpus)
            if problems:
                self._placeholders[node.node_id] = _placeholder(node)
                self._tell(f"a node that joined is not used: {'; '.join(map(str, problems))}")
            else:
                self._able[node.node_id] = node.name

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its callbacks into snapshots that are never read


def _node_of(actor_id: str) -> str:
    """Id of the node that an actor's process is on; empty where it has none yet."""
    from ray._private.state import state

    return str(state.actor_table(actor_id, None, None).get("Address", {}).get("NodeID", ""))


def _end_after_epoch(actor: Any) -> None:
    """Ends a trial's process once the epoch that it trains is told and written: Ray carries out calls in their order.

    Tune's next call finds it gone, which `exception_texts.was_noticed` recognises.
    """
    actor.keep_checkpoint.remote()
    actor.__ray_terminate__.remote()


def _placeholder(node: LivingNode) -> Any:
    """Takes all cores of a node and does nothing; it ends when nobody holds it any more."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    class Placeholder:
        """Holds resources."""

    there = NodeAffinitySchedulingStrategy(node.node_id, soft=False)
    holding = ray.remote(num_cpus=node.offer.cpus, max_restarts=0)(Placeholder)
    return holding.options(scheduling_strategy=there).remote()


def _tell(text: str) -> None:
    with suppress(OSError, ValueError):  # nobody may be listening any more
        print(printable(text), file=sys.stderr, flush=True)
