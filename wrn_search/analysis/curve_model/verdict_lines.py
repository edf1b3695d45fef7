"""The verdict in words: a line for each question, the winner, the smallest network as good, and how it was audited."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from wrn_search.analysis.curve_model.model_values import (
    EFFECT_MARGIN,
    Audit,
    CurveModel,
    EffectCurve,
    Margin,
    Verdict,
    Winner,
)
from wrn_search.curves.effects import DEPTH_VS_WIDTH
from wrn_search.curves.next_trainings import MOST
from wrn_search.wording import percent, plural, short_count, size, two_significant

_HEADS = {"depth": "Depth", "width": "Width", DEPTH_VS_WIDTH: "Depth against width"}
_STEPS = {
    "depth": "doubling the blocks",
    "width": "doubling the width",
    DEPTH_VS_WIDTH: "at equal parameters, a doubling spent on depth rather than on width",
}
_MOST_OF_RANGE = 0.8  # a best value that can lie in so much of the range is not told
_OF_BOTH = {"helps": "depth is worth more", "hurts": "width is worth more"}


@dataclass(frozen=True)
class Line:
    """One line of the answer."""

    head: str  # what it is about
    text: str
    verdict: str = ""  # its last words, if it decides anything

    @property
    def sentence(self) -> str:
        """As one text."""
        return f"{self.head}: {self.text}{f': {self.verdict}' if self.verdict else ''}."


def question_lines(model: CurveModel) -> list[Line]:
    """A line for each question; where nothing can be told one that says why."""
    if model.epoch is None:
        return [Line("Depth, width and the rest", f"what they do cannot be told, since {model.why_not}")]
    curves = {curve.name: curve for curve in model.curves}
    lines = [_question_line(verdict, curves) for verdict in model.verdicts]
    if not model.at_end:
        said = f"all of this is after epoch {model.epoch}, not at the end, since {model.why_not}"
        lines.insert(0, Line("Not the end", said))
    return lines


def _question_line(verdict: Verdict, curves: dict[str, EffectCurve]) -> Line:
    question = verdict.question
    step = _STEPS.get(question) or _step_of(question, verdict.unit)
    low, high = _factor(verdict.low), _factor(verdict.high)
    text = f"{step} multiplies the odds of an error by {_factor(verdict.effect)} ({low} to {high})"
    curve = curves.get(question)
    if curve is not None and curve.best is not None and _narrow(curve):
        text += f", {_where(curve)}"
    return Line(_HEADS.get(question, question), text, decided(verdict))


def _where(curve: EffectCurve) -> str:
    """Where the lowest error is expected."""
    best, low, high = (short_count(each or 0.0) for each in (curve.best, curve.best_low, curve.best_high))
    if low != high:
        return f"lowest expected at {best} ({low} to {high})"
    end = "smallest" if best == short_count(float(curve.points[0][0])) else "largest"
    return f"lowest expected at the {end} tried, {best}"


def _factor(value: float) -> str:
    """A factor on the odds, with as many digits as tell it from 1."""
    return f"{value:.3f}" if value != 1 and f"{value:.2f}" == "1.00" else f"{value:.2f}"


def _narrow(curve: EffectCurve) -> bool:
    """Whether the range of the best value is clearly less than the range of those tried."""
    ends = [curve.points[0][0], curve.points[-1][0], curve.best_low, curve.best_high]
    first, last, low, high = (float(each or 0.0) for each in ends)
    if curve.log:
        first, last, low, high = (math.log(each) for each in (first, last, low, high))
    return high - low < _MOST_OF_RANGE * (last - first)


def _step_of(question: str, unit: str) -> str:
    if "=" in question:
        return "against the mean of the levels it"
    return unit if unit.startswith(("+", "from ")) else f"{unit} in it"


def decided(verdict: Verdict) -> str:
    """The verdict in words."""
    if verdict.verdict == "no difference":
        return f"no difference beyond {100 * EFFECT_MARGIN:g} %"
    if verdict.verdict != "undecided":
        return _OF_BOTH[verdict.verdict] if verdict.question == DEPTH_VS_WIDTH else verdict.verdict
    count = verdict.trainings_to_decide
    if count is None:
        return f"undecided; more than {MOST} further trainings would be needed"
    return f"undecided; about {plural(count, 'more training')} would decide"


def expectation(winner: Winner) -> str:
    """`measured 0.00 %; expected when retrained 1.6 % (0.9 to 2.6)`."""
    measured = f"measured {percent(winner.measured)}"
    if winner.n > 1:
        measured += f", the median of {winner.n} seeds"
    expected = f"{two_significant(winner.expected)} % ({two_significant(winner.low)} to {two_significant(winner.high)})"
    return f"{measured}; expected when retrained {expected}"


def network_lines(model: CurveModel) -> list[Line]:
    """The smallest network that is as good, and how many are worse or undecided."""
    if not model.cells or model.smallest is None:
        return []
    best = min(model.cells, key=lambda each: each.estimate)
    found, smallest = Counter(each.standing for each in model.cells), model.smallest
    others = f"of {plural(len(model.cells), 'network')} of the space {found['as good']} "
    others += f"{'is' if found['as good'] == 1 else 'are'} as good, {found['worse']} worse, "
    others += f"{found['undecided']} undecided"
    within = margin_words(model.margin, best.estimate)
    when = "" if model.at_end else f" after epoch {model.epoch}"
    winner = model.winner
    if winner and winner.expected <= best.estimate and winner.num_params < smallest.num_params:
        text = (
            f"the winner's own {winner.network}, whose settings are expected to reach less than any network at its "
            f"best ({best.network}: {_interval(best.estimate, best.low, best.high)}): {others}"
        )
    elif smallest is best:
        text = (
            f"{best.network} itself, expected {_interval(best.estimate, best.low, best.high)}{when}: {others}"
        )
        text = f"no smaller one than {text}"
    else:
        above, most = two_significant(smallest.difference), two_significant(smallest.difference_high)
        text = (
            f"{smallest.network}, expected {_interval(smallest.estimate, smallest.low, smallest.high)}{when}, "
            f"{above} points above {best.network} (at most {most}), with {size(smallest.num_params)} against "
            f"{short_count(best.num_params)}: {others}"
        )
    return [Line(f"Smallest as good within {within}", text)]


def margin_words(margin: Margin, error: float) -> str:
    """`0.5 points`, or `0.8 points (10 % of the error)`."""
    points = margin.of(error)
    if margin.share and points > margin.points:
        return f"{two_significant(points)} points ({100 * margin.share:g} % of the error)"
    return f"{margin.points:g} points"


def divergence_lines(model: CurveModel) -> list[Line]:
    """How many trainings diverged, and where most did."""
    failed = sum(each.failed for each in model.diverging)
    if not failed:
        return []
    worst = max(model.diverging, key=lambda each: (each.rate, each.n))
    total = sum(each.n for each in model.diverging)
    text = (
        f"{failed} of {plural(total, 'training')} diverged; the most at depth {worst.depth}, widening factor "
        f"{worst.widen_factor:g}: {worst.failed} of {worst.n}, a rate of {_interval(worst.rate, worst.low, worst.high)}"
    )
    return [Line("Divergence", text)]


def audit_lines(model: CurveModel) -> list[Line]:
    """What the intervals rest on, and whether that was checked."""
    if model.epoch is None:
        return []
    audit = model.audit
    basis = f"intervals are 95 %, from {plural(model.trials, 'trial')} at every epoch"
    if not model.at_end:
        return [
            Line(
                "How sure", f"intervals are 95 %, from {plural(model.trials, 'trial')} at epoch {model.epoch}"
            )
        ]
    kinds = {*(each.kind for each in model.verdicts), *(each.kind for each in model.cells)}
    if "predicted" not in kinds:
        return [Line("How sure", f"{basis}; every trial reached its end, so nothing is extrapolated")]
    if not audit.hidden_ends:
        checked = "ends of stopped trials are predicted, and no anchor has an end to check that with"
    else:
        checked = (
            f"ends of stopped trials are predicted; of {hidden_words(audit, model.trained_on, 'hidden ')} "
            f"{audit.covered} lay in their intervals"
        )
    return [Line("How sure", f"{basis}; {checked}")]


def hidden_words(audit: Audit, trained_on: int, kind: str = "") -> str:
    """`12 hidden ends of anchors`, `10 ends of stopped trials trained on`, or those of both."""
    whose = "stopped trials trained on" if trained_on == audit.hidden_ends else "anchors"
    if 0 < trained_on < audit.hidden_ends:
        whose += f" and, {trained_on} of them, of stopped trials trained on"
    return f"{plural(audit.hidden_ends, f'{kind}end')} of {whose}"


def _interval(value: float, low: float, high: float) -> str:
    return f"{two_significant(value)} % ({two_significant(low)} to {two_significant(high)})"
