"""Scheduler `none`: every trial goes on to its last epoch."""

from __future__ import annotations

from wrn_search.schedulers.scheduler import Costs, NothingWaits, SchedulerKind, Stop


class NoScheduler(NothingWaits):
    """Never stops a trial."""

    def observe(self, configuration: int, epoch: int, val_error: float, costs: Costs = ()) -> None:
        """Nothing to remember."""

    def decide(self, configuration: int, epoch: int) -> Stop | None:
        """Never."""
        return None


NO_EARLY_STOPPING = SchedulerKind(
    lambda course: NoScheduler(), stops_trials=False, takes_several_objectives=True
)
