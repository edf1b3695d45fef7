"""The audit: do ends that were hidden from the model lie in its intervals as often as they should?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from scipy.special import bdtrc  # scipy.stats takes half a second to import

from wrn_search.curves.curve_fit import fit
from wrn_search.curves.ends.ends_of_trials import PredictedEnd, ends_of_trials
from wrn_search.curves.observed_curves import CurveTrial, ObservedCurves
from wrn_search.curves.shared_epochs import first_rung

_FOLDS = 4
_CONFIDENCE = 0.95
_CHANCE = 0.05  # an audit fails where so many misses are less likely than this


@dataclass(frozen=True)
class Audit:
    """Hidden ends against nominal 95 % intervals.

    Attributes:
        anchors: trials drawn before any result and never stopped.
        hidden_ends: of them or of others, that were predicted without being seen.
        covered: of those, how many lay in their interval.
        passed: whether so many misses, or more, had a probability of at least 5 % (binomial); True without any end.
    """

    anchors: int
    hidden_ends: int
    covered: int
    passed: bool


def audit_of(
    anchors: int, predicted: Iterable[PredictedEnd], ends: Mapping[str, float], images: float
) -> Audit:
    """Predictions against the ends (percent, by trial, counted on `images`) that were measured afterwards."""
    pairs = [(each, ends[each.trial]) for each in predicted if each.trial in ends]
    return judged(anchors, len(pairs), sum(covers(each.low, each.high, end, images) for each, end in pairs))


def covers(low: float, high: float, end: float, images: float) -> bool:
    """Whether an end of m wrong images, which stands for m - 1/2 to m + 1/2 of them, meets an interval; all percent.

    Without the half an end of 0 % would lie outside of every interval of log-odds.
    """
    half = 50 / images
    return low - half <= end <= high + half


def judged(anchors: int, hidden_ends: int, covered: int) -> Audit:
    """The audit of so many hidden ends, of which so many were covered."""
    return Audit(anchors, hidden_ends, covered, chance_of(hidden_ends, covered) >= _CHANCE)


def chance_of(hidden_ends: int, covered: int) -> float:
    """Probability of so many misses, or more, where intervals hold what they say; 1 without any end."""
    missed = hidden_ends - covered
    return float(bdtrc(missed - 1, hidden_ends, 1 - _CONFIDENCE)) if missed else 1.0


def audit_by_anchors(
    table: ObservedCurves, stopped_at: Mapping[str, int] | None = None, seed: int = 0, draws: int = 150
) -> Audit:
    """Hides the ends of the anchors, a quarter of them at a time, and predicts them from what is left.

    Args:
        stopped_at: where the scheduler would have stopped each anchor; the first rung where not given. Anchors that
            would have gone on to their end are hidden from the last rung before it.
    """
    anchors = [each for each in table.trials if each.anchor]
    ended = [each for each in anchors if each.epochs and each.epochs[-1] == table.last_epoch]
    predicted: list[PredictedEnd] = []
    ends = {each.trial: 100 * each.wrong[-1] / table.images for each in ended}
    first = first_rung(table)
    for fold in range(min(_FOLDS, len(ended))):
        hidden = {each.trial for each in ended[fold::_FOLDS]}
        cut = {name: (stopped_at or {}).get(name, first) for name in hidden}
        trials = tuple(_cut(each, cut[each.trial]) if each.trial in hidden else each for each in table.trials)
        found = ends_of_trials(fit(replace(table, trials=trials), seed, draws))
        predicted += [each for each in found if each.trial in hidden]
    return audit_of(len(anchors), predicted, ends, table.images)


def _cut(trial: CurveTrial, epoch: int) -> CurveTrial:
    kept = [index for index, each in enumerate(trial.epochs) if each <= epoch and each < trial.epochs[-1]]
    return replace(
        trial,
        epochs=tuple(trial.epochs[index] for index in kept),
        wrong=tuple(trial.wrong[index] for index in kept),
        status="stopped",
    )
