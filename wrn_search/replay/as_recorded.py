"""A recorded search played again: whether it proposes and stops as it did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Clock, UnrecordedEpoch, play
from wrn_search.replay.table_of_results import RecordedSearch, table_of_results
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import FINAL


@dataclass(frozen=True)
class SameAsRecorded:
    """What the play did beside the record."""

    trials: int  # on record
    proposals: int  # of them that were proposed alike, one after the other from the first
    stops: int  # of those, that ended alike: status and epoch
    difference: str  # the first one, in words; empty if there is none

    @property
    def same(self) -> bool:
        """Whether all were."""
        return self.proposals == self.stops == self.trials


def played_again(path: Path, workers: int | None) -> SameAsRecorded:
    """Plays the search of a results directory with its own seed, searcher and scheduler.

    Args:
        path: the directory.
        workers: trials at once; default as recorded.

    Raises:
        InputError: see `table_of_results`.
    """
    recorded = table_of_results(path, whole=False)
    search = recorded.space.search.model_copy(update={"max_hours": None, "warm_start": ()})
    space = recorded.space.model_copy(update={"search": search})
    clock = Clock()
    at_once = workers or recorded.workers
    player = OurSearch(space, recorded.table, at_once, clock, seeds_in_order=True, known=recorded.known)
    unrecorded = ""
    try:
        play(player, recorded.table, at_once, 10**12, clock)
    except UnrecordedEpoch as error:
        unrecorded = str(error)
    return _compared(recorded, player.state, unrecorded)


def _compared(recorded: RecordedSearch, played: SearchState, unrecorded: str) -> SameAsRecorded:
    trials = {n: trial for n, trial in recorded.state.trials.items() if trial.status in FINAL - {"failed"}}
    proposals = stops = 0
    for number, trial in trials.items():
        other = played.trials.get(number)
        if other is None:
            return SameAsRecorded(
                len(trials), proposals, stops, unrecorded or f"trial {number} was not proposed"
            )
        if other.hparams != trial.hparams:
            text = f"trial {number} was proposed as {other.hparams}, on record is {trial.hparams}"
            return SameAsRecorded(len(trials), proposals, stops, unrecorded or text)
        proposals += 1
        if (other.status, other.rung) != (trial.status, trial.rung):
            was = f"{trial.status} after {trial.epochs_done} epochs"
            text = f"trial {number} was {was}; played again it is {other.status} at {other.rung or 'no rung'}"
            return SameAsRecorded(len(trials), proposals, stops, unrecorded or text)
        stops += 1
    return SameAsRecorded(len(trials), proposals, stops, "")
