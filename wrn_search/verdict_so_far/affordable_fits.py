"""The verdict beside a search's progress: fitted in the background, at 1 % of the driver's time or less."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np

from wrn_search.curves.curve_fit import CurveFit, fit
from wrn_search.curves.ends.ends_of_cells import ends_of_cells
from wrn_search.curves.observed_curves import ObservedCurves
from wrn_search.curves.winner_and_smallest import retrained_draws
from wrn_search.results.state_from_events import SearchState
from wrn_search.space.space import Space
from wrn_search.verdict_so_far.answered_questions import Pair
from wrn_search.verdict_so_far.curves_of_state import curves_of_state
from wrn_search.verdict_so_far.looks import Images, networks_of
from wrn_search.verdict_so_far.verdict import Expectation, VerdictSoFar

SHARE = 0.01  # of the time since the last fit ended that it may have cost, in CPU seconds
LEAST_SECONDS = 30.0  # between fits
FIRST_COST = 1.5  # CPU seconds that the first fit is taken to cost, its imports among them
DRAWS = 150
LEADING = 3  # networks that are told
_NICE = 15  # of the thread that fits: trials on the same cores go first


def is_affordable(now: float, since: float, cost: float) -> bool:
    """Whether a fit may begin: the last one ended at `since`, seconds, and took `cost` CPU seconds."""
    return now - since >= max(LEAST_SECONDS, cost / SHARE)


def verdict_of(chosen: CurveFit, names: Mapping[Pair, str]) -> VerdictSoFar:
    """The verdict of a fit; `names` are those of its networks."""
    cells = [each for each in ends_of_cells(chosen) if (each.depth, each.widen_factor) in names]
    cells.sort(key=lambda each: -each.best)
    leading = tuple((names[each.depth, each.widen_factor], each.best) for each in cells[:LEADING])
    expected = _expectations(chosen)
    return VerdictSoFar(len(chosen.trials), _winner(chosen, names, expected), leading, expected)


def _expectations(chosen: CurveFit) -> dict[str, Expectation]:
    """What another training of each trial with an end is expected to reach, by its name."""
    of = chosen.observations
    ended = np.flatnonzero(of.seen[:, -1])
    if not len(ended):
        return {}
    draws = retrained_draws(chosen)[:, of.of[ended]]
    means, (lows, highs) = draws.mean(0), np.quantile(draws, [0.025, 0.975], axis=0)
    return {
        chosen.trials[place].trial: (float(mean), float(low), float(high))
        for place, mean, low, high in zip(ended, means, lows, highs, strict=True)
    }


def _winner(
    chosen: CurveFit, names: Mapping[Pair, str], expected: Mapping[str, Expectation]
) -> tuple[str, float, float, float] | None:
    """The network of the trial with the lowest expectation, of equal ones the earlier."""
    if not expected:
        return None
    best = min(expected, key=lambda trial: expected[trial][0])
    setting = next(each for each in chosen.trials if each.trial == best).hyperparameters
    name = names.get((float(setting["depth"]), float(setting["widen_factor"])))
    return None if name is None else (name, *expected[best])


class VerdictWatch:
    """Fits again whenever something has happened and a fit is affordable; `verdict` is the last one.

    A fit runs in a thread of low priority, so that neither decisions nor trials wait for it. Whatever goes wrong in it,
    the search goes on and nothing is told.

    Args:
        look: the table and the names of its networks now; None where there is nothing to fit yet.
        clock: seconds.
    """

    def __init__(
        self,
        look: Callable[[], tuple[ObservedCurves, Mapping[Pair, str]] | None],
        clock: Callable[[], float] = time.monotonic,
    ):
        self._look, self._clock = look, clock
        self.changes = (
            0  # how often anything has happened that a fit could tell of; whoever hears of it counts
        )
        self.verdict: VerdictSoFar | None = None
        self.cost = FIRST_COST  # CPU seconds of the last fit
        self._since = clock()
        self._seen = 0
        self._thread: threading.Thread | None = None

    def tick(self) -> None:
        """Begins a fit if one is due; called often."""
        if self._thread is not None and self._thread.is_alive():
            return
        if not is_affordable(self._clock(), self._since, self.cost) or self.changes == self._seen:
            return
        self._seen = self.changes
        started = time.thread_time()
        with suppress(Exception):  # a search does not end with those who watch it
            if (found := self._look()) is not None:
                spent = time.thread_time() - started
                self._thread = threading.Thread(target=self._fit, args=(*found, spent), daemon=True)
                self._thread.start()
                return
        self._since = self._clock()

    def join(self) -> None:
        """Waits for the fit in progress."""
        if self._thread is not None:
            self._thread.join()

    def _fit(self, table: ObservedCurves, names: Mapping[Pair, str], spent: float) -> None:
        if sys.platform == "linux":  # elsewhere a thread has no priority of its own
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        with suppress(Exception):
            self.verdict = verdict_of(fit(table, draws=DRAWS), names)
        self.cost = spent + time.thread_time()
        self._since = self._clock()


def watch_of(state: SearchState, space: Space, images: Images, rungs: tuple[int, ...]) -> VerdictWatch:
    """Watches a search, whose state is what it is at each fit."""

    def look() -> tuple[ObservedCurves, Mapping[Pair, str]] | None:
        table = curves_of_state(state, space.hyperparameters, rungs, images.validation)
        return None if table is None else (table, networks_of(state, space, images)[0])

    return VerdictWatch(look)
