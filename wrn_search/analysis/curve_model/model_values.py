"""What the curve model found, as frozen plain values. Errors are validation errors in percent, intervals 95 %.

`measured`: nothing behind the value is extrapolated; `predicted`: it rests on ends that the model predicts from the
epochs before, and is audited by anchors (rule 5 of an honest search).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wrn_search.analysis.input_tables.shared_values import Value

EFFECT_MARGIN = 0.1  # relative change of the odds of an error that makes no difference


@dataclass(frozen=True)
class Margin:
    """Within how many points of error a smaller network is as good: the larger of the two."""

    points: float = 0.5
    share: float = 0.1  # of the best network's error

    def of(self, error: float) -> float:
        """Points, where the best error is so many percent."""
        return max(self.points, self.share * error)


@dataclass(frozen=True)
class Verdict:
    """What one question's answer is."""

    question: str  # depth | width | depth_vs_width | a hyperparameter | `name=level`
    unit: str  # the step in words
    effect: float  # factor on the odds of an error; below 1 is better
    low: float
    high: float
    kind: str  # measured | predicted
    verdict: str  # helps | hurts | no difference | undecided; of depth_vs_width `helps` speaks for depth
    trainings_to_decide: int | None  # 0 if decided; None: more than a plan can hold


@dataclass(frozen=True)
class ModelCell:
    """A network at its own best setting of everything else, trained anew with another seed."""

    depth: int
    widen_factor: float
    network: str
    num_params: int
    at: Mapping[str, Value]
    estimate: float
    low: float
    high: float
    kind: str
    n: int  # trials of the cell that reached the epoch at which it is told
    reached: tuple[tuple[int, int], ...]  # (rung or last epoch, trials of the cell that reached it)
    best: float  # probability that no other cell is better
    difference: float  # points above the best cell, with the bounds of Hsu's comparison with the best
    difference_low: float
    difference_high: float
    standing: str  # as good | worse | undecided


@dataclass(frozen=True)
class NetworkStanding:
    """A network of a few that were compared: what its trials reached, and what it reaches at its own best setting."""

    network: str
    trials: int
    ended: int  # of them that reached full epochs
    lowest: float | None  # validation error of those; None without one
    at: Mapping[str, Value]  # where its expected error is lowest
    expected: float  # there, the mean over fresh seeds
    low: float
    high: float


@dataclass(frozen=True)
class Contest:
    """Two networks, each at its own best setting of everything else."""

    better: NetworkStanding  # by the expected error
    other: NetworkStanding
    difference: float  # points that the other one lies above
    low: float  # with an interval that holds for all contests together
    high: float
    verdict: str  # better | no difference | undecided


@dataclass(frozen=True)
class Winner:
    """The configuration that was trained to its end and is expected to be lowest when trained again."""

    trial: int
    configuration: int
    network: str
    num_params: int
    measured: float  # median of its repeats
    n: int  # completed repeats
    expected: float
    low: float
    high: float


@dataclass(frozen=True)
class TrialEnd:
    """The end of a trial that has none, predicted from its curve."""

    trial: int
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class EffectPoint:
    """A trial as if it had the network and the other settings of the curve."""

    trial: int
    value: Value
    error: float
    ended: bool  # else its end is predicted


@dataclass(frozen=True)
class EffectCurve:
    """The expected error over one hyperparameter, all else fixed: adjusted for the network."""

    name: str
    log: bool
    categorical: bool
    at: Mapping[str, Value]  # all else
    points: tuple[tuple[Value, float, float, float], ...]  # (value, estimate, low, high)
    trials: tuple[EffectPoint, ...]
    best: float | None  # value with the lowest expected error among those seen, and its 95 % range
    best_low: float | None
    best_high: float | None
    span: tuple[
        Value, Value, float, float, float
    ]  # (best value, worst value, factor on the odds between, its interval)


@dataclass(frozen=True)
class PlanePoint:
    """A trial at its own two values, as if it had the network and the other settings of the plane."""

    trial: int
    x: float
    y: float
    error: float
    ended: bool  # else its end is predicted


