"""At which epochs curves are compared: the rungs, or a few epochs that trials share."""

from __future__ import annotations

import math
from collections import Counter

from wrn_search.curves.observed_curves import ObservedCurves

MOST = 6  # epochs; more say little that these do not, and each costs
_FEW = 3  # curves that must have an epoch for it to count
_EARLIEST = 0.7  # of the first rung: what lies before says nothing of the end, and bends phi
_FAR, _BEFORE = (
    8,
    0.45,
)  # but where the end is so many times as far, one epoch about there tells who still falls
_APART = 1.3  # in ratio


def shared_epochs(table: ObservedCurves) -> tuple[int, ...]:
    """The epochs of the model, rising, the last being the table's end; at most `MOST`.

    First come the rungs and the epochs where trials were stopped, the most frequent first; room that is left goes to
    epochs between, evenly in the logarithm, that at least three trials have.
    """
    usable = _usable(table)
    stopped = Counter(
        trial.epochs[-1] for trial in table.trials if trial.epochs and trial.status == "stopped"
    )
    given = [epoch for epoch in table.rungs if epoch in usable]
    given += [epoch for epoch, _ in stopped.most_common() if epoch in usable and epoch not in given]
    chosen = set(given[: MOST - 1]) | {table.last_epoch}
    if not usable:
        return (table.last_epoch,)
    if not given:
        chosen.add(min(usable, key=lambda epoch: (abs(epoch - table.last_epoch / 10), epoch)))
    first = min(chosen)
    before = [epoch for epoch in usable if _APART * epoch <= first]
    if before and len(chosen) < MOST and _FAR * first <= table.last_epoch:
        chosen.add(min(before, key=lambda epoch: (abs(math.log(epoch / (_BEFORE * first))), epoch)))
    free = {epoch for epoch in usable if epoch >= _EARLIEST * first}
    while len(chosen) < MOST and (more := _widest_gap(chosen, free - chosen)) is not None:
        chosen.add(more)
    return tuple(sorted(chosen))


def first_rung(table: ObservedCurves) -> int:
    """The first of the rungs, or of the epochs where trials were stopped, else of the shared ones."""
    usable = _usable(table)
    stopped = {trial.epochs[-1] for trial in table.trials if trial.epochs and trial.status == "stopped"}
    return min(({*table.rungs} | stopped) & usable, default=shared_epochs(table)[0])


def _usable(table: ObservedCurves) -> set[int]:
    """Epochs before the end that enough trials have."""
    seen = Counter(epoch for trial in table.trials for epoch in trial.epochs)
    enough = min(_FEW, len(table.trials))
    return {epoch for epoch, count in seen.items() if count >= enough} - {table.last_epoch}


def _widest_gap(chosen: set[int], free: set[int]) -> int | None:
    """The free epoch whose nearest chosen ones are furthest, in ratio; None where all are near."""

    def distance(epoch: int) -> float:
        return min(max(epoch / other, other / epoch) for other in chosen)

    best = max(free, key=lambda epoch: (distance(epoch), epoch), default=None)
    return best if best is not None and distance(best) >= _APART else None
