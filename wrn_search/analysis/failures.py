"""What went wrong, and the denominators: every trial is counted once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.results.trial_state import COUNTS_AS_CHANCE, STATUSES, WAITS_AT_A_RUNG

_BAD = ("failed", "diverged", "interrupted")
MAX_REASON = 300  # characters of it
MAX_NAMED = 100  # trials named for one reason; `count` counts all


@dataclass(frozen=True)
class Reason:
    """Trials that ended badly for one reason."""

    status: str  # failed | diverged | interrupted
    reason: str  # first line of the error, to be escaped
    count: int
    trials: tuple[int, ...]
    at_chance: bool = False  # they count with the error of chance: they diverged or ran out of memory


@dataclass(frozen=True)
class Counts:
    """Every trial counted once; the denominators of the page."""

    trials: int
    by_status: dict[str, int]  # all six statuses
    configurations: int
    networks: int  # distinct depth, widening factor and block
    ended: int
    epochs_done: int
    train_hours: float


def counts_of(material: Material) -> Counts:
    """All trials by status, and what they took."""
    trials = material.trials
    by_status = Counter(trials["status"])
    return Counts(
        trials=len(trials),
        by_status={status: by_status[status] for status in sorted(STATUSES)},
        configurations=int(trials["configuration"].nunique()),
        networks=int(trials["network"].nunique()),
        ended=len(material.ended),
        epochs_done=int(trials["epochs_done"].sum()),
        train_hours=float(trials["train_seconds"].fillna(0.0).sum()) / 3600,
    )


def failures_of(material: Material) -> tuple[Reason, ...]:
    """Trials that failed, diverged or were interrupted, by status and first line of the reason."""
    rows = material.trials[material.trials["status"].isin(_BAD)]
    found: dict[tuple[str, str], list[int]] = {}
    at_chance = set()
    for trial, status, error in rows[["status", "error"]].itertuples(name=None):
        found.setdefault((str(status), _reason(error)), []).append(int(trial))
        if status == "diverged" or (status == "failed" and COUNTS_AS_CHANCE in str(error)):
            at_chance.add((str(status), _reason(error)))
    reasons = [
        Reason(status, reason, len(trials), tuple(trials[:MAX_NAMED]), (status, reason) in at_chance)
        for (status, reason), trials in found.items()
    ]
    return tuple(sorted(reasons, key=lambda reason: (-reason.count, reason.status, reason.reason)))


def _reason(error: object) -> str:
    """The first line that says something; the text is whoever's who raised it."""
    lines = error.strip().splitlines() if isinstance(error, str) else []
    if lines and lines[0].startswith(WAITS_AT_A_RUNG):  # each for a reason of its own; that is no failure
        return lines[0].partition(":")[0] + ": it may go on when the search does"
    return lines[0].strip()[:MAX_REASON] if lines else "no reason on record"
