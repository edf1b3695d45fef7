"""When a search ends, and why.

Its hours are over, its budget is spent, its questions are answered, the user wants to stop, all is proposed, or it
cannot go on.
"""

from __future__ import annotations

from collections.abc import Callable

from wrn_search.end_reason import EndReason
from wrn_search.space.sections.search_keys import SearchSettings


class SearchEnd:
    """The end of one session of a search; there is none as long as `reason` is None.

    Args:
        search: what may end it before its last trial: `max_hours`, `budget` and `stop_when`.
        seconds_spent: wall seconds of the sessions before.
        clock: seconds.
        is_decided: whether its questions are answered (`search.stop_when`).
        is_spent: whether nothing is left of `search.budget`.
    """

    def __init__(
        self,
        search: SearchSettings,
        seconds_spent: float,
        clock: Callable[[], float],
        is_decided: Callable[[], bool] = lambda: False,
        is_spent: Callable[[], bool] = lambda: False,
    ):
        self.reason: EndReason | None = None  # why no further trial will come; None while one may
        self.failure: str | None = None  # what went wrong, when that is `failed`
        self._max_hours = search.max_hours
        # Most searches have none of these keys, and are looked at twice for each report.
        self.may_come_early = (search.max_hours, search.budget, search.stop_when) != (None, None, None)
        self._spent_before = seconds_spent
        self._clock = clock
        self._is_decided = is_decided
        self._is_spent = is_spent
        self._began = clock()

    @property
    def seconds_spent(self) -> float:
        """Wall seconds of all sessions."""
        return self._spent_before + (self._clock() - self._began)

    @property
    def seconds_left(self) -> float | None:
        """Wall seconds that `search.max_hours` leaves over all sessions; None without a limit."""
        return None if self._max_hours is None else self._max_hours * 3600 - self.seconds_spent

    @property
    def at_once(self) -> bool:
        """Whether running trials end after their epoch."""
        return self.reason is not None and self.reason.at_once

    @property
    def all_proposed(self) -> bool:
        """Whether all trials have been proposed."""
        return self.reason is not None and self.reason.is_whole

    def look(self, trials_left: bool) -> None:
        """Ends the search when hours or budget are spent, or it is decided.

        Args:
            trials_left: whether any may still train.
        """
        left = self.seconds_left
        hours_are_over = left is not None and left <= 0
        if not hours_are_over and not self._is_spent():
            if self.reason is None and self._is_decided():
                self.reason = EndReason.DECIDED
            return
        # All may have been proposed already: the trials that still train must not go on either.
        if self.reason is None or (self.all_proposed and trials_left):
            self.reason = EndReason.MAX_HOURS if hours_are_over else EndReason.BUDGET

    def nothing_can_be_paid(self) -> None:
        """Something is left of the budget, but nothing that waits or would be new can be compared with it."""
        if self.reason is None or self.all_proposed:
            self.reason = EndReason.BUDGET

    def interrupt(self, trials_left: bool) -> None:
        """The user wants to stop."""
        over = self.all_proposed and not trials_left
        if self.reason is not EndReason.FAILED and not over:
            self.reason = EndReason.INTERRUPTED

    def fail(self, error: str) -> None:
        """The search cannot go on; the first reason stands."""
        if self.reason not in (EndReason.INTERRUPTED, EndReason.FAILED):
            self.reason, self.failure = EndReason.FAILED, error
