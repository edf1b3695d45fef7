"""Comparisons of two networks: what a claim of the paper is made of, and the pairs that results at hand can repeat."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Entry = tuple[str, float | None]  # (name of a network, dropout); None: that of the table's own row
Pair = tuple[Entry, Entry]  # (of which it is claimed, what it is held against)
Kind = Literal["lower", "not lower", "close", "no worse", "faster"]
Trained = tuple[str, float]  # (name of a network, dropout) as somebody trained it
PairsOf = Callable[[Iterable[Trained]], Iterator[Pair]]  # of what is at hand

_NAME = re.compile(r"WRN-(\d+)-(\d+(?:\.\d+)?)")
CIFAR = ("cifar10", "cifar100")


@dataclass(frozen=True)
class Part:
    """One statement on pairs of networks, which must hold for each of them.

    Attributes:
        kind: what is claimed of the first one's error: lower, not lower, close (either way), no worse; or `faster`,
            that its epochs take at most 1 / `factor` of the seconds.
        pairs: those that networks at hand can be held against.
        all_pairs: those of the paper's table, to tell which of them could not be compared.
    """

    kind: Kind
    pairs: PairsOf
    all_pairs: tuple[Pair, ...]
    factor: float = 1.0


def fixed(kind: Kind, *pairs: Pair, factor: float = 1.0) -> Part:
    """The same pairs whatever is at hand."""

    def those(trained: Iterable[Trained]) -> Iterator[Pair]:
        there = set(trained)
        names = {name for name, _ in there}
        for pair in pairs:
            if all(name in names if dropout is None else (name, dropout) in there for name, dropout in pair):
                yield pair

    return Part(kind, those, pairs, factor)


def _named(trained: Iterable[Trained]) -> Iterator[tuple[str, int, float]]:
    """(name, depth, k) of the WRNs at hand whose blocks their names leave out."""
    for name in sorted({name for name, _ in trained}):
        match = _NAME.fullmatch(name)
        if match is not None:
            yield name, int(match[1]), float(match[2])


def against(network: str, *others: str) -> tuple[Pair, ...]:
    """One network against each of the others, as the table's rows have them."""
    return tuple(((network, None), (other, None)) for other in others)


def widest_against_narrowest(trained: Iterable[Trained]) -> Iterator[Pair]:
    """At each depth the widest network against the narrowest, widening factors 1 to 12."""
    by_depth: dict[int, dict[float, str]] = {}
    for name, depth, width in _named(trained):
        if 1 <= width <= 12:
            by_depth.setdefault(depth, {})[width] = name
    for _, widths in sorted(by_depth.items()):
        if len(widths) > 1:
            yield (widths[max(widths)], None), (widths[min(widths)], None)


def deepest_against_shallowest(trained: Iterable[Trained]) -> Iterator[Pair]:
    """With k = 8 and k = 10 the deepest network of 16 to 28 layers against the shallowest."""
    by_width: dict[float, dict[int, str]] = {}
    for name, depth, width in _named(trained):
        if width in (8, 10) and 16 <= depth <= 28:
            by_width.setdefault(width, {})[depth] = name
    for _, depths in sorted(by_width.items()):
        if len(depths) > 1:
            yield (depths[max(depths)], None), (depths[min(depths)], None)


def forty_against_less(trained: Iterable[Trained]) -> Iterator[Pair]:
    """WRN-40-8 against WRN-28-8, of which the paper prints no number, else against WRN-22-8, which the text names."""
    there = {name for name, _ in trained}
    other = next((name for name in ("WRN-28-8", "WRN-22-8") if name in there), None)
    if "WRN-40-8" in there and other:
        yield ("WRN-40-8", None), (other, None)


def with_dropout(trained: Iterable[Trained]) -> Iterator[Pair]:
    """On CIFAR: WRN-28-10 and WRN-52-1; WRN-16-4, which the text excepts on CIFAR-10, where neither is at hand."""
    there = set(trained)
    networks = {name for name, _ in there if {(name, 0.0), (name, 0.3)} <= there}
    wanted = ["WRN-28-10", "WRN-52-1"]
    if not set(wanted) & networks:
        wanted = ["WRN-16-4"]
    yield from (((name, 0.3), (name, 0.0)) for name in wanted if name in networks)


def pairs_of(*names: tuple[str, str]) -> tuple[Pair, ...]:
    """The same of each pair of names."""
    return tuple(((one, None), (other, None)) for one, other in names)
