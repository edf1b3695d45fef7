"""What a lattice of a million networks costs, and a proposal in it: `python -m benchmarks.lattice_of_networks`.

CPU seconds of this process, the median and the range of five; a proposal is the mean of 200, in a search of TPE.
"""

from __future__ import annotations

import platform
import statistics
import time

from wrn_search.networks.lattice import lattice_of
from wrn_search.searchers.searcher import Full
from wrn_search.searchers.searcher_table import SEARCHERS
from wrn_search.space.space import Space
from wrn_search.space.space_file import space_from_mapping

_RUNS, _PROPOSALS = 5, 200
_BEFORE = 20  # proposals that are not timed: TPE imports its densities, and begins at random
_DOCUMENT = {
    "model": {
        "depth": {"int": [10, 3760, 6]},
        "widen_factor": {"uniform": [0.0625, 100.0]},
        "dropout": {"uniform": [0.0, 0.5]},
    },
    "search": {"searcher": "tpe", "trials": 1000},
}
_BUDGETS = {"all of them": {"max": 1e13}, "at most 100 million": {"max": 1e8}, "2.2 million +- 5 %": {
    "target": 2.2e6, "tolerance": 0.05}}  # fmt: skip


def _enumerated(budget: dict[str, float]) -> tuple[float, Space]:
    """(CPU seconds, the space) from the values of a file to the lattice."""
    lattice_of.cache_clear()
    began = time.process_time()
    space = space_from_mapping({**_DOCUMENT, "constraints": {"num_params": budget}})
    assert space.networks is not None
    return time.process_time() - began, space


def _proposal(space: Space) -> tuple[float, int]:
    """(CPU seconds of a proposal, different configurations among them)."""
    searcher = SEARCHERS["tpe"].make(space.searched)
    seen = set()
    began = time.process_time()
    for number in range(_PROPOSALS + _BEFORE):
        if number == _BEFORE:
            began = time.process_time()
        point = searcher.propose(number)
        assert point is not None
        searcher.proposed(number, point)
        searcher.told(number, Full(10.0 + number % 7))
        hparams = space.hparams_at(point)
        assert space.point_of(hparams) == point, "outside the lattice"
        seen.add(tuple(hparams.values()))
    return (time.process_time() - began) / _PROPOSALS, len(seen)


def main() -> None:
    """Prints a line a budget."""
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, n = {_RUNS}")
    _enumerated({"max": 1e13})  # imports
    for name, budget in _BUDGETS.items():
        seconds, spaces = zip(*(_enumerated(budget) for _ in range(_RUNS)), strict=True)
        space = spaces[0]
        proposal, different = _proposal(space)
        print(
            f"{name}: 1,001,600 combinations, {len(space.networks or ()):,} networks in "
            f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}); a proposal "
            f"{1000 * proposal:.2f} ms, {different} of {_PROPOSALS + _BEFORE} different, none outside"
        )


if __name__ == "__main__":
    main()
