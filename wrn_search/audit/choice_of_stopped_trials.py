"""Which stopped trial is trained to its end next: drawn by the search's seed, spread over depth and width."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import TrialState
from wrn_search.seeds import derived_seed


def stopped_trials(state: SearchState) -> list[TrialState]:
    """Those that early stopping ended, by number."""
    return [trial for _, trial in sorted(state.trials.items()) if trial.status == "stopped"]


def next_to_audit(stopped: Sequence[TrialState], taken: Collection[str], seed: int) -> TrialState | None:
    """One of the cell of which the fewest were taken, by `trial_id`; None where all are.

    Cells that are alike, and trials of a cell, come in an order drawn once: whoever asks for more trials, or whose
    search has gone on meanwhile, adds to those taken before.
    """
    counts = Counter(_cell(trial) for trial in stopped if trial.trial_id in taken)

    def order(trial: TrialState) -> tuple[int, int, int, int]:
        cell = _cell(trial)
        depth, millionths = int(cell[0]), round(1e6 * cell[1])
        return (
            counts[cell],
            derived_seed(seed, "audit cell", depth, millionths),
            derived_seed(seed, "audit trial", trial.number),
            trial.number,
        )

    return min((trial for trial in stopped if trial.trial_id not in taken), key=order, default=None)


def search_seed(state: SearchState) -> int:
    """`search.seed` of the last session; 0 where an older version did not record the space."""
    search = state.space.get("search")
    seed = search.get("seed") if isinstance(search, dict) else None
    return seed if isinstance(seed, int) else 0


def _cell(trial: TrialState) -> tuple[float, float]:
    return float(trial.config["depth"]), float(trial.config["widen_factor"])
