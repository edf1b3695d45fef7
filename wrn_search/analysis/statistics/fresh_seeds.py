"""What fresh seeds say of finalists: how surely their medians are known, and which are told apart.

The winner is the finalist with the lowest fresh median, so its median was chosen among all: every interval holds for
all finalists together, whichever is named. Seeds of all finalists tell one spread, as two or five of one tell little.
Ranges that do not overlap are no test: of two seeds each they lie apart by chance in one of three pairs.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.analysis.input_tables.shared_values import Interval

CONFIDENCE = 0.95


@dataclass(frozen=True)
class FreshSpread:
    """The spread of fresh seeds around their finalist, pooled.

    Attributes:
        deviation: points of error.
        freedom: its degrees of freedom.
        finalists: that stand to be named.
    """

    deviation: float
    freedom: int
    finalists: int

    def of_median(self, median: float, n: int) -> Interval:
        """Of what the median of n seeds estimates: 95 % for all finalists together (Bonferroni)."""
        reach = self._quantile(self.finalists) * self.deviation * math.sqrt(variance_of_median(n))
        return median - reach, median + reach

    def of_difference(self, difference: float, n: int, of_other: int) -> Interval:
        """Of a difference of two finalists' medians: 95 % for all pairs of finalists together (Bonferroni)."""
        pairs = self.finalists * (self.finalists - 1) // 2
        variance = variance_of_median(n) + variance_of_median(of_other)
        reach = self._quantile(max(1, pairs)) * self.deviation * math.sqrt(variance)
        return difference - reach, difference + reach

    def reach(self, seeds: Sequence[int], statements: int = 1, further: float = 0.0) -> float:
        """Half of the interval of a sum or difference of medians, points: 95 % for so many statements together.

        Args:
            seeds: of each median.
            statements: Bonferroni.
            further: variance that these seeds do not tell, such as that of counting, points squared.
        """
        variance = self.deviation**2 * sum(map(variance_of_median, seeds)) + further
        return self._quantile(statements) * math.sqrt(variance)

    def _quantile(self, statements: int) -> float:
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, 1 - (1 - CONFIDENCE) / 2 / statements))


def fresh_spread(errors: Sequence[Sequence[float]]) -> FreshSpread | None:
    """Of the fresh errors of each finalist, percent; None where no finalist has two."""
    told = [values for values in errors if values]
    freedom = sum(len(values) - 1 for values in told)
    if not freedom:
        return None
    squares = sum(statistics.pvariance(values) * len(values) for values in told)
    return FreshSpread(math.sqrt(squares / freedom), freedom, len(told))


def variance_of_median(n: int) -> float:
    """Of the median of n normal values of variance 1: pi / 2 / (n + pi / 2 - 1), exact for 1 and for many.

    2 % too low for three, 20 % too high for two: Kendall & Stuart, The Advanced Theory of Statistics I, section 14.6.
    """
    return math.pi / 2 / (n + math.pi / 2 - 1)


def coverage(n: int) -> float:
    """How surely (percent) the range of n values holds the median of what they are drawn from: 100 (1 - 2^(1-n)).

    It misses only if all fall on one side of the median, which happens with probability 2 * 2^-n.
    """
    return 100 * (1 - 2.0 ** (1 - n)) if n else 0.0
