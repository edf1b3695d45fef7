"""What is trained under `protocol: test_each`: a list of networks, each on all training images and tested once."""

from __future__ import annotations

from wrn_search.decisions.proposals import SearchPlan
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import TrialState


class OneReadingPlan(SearchPlan):
    """A grid or the points of the file, in their order. Whoever proposes them never hears what came out.

    Trained networks may meet the test split, once each.
    """

    reads_test_split = True

    def ends_with_last_epoch(self, trial: TrialState) -> bool:
        """Once it has its test error."""
        return trial.tested is not None

    def _tell_outcome(self, state: SearchState, configuration: int) -> None:
        """Nobody hears of it."""

    def rests(self, configuration: int, state: SearchState) -> None:
        """Nobody hears of it."""
