"""Why a session of a search ended, or will: one value on record, in the exit status and in the report."""

from __future__ import annotations

from enum import StrEnum


class EndReason(StrEnum):
    """As `SearchEnded` records it."""

    FINISHED = "finished"  # all trials that were asked for have been proposed
    EXHAUSTED = "exhausted"  # a finite space has no more configurations
    MAX_HOURS = "max_hours"  # `search.max_hours` are over
    BUDGET = "budget"  # what is left of `search.budget` pays for nothing that could be compared
    DECIDED = "decided"  # its questions are answered (`search.stop_when`)
    INTERRUPTED = "interrupted"  # the user wants to stop
    FAILED = "failed"  # the search cannot go on

    @property
    def at_once(self) -> bool:
        """Whether running trials end after their epoch; else they train to their end."""
        return not self.is_whole

    @property
    def is_whole(self) -> bool:
        """Whether the search has all that it can have."""
        return self in (EndReason.FINISHED, EndReason.EXHAUSTED)

    @property
    def seconds_for_epochs(self) -> float:
        """How long running trials may take to finish their epoch; then their last checkpoint counts."""
        patient = (EndReason.MAX_HOURS, EndReason.BUDGET, EndReason.DECIDED)
        return float("inf") if self in patient else SECONDS_TO_FINISH_EPOCHS


SECONDS_TO_FINISH_EPOCHS = 10.0
