"""Whether places at a rung say anything of later ones: measured while a search runs, on the trials that passed a rung.

Successive halving assumes that they do. Where they say nothing it throws away two thirds of what it trains at every
rung, by lot. So each configuration that comes from a rung to the next one, or from the last one to its end, is held
beside those that came there before: Kendall's tau between the two orders. Under "nothing lasts" tau is about normal
around 0 with variance 2 (2n + 5) / (9 n (n - 1)) (Kendall, "Rank Correlation Methods", chapter 5); under "places last"
around `EXPECTED`: less than among all, as only the best of a rung come on. The ratio of the two, over all rungs, and
what was believed before make the probability that places last. While it is one half or more, a search is what it was.

What it cannot see is a table whose early epochs agree with each other and not with the end, before many came to it
(`benchmarks/README.md`, "Where early epochs say nothing").
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

EXPECTED, SPREAD = 0.5, 0.2  # of tau where places last
BELIEVED = 0.75  # before anything was seen
_COUNTED = 64  # pairs of a rung: by then it is clear
_LEAST = 4  # pairs, before which a rung says nothing


@dataclass
class PlacesThatLast:
    """A fold over reports: the same reports in the same order give the same answer.

    Args:
        levels: the rungs, and the last epoch.
    """

    levels: tuple[int, ...]
    _errors: dict[int, dict[int, float]] = field(default_factory=dict)  # level -> configuration -> percent
    _orders: dict[int, _TwoOrders] = field(default_factory=dict)  # by the later of two levels
    _probability: float | None = None  # `probability`, until more is observed: it is asked at every decision

    def observe(self, configuration: int, epoch: int, val_error: float) -> None:
        """The first report of a configuration at a level; finite."""
        if epoch not in self.levels or configuration in self._errors.setdefault(epoch, {}):
            return
        self._errors[epoch][configuration] = val_error
        place = self.levels.index(epoch)
        before = self._errors.get(self.levels[place - 1], {}) if place else {}
        if configuration in before:
            orders = self._orders.setdefault(epoch, _TwoOrders())
            orders.add(before[configuration], val_error)
            self._probability = None

    @property
    def probability(self) -> float:
        """That places last."""
        if self._probability is None:
            self._probability = self._by_what_was_observed()
        return self._probability

    def _by_what_was_observed(self) -> float:
        odds = math.log(BELIEVED / (1 - BELIEVED)) + sum(each.evidence for each in self._orders.values())
        return 1 / (1 + math.exp(-min(max(odds, -700), 700)))

    def one_in(self, reduction_factor: int) -> float:
        """One in so many goes on: eta while it is likelier than not that places last, ever nearer to all below."""
        probability = self.probability
        return float(reduction_factor) if probability >= 0.5 else float(reduction_factor ** (2 * probability))


@dataclass
class _TwoOrders:
    """Those that came from one level to the next, with their errors at both."""

    evidence: float = 0.0  # logarithm of how much likelier what was seen is where places last
    _pairs: list[tuple[float, float]] = field(default_factory=list)
    _agree: int = 0  # of two configurations, how often both orders say the same
    _differ: int = 0

    def add(self, earlier: float, later: float) -> None:
        """One more, until there are enough."""
        if len(self._pairs) >= _COUNTED:
            return
        for other_earlier, other_later in self._pairs:
            sign = (earlier - other_earlier) * (later - other_later)
            self._agree += sign > 0
            self._differ += sign < 0
        self._pairs.append((earlier, later))
        self.evidence = evidence_of(self._agree, self._differ)


def evidence_of(agree: int, differ: int) -> float:
    """Logarithm of the ratio of two probabilities of a Kendall's tau: where places last, and where nothing does.

    Equal errors say nothing: of n configurations with ties as much is known as of fewer without. Orders that contradict
    each other are worth no more than one by lot.
    """
    untied = agree + differ
    count = (1 + math.sqrt(1 + 8 * untied)) / 2  # n (n - 1) / 2 = untied
    if count < _LEAST:
        return 0.0
    tau = max(0.0, (agree - differ) / untied)
    by_lot = 2 * (2 * count + 5) / (9 * count * (count - 1))
    return _log_normal(tau, EXPECTED, by_lot + SPREAD**2) - _log_normal(tau, 0.0, by_lot)


def _log_normal(value: float, mean: float, variance: float) -> float:
    return -0.5 * (math.log(variance) + (value - mean) ** 2 / variance)
