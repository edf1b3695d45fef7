"""A recorded search played again: whether it proposes and stops as it did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wrn_search.replay.our_search import OurSearch
from wrn_search.replay.simulated_clock import Clock, play
from wrn_search.replay.table_of_results import RecordedSearch, table_of_results
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import FINAL
from wrn_search.wording import plural


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
    budget = {name: most for name, most in (recorded.space.search.budget or {}).items() if name == "epochs"}
    search = recorded.space.search.model_copy(
        update={"max_hours": None, "budget": budget or None, "warm_start": ()}
    )
    space = recorded.space.model_copy(update={"search": search})
    clock = Clock()
    at_once = workers or recorded.workers
    player = OurSearch(space, recorded.table, at_once, clock, seeds_in_order=True, known=recorded.known)
    result = play(player, recorded.table, at_once, 10**12, clock)
    return _compared(recorded, player.state, dict(result.unrecorded))


def _compared(recorded: RecordedSearch, played: SearchState, unrecorded: dict[int, int]) -> SameAsRecorded:
    """Trial by trial, until the first difference; what had not ended on record need not have ended in the play."""
    trials = {n: trial for n, trial in recorded.state.trials.items() if trial.status != "failed"}
    proposals = stops = 0
    difference = ""
    for number, trial in trials.items():
        other = played.trials.get(number)
        if other is None or other.hparams != trial.hparams:
            got = "was not proposed" if other is None else f"was proposed as {other.hparams}"
            difference = f"trial {number} {got}, on record is {trial.hparams}"
            break
        proposals += 1
        if trial.status in FINAL and (
            number in unrecorded or other.status != trial.status or other.rung != trial.rung
        ):
            was = f"{trial.status} after {plural(trial.epochs_done, 'epoch')}"
            now = f"goes on to epoch {unrecorded[number]}" if number in unrecorded else f"is {other.status}"
            difference = f"trial {number} was {was}; played again it {now}"
            break
        stops += 1
    return SameAsRecorded(len(trials), proposals, stops, difference)
