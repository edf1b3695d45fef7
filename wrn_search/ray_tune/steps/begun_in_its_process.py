"""The next trial, begun in the process of one that has ended, by one call of Ray's.

Tune's own call for a step takes no arguments, so that the trial would have to be handed over by another call before it,
which costs the driver most of a millisecond.
"""

from __future__ import annotations

from typing import Any


def begin_in_its_process(tune_controller: Any, trial: Any, config: dict[str, Any]) -> None:
    """Calls `train_next` of the process; its result comes to Tune's controller as that of each step does.

    Whoever calls this answers Tune with NOOP: with CONTINUE it would call for a step of its own.

    Args:
        tune_controller: as a scheduler is given it, wrapped, or itself (Ray 2.60).
        trial: Tune's.
        config: of the next trial, in values that msgpack has: Ray pickles whatever holds others.
    """
    controller = getattr(tune_controller, "_tune_controller", tune_controller)
    controller._schedule_trial_task(
        trial,
        "train_next",
        (config,),
        on_result=controller._on_training_result,
        on_error=controller._trial_task_failure,
    )
