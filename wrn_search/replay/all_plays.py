"""All plays of a comparison, on all cores; the same plays give the same results in any number of processes."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wrn_search.replay.curve_table import CurveTable
from wrn_search.replay.methods import Method, player_of
from wrn_search.replay.simulated_clock import Clock, Play, play


@dataclass(frozen=True)
class Asked:
    """What a comparison consists of."""

    tables: tuple[CurveTable, ...]
    methods: tuple[Method, ...]
    shared: tuple[str, ...]  # `--set` of all methods
    workers: tuple[int, ...]
    seeds: int
    budget: int  # epochs
    trials: int | None  # configurations at most; None: all of the table
    tells_budget: bool = False  # whether our searches know of it, as `search.budget` would tell them

    @property
    def told_budget(self) -> int | None:
        """The epochs that our searches know to be all they have."""
        return self.budget if self.tells_budget else None


@dataclass(frozen=True)
class PlayKey:
    """Which play."""

    table: int
    method: int
    workers: int
    seed: int


@dataclass(frozen=True)
class Played:
    """One play with its cost."""

    key: PlayKey
    play: Play
    cpu_seconds: float


def keys_of(asked: Asked) -> list[PlayKey]:
    """Every play, in a fixed order."""
    return [
        PlayKey(table, method, workers, seed)
        for method in range(len(asked.methods))
        for workers in asked.workers
        for table in range(len(asked.tables))
        for seed in range(asked.seeds)
    ]


class PlaysEnded(RuntimeError):
    """A process that plays is gone; in words for the user."""


def all_plays(
    asked: Asked, processes: int, done: Callable[[int], object] = lambda count: None
) -> list[Played]:
    """The plays in the order of `keys_of`.

    Args:
        asked: the comparison.
        processes: to use.
        done: is told how many plays are over.
    """
    results: list[Played] = []
    for result in plays_in_turn(asked, keys_of(asked), processes):
        results.append(result)
        done(len(results))
    return results


def plays_in_turn(asked: Asked, keys: Sequence[PlayKey], processes: int) -> Iterator[Played]:
    """Some plays of a comparison in the order of `keys`, each as soon as it and those before it are over."""
    if processes > 1 and len(keys) > 1:
        return _in_processes(asked, keys, processes)
    return (one_play(asked, key) for key in keys)


def one_play(asked: Asked, key: PlayKey) -> Played:
    """One play."""
    began = time.process_time()
    table, method = asked.tables[key.table], asked.methods[key.method]
    clock = Clock()
    player = player_of(
        table, method, asked.shared, asked.trials, key.seed, key.workers, clock, asked.told_budget
    )
    played = play(player, table, key.workers, asked.budget, clock)
    return Played(key, played, time.process_time() - began)


def _in_processes(asked: Asked, keys: Sequence[PlayKey], processes: int) -> Iterator[Played]:
    """New processes, not copies of this one: libraries' threads do not survive a copy."""
    context = multiprocessing.get_context("spawn")
    with _package_alone(), ProcessPoolExecutor(processes, context, _begin_process, (asked,)) as pool:
        at_once = max(1, min(8, len(keys) // (4 * processes)))
        try:
            yield from pool.map(_in_this_process, keys, chunksize=at_once)
        except BrokenProcessPool:
            raise PlaysEnded(
                f"the system ended one of {processes} processes that play searches, for want of memory perhaps: "
                "fewer --seeds, or fewer tables at once, need less"
            ) from None


@contextmanager
def _package_alone() -> Iterator[None]:
    """New processes find this package, by a folder at the end of the search path with nothing else in it.

    The commands take the working directory off that path: a user's statistics.py is none of Python's.
    """
    package = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory(prefix="wrn-search-") as alone:
        Path(alone, package.name).symlink_to(package, target_is_directory=True)
        sys.path.append(alone)
        try:
            yield
        finally:
            sys.path.remove(alone)


_asked: Asked | None = None  # of a process that plays


def _begin_process(asked: Asked) -> None:
    global _asked
    _asked = asked


def _in_this_process(key: PlayKey) -> Played:
    assert _asked is not None
    return one_play(_asked, key)
