"""Which of the values that were told count, so that an expectation costs the same however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIRST_FIT, GROWTH = 8, 1.25
_BEST_OF_LEVEL = 8


@dataclass(frozen=True)
class Told:
    """A value of a configuration."""

    configuration: int
    epoch: int
    error: float  # percent


def next_count(count: int) -> int:
    """Of values, at which the process is fitted next."""
    return FIRST_FIT if count < FIRST_FIT else max(count + 2, int(count * GROWTH))


def latest(told: Iterable[Told]) -> list[Told]:
    """One of each configuration and epoch, the last."""
    return list({(each.configuration, each.epoch): each for each in told}.values())


def chosen(told: Sequence[Told], most: int) -> list[Told]:
    """At most so many: all, or the last two of each, or of the best at each level and of a draw of the others."""
    kept = latest(told)
    if len(kept) <= most:
        return kept
    curves: dict[int, list[Told]] = {}
    for each in kept:
        curves.setdefault(each.configuration, []).append(each)
    lasts = {who: sorted(curve, key=lambda each: each.epoch)[-2:] for who, curve in curves.items()}
    if sum(map(len, lasts.values())) > most:
        lasts = {who: lasts[who] for who in _drawn(lasts, most // 2, len(told))}
    return [each for curve in lasts.values() for each in curve]


def _drawn(lasts: Mapping[int, list[Told]], most: int, seed: int) -> list[int]:
    """At most so many configurations: those that are best at their last levels, from the top, and others."""
    levels: dict[int, list[tuple[float, int]]] = {}
    for who, curve in lasts.items():
        levels.setdefault(curve[-1].epoch, []).append((curve[-1].error, who))
    best = [
        who for level in sorted(levels, reverse=True) for _, who in sorted(levels[level])[:_BEST_OF_LEVEL]
    ]
    best = best[: most // 2]
    others = sorted(lasts.keys() - set(best))
    generator = np.random.RandomState(seed)  # its stream is frozen in all versions of NumPy
    places: NDArray[np.int64] = generator.permutation(len(others))[: most - len(best)]
    return [*best, *(others[place] for place in sorted(places.tolist()))]