@dataclass(frozen=True)
class EffectPlane:
    """The expected error over two numeric hyperparameters, all else fixed: adjusted for the network.

    Attributes:
        x, y: the hyperparameters; `x_log` and `y_log` where they act on a logarithm.
        at: all else.
        x_values, y_values: rising, between the lowest and the highest value tried.
        errors, lows, highs: percent, a row for each of `y_values`, with 95 % intervals.
        above: lower end of the 95 % interval of the log-odds above those of the lowest of `errors`; where it is 0 or
            less the error is not told from the lowest.
    """

    x: str
    y: str
    x_log: bool
    y_log: bool
    at: Mapping[str, Value]
    x_values: tuple[float, ...]
    y_values: tuple[float, ...]
    errors: tuple[tuple[float, ...], ...]
    lows: tuple[tuple[float, ...], ...]
    highs: tuple[tuple[float, ...], ...]
    above: tuple[tuple[float, ...], ...]
    trials: tuple[PlanePoint, ...]


@dataclass(frozen=True)
class Share:
    """How much of what the hyperparameters do to the log-odds of an error one of them does alone."""

    name: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class ProductShare:
    """Of what two hyperparameters do to the log-odds of an error together: what their product tells alone.

    Beside it what each of the two tells alone. The three say the same thing in part, so they sum to nothing.
    """

    name: str  # of the product
    factors: tuple[str, str]
    share: float
    low: float  # 95 % interval
    high: float
    alone: tuple[float, float]  # of each factor


@dataclass(frozen=True)
class NextTraining:
    """One configuration of the plan, to be trained with `count` fresh seeds."""

    question: str  # that it narrows
    network: str
    hparams: Mapping[str, Value]
    hours: float | None  # of each seed, at the measured pace; None where nothing was timed
    low: float  # the interval of the question's factor after the plan as far as its last seed
    high: float
    count: int = 1


@dataclass(frozen=True)
class Audit:
    """Ends of anchors, and of stopped trials trained on later, that were hidden from the model; nominal 95 %."""

    anchors: int
    hidden_ends: int
    covered: int
    passed: bool


@dataclass(frozen=True)
class DivergenceRate:
    """How often trainings of a network diverge, percent."""

    depth: int
    widen_factor: float
    rate: float
    low: float
    high: float
    failed: int
    n: int


@dataclass(frozen=True)
class CurveModel:
    """All that the curves say; empty, with the reason, where the model cannot tell.

    Attributes:
        epoch: after which verdicts, cells and curves hold; None where there is no fit at all.
        at_end: whether that is the end; else every value is that after the first rung, and `why_not` says why.
        why_not: why there is nothing, or nothing of the end.
        trials: in the fit; `of` were on record.
        remarks: of the fit, a sentence each.
        early: every cell after the first rung, from all trials there: nothing is extrapolated.
        early_epoch: that rung; None where it is no other than `epoch`.
    """

    epoch: int | None = None
    at_end: bool = False
    why_not: str = ""
    trials: int = 0
    of: int = 0
    remarks: tuple[str, ...] = ()
    margin: Margin = field(default_factory=Margin)
    verdicts: tuple[Verdict, ...] = ()
    cells: tuple[ModelCell, ...] = ()
    early: tuple[ModelCell, ...] = ()
    early_epoch: int | None = None
    winner: Winner | None = None
    smallest: ModelCell | None = None  # of the cells that are as good as the best
    contests: tuple[Contest, ...] = ()  # the best of a few listed networks against each of the others
    ends: tuple[TrialEnd, ...] = ()
    curves: tuple[EffectCurve, ...] = ()
    plane: EffectPlane | None = None  # of dropout and weight decay, or of two others that take many values
    importance: tuple[Share, ...] = ()  # the largest first; they sum to 1
    products: tuple[ProductShare, ...] = ()  # of pairs whose product is an axis too
    next: tuple[NextTraining, ...] = ()
    why_no_next: str = ""
    spread: float | None = (
        None  # points by which trainings of equal settings differ, at the best cell's error
    )
    diverging: tuple[DivergenceRate, ...] = ()  # empty where no training diverged
    audit: Audit = field(default_factory=lambda: Audit(0, 0, 0, True))
    trained_on: int = 0  # of the hidden ends, those of stopped trials that the command `audit` trained on
