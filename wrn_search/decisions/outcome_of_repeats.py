"""What a searcher is told of a configuration once all its repeats have ended (rule 2 of an honest search).

And of what other searches found.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.objectives.dominance import comparable
from wrn_search.results.events import Known
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import FINAL, TrialState, costs_of
from wrn_search.searchers.searcher import COMPARABLE, Crashed, Curve, Full, Outcome, Pruned


@dataclass(frozen=True)
class EndedTrial:
    """How one repeat ended."""

    status: str  # completed | stopped | diverged | failed; stopped also of one that rests at a rung
    curve: dict[int, float]  # epoch -> validation error in percent
    out_of_memory: bool = False  # why it failed


def outcome_of_trials(
    repeats: Sequence[TrialState], chance_error: float, costs: Sequence[str] = ()
) -> Outcome:
    """The outcome of a configuration of a record; with several objectives, of which `costs` are the others, its values.

    Only a result, or an early end with a report, has any.
    """
    outcome = outcome_of([ended_trial(trial) for trial in repeats], chance_error)
    if not costs:
        return outcome
    match outcome:
        case Full(val_error):
            return Full(val_error, comparable(val_error, costs_of(repeats, costs), chance_error))
        case Pruned(curve) if curve:
            return Pruned(curve, comparable(curve[max(curve)], costs_of(repeats, costs), chance_error))
        case _:
            return outcome


def ended_trial(trial: TrialState) -> EndedTrial:
    """A trial of a record that has ended, or rests."""
    errors = {metrics.epoch: metrics.val_error for _, metrics in trial.reports}
    curve = {epoch: error for epoch, error in errors.items() if error is not None}
    status = trial.status if trial.status in FINAL else "stopped"
    return EndedTrial(status, curve, trial.out_of_memory)


def outcome_of(repeats: Sequence[EndedTrial], chance_error: float) -> Outcome:
    """The one outcome of a configuration's repeats; `chance_error` in percent.

    One that diverged or ran out of memory counts with the error of chance, one that crashed not at all. If any was
    stopped, none is a result: those that went on, in records of versions that stopped repeats one by one, were chosen
    by their luck.
    """
    lost = [chance_error for trial in repeats if trial.status == "diverged" or trial.out_of_memory]
    if any(trial.status == "stopped" for trial in repeats):
        curves = [trial.curve for trial in repeats if trial.status in ("stopped", "completed")]
        epochs = sorted(set.intersection(*(set(curve) for curve in curves)))
        means = {epoch: [curve[epoch] for curve in curves] + lost for epoch in epochs}
        return Pruned({epoch: statistics.fmean(errors) for epoch, errors in means.items()})
    full = [trial.curve[max(trial.curve)] for trial in repeats if trial.status == "completed" and trial.curve]
    return Full(statistics.fmean(full + lost)) if full or lost else Crashed()


def as_ours(known: Known, state: SearchState) -> tuple[str, Curve]:
    """The source of what another search found, and its curve over the epochs of our own schedule.

    Learning rates drop at shares of the epochs, so a curve is as far as ours at the same share of them.
    """
    same = bool(known.split_hash) and (known.split_hash, known.max_epochs) == (
        state.split_hash,
        state.max_epochs,
    )
    ratio = state.max_epochs / known.max_epochs if known.max_epochs else 1.0
    rising = sorted((int(epoch), float(error)) for epoch, error in known.curve.items())
    curve = {max(1, round(epoch * ratio)): error for epoch, error in rising}
    return COMPARABLE if same else known.source, curve
