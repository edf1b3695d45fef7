"""Retries and failures: what happens to a trial on a fault or for want of memory, and when the whole search gives up.

Pure: each function takes what is known and says what follows; the conductor puts it on record.
"""

from __future__ import annotations

from collections.abc import Iterable

from wrn_search.decisions.gpu_packing import Asked, Grant
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.results.trial_state import FINAL, TrialState

ENDED_BEFORE_GIVING_UP = 10  # trials
DISPLACED_BEFORE_CHARGED = 5  # nodes that leave under one trial


def failure_after(error: str, retries: int, allowed: int) -> str | None:
    """What a trial fails with that was lost by a fault that can pass; None while it may be tried again.

    Args:
        error: the fault.
        retries: tries after the first that were charged already.
        allowed: `search.retries`.
    """
    if retries < allowed:
        return None
    reason, line_end, where = error.partition(
        "\n"
    )  # the file that has all of it is named in a line of its own
    return f"{reason} (tried {retries + 1} times){line_end}{where}" if retries else error


def is_charged(times: int) -> bool:
    """Whether a trial whose node has left so many times pays with a try: it may be what ends the nodes."""
    return times > DISPLACED_BEFORE_CHARGED


def more_memory_than(trial: TrialState, workload: Workload, grant: Grant, error: str) -> tuple[Asked, str]:
    """What a trial that ran out of memory needs, and the reason in words; the tries before count too.

    Args:
        trial: as it stands on record.
        workload: what its memory depends on.
        grant: what was too little.
        error: the exception's text.
    """
    room = grant.room_bytes
    memory = f"{room / 1e9:.1f} GB" if room else f"{grant.gpu_fraction:g} of a GPU"
    reason = f"needs more than {memory} at batch size {trial.config['batch_size']}: {error}"
    above = max(trial.above_share, grant.gpu_fraction), max(trial.above_bytes, room)
    return Asked(workload, *above, trial.out_of_memory_tries + 1), reason


def reason_to_give_up(trials: Iterable[TrialState], max_failed_share: float) -> str | None:
    """Why the whole search must end; None while it may go on.

    Args:
        trials: all that did not end before this session, by number.
        max_failed_share: `search.max_failed_share`.
    """
    ended = [trial for trial in trials if trial.status in FINAL]
    failed = [trial for trial in ended if trial.status == "failed"]
    if len(ended) < ENDED_BEFORE_GIVING_UP or len(failed) <= max_failed_share * len(ended):
        return None
    last = (failed[-1].error or "").replace("\n", "; ")
    return (
        f"at most a share of {max_failed_share:g} of the trials may fail (search.max_failed_share), "
        f"but {len(failed)} of {len(ended)} did, the last one by: {last}"
    )
