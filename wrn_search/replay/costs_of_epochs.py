"""What the epochs of recorded trials cost on the simulated clock: of one beside others, what it would take alone."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from wrn_search.results.trial_state import TrialState
from wrn_search.seconds_alone import those_that_count

Seconds: TypeAlias = dict[
    tuple[int, int], float
]  # (trial, epoch) -> what it took, validation and waiting included


def costs_of_epochs(took: Mapping[tuple[int, int], float], trials: Sequence[TrialState]) -> Seconds:
    """Of an epoch that had its device alone what it took; of another the median of its network's that had.

    A network none of whose epochs had is taken to cost what its multiply-adds do elsewhere. Where no epoch of all
    trials was alone (`those_that_count`), each costs what it took.
    """
    told = [
        ((trial, metrics.epoch), metrics.epoch in trial.alone)
        for trial in trials
        for _, metrics in trial.reports
    ]
    counted, are_costs = those_that_count(told)
    if not are_costs:
        return dict(took)
    by_size: dict[int, list[float]] = {}
    for trial, epoch in counted:
        by_size.setdefault(trial.training_macs, []).append(took[trial.number, epoch])
    of_size = {size: statistics.median(seconds) for size, seconds in by_size.items()}
    of_a_multiply_add = statistics.median(seconds / size for size, seconds in of_size.items())
    return {
        (trial.number, epoch): took[trial.number, epoch]
        if alone
        else of_size.get(trial.training_macs, of_a_multiply_add * trial.training_macs)
        for (trial, epoch), alone in told
    }
