"""Looks: when a search that may stop when it is decided is looked at, and what a look finds. A fold over events."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.families.family_table import DEFAULT_FAMILY
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.results.events import Completed, Diverged, Event, Failed, Looked, Paused, Reopened, Stopped
from wrn_search.results.state_from_events import SearchState
from wrn_search.space.space import Space
from wrn_search.verdict_so_far.answered_questions import Answer, Pair, answers_of, is_decided, next_look
from wrn_search.verdict_so_far.curves_of_state import curves_of_state


@dataclass(frozen=True)
class Images:
    """What the curve model must know of the images."""

    validation: int
    num_classes: int
    channels: int


class Looks:
    """Looks at a search whenever enough configurations have ended, or rest at a rung, since the last look.

    What a look found is an event, so a search that is resumed is not looked at twice, and one that is decided stays so.

    Args:
        space: the search; nothing is looked at without `search.stop_when`.
        images: its images.
        rungs: epochs at which its trials are compared.
    """

    def __init__(self, space: Space, images: Images, rungs: tuple[int, ...]):
        self._space, self._images, self._rungs = space, images, rungs
        self.may_stop = space.search.stop_when is not None
        self._ended: set[int] = set()

    def learn(self, event: Event) -> None:
        """Counts the trials that have ended, or rest at a rung: one that goes on from there is not counted again."""
        if not self.may_stop:
            return
        match event:
            case Completed() | Stopped() | Diverged() | Failed():
                self._ended.add(event.number)
            case Paused() if event.reason:
                self._ended.add(event.number)
            case Reopened():
                self._ended.discard(event.number)
            case _:
                pass

    def due(self, state: SearchState) -> Looked | None:
        """What a look finds, where one is due now; it takes as long as a fit of the curve model."""
        if not self.may_stop or self.has_decided(state):
            return None
        configurations = len(self._ended) // self._space.search.repeats
        if configurations < next_look(state.looks[-1].configurations if state.looks else None):
            return None
        table = curves_of_state(state, self._space.hyperparameters, self._rungs, self._images.validation)
        if table is None:
            return Looked(configurations, {})
        names, sizes = networks_of(state, self._space, self._images)
        found = answers_of(table, sizes)
        return Looked(configurations, {question: _told(answer, names) for question, answer in found.items()})

    def has_decided(self, state: SearchState) -> bool:
        """Whether the looks on record answer everything."""
        return self.may_stop and is_decided([each.answers for each in state.looks])


def networks_of(state: SearchState, space: Space, images: Images) -> tuple[dict[Pair, str], dict[Pair, int]]:
    """(name, parameters) of each depth with each widening factor tried, of the block that most of its trials had.

    Where the networks of a space are no such product, of the pairs that were tried: others may be none of the space.
    """
    configs = [trial.config for trial in state.trials.values()]
    blocks = Counter(_block(config) for config in configs)
    of_pair: dict[tuple[int, float], Counter[tuple[str, str]]] = {}
    for config in configs:
        of_pair.setdefault(_pair(config), Counter())[_block(config)] += 1
    names: dict[Pair, str] = {}
    sizes: dict[Pair, int] = {}
    tried = set(of_pair)
    if space.networks is None:
        depths, widths = zip(*tried, strict=True)
        tried = set(itertools.product(depths, widths))
    for depth, width in tried:
        block, family = of_pair.get((depth, width), blocks).most_common(1)[0][0]
        try:
            network = Architecture.of(depth, width, block, family)
        except ValueError:  # a depth that these kernels do not have
            continue
        names[float(depth), width] = network.name
        sizes[float(depth), width] = num_params(network, images.num_classes, images.channels)
    return names, sizes


def _block(config: Mapping[str, Any]) -> tuple[str, str]:
    """(block, family)."""
    return str(config["block"]), str(config.get("family", DEFAULT_FAMILY))


def _pair(config: Mapping[str, Any]) -> tuple[int, float]:
    return int(config["depth"]), float(config["widen_factor"])


def _told(answer: Answer | None, names: dict[Pair, str]) -> str | None:
    if answer is None:
        return None
    return names[answer.network] if answer.network is not None else answer.verdict
