"""Pure error: what repeats of equal settings tell of noise, whatever curve is laid through them; and lack of fit.

The interval of a contrast then rests on the spread of the repeats and not on how far the curve misses the means, which
few networks tell badly. Whether the curve misses them by more than the repeats explain is a test of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wrn_search.analysis.input_tables.shared_values import Interval

Floats = NDArray[np.float64]

ALPHA = 0.05  # of the test of lack of fit


@dataclass(frozen=True)
class LackOfFit:
    """Whether the means lie further from the curve than their repeats explain: F of lack of fit against pure error.

    Attributes:
        statistic: mean square of lack of fit over that of pure error.
        freedom: degrees of freedom of both.
        probability: of so large a statistic, or a larger one, where the curve is right.
    """

    statistic: float
    freedom: tuple[int, int]
    probability: float

    @property
    def fails(self) -> bool:
        """Whether the curve does not fit, at 5 %."""
        return self.probability < ALPHA


@dataclass(frozen=True)
class RepeatedFit:
    """Least squares through the means of repeats, each with the weight of its repeats.

    Attributes:
        coefficients: (p,).
        covariance: (p, p) of the coefficients, by the pooled variance of repeats.
        freedom: of that variance.
        lack_of_fit: None where there are no more means than coefficients.
    """

    coefficients: Floats
    covariance: Floats
    freedom: int
    lack_of_fit: LackOfFit | None

    def interval(self, contrast: Floats) -> Interval:
        """95 % of `contrast @ coefficients`, by Student's t."""
        from scipy.special import stdtrit

        middle = float(contrast @ self.coefficients)
        reach = float(stdtrit(self.freedom, 0.975)) * float(np.sqrt(contrast @ self.covariance @ contrast))
        return middle - reach, middle + reach


def is_repeated(groups: Sequence[Sequence[float]]) -> bool:
    """Whether the repeats tell the noise of all: at least half as many degrees of freedom as there are settings.

    So it is for a grid with seeds, also where some are missing; and not where a few of many settings have repeats.
    """
    freedom = sum(len(values) - 1 for values in groups)
    return bool(groups) and 2 * freedom >= len(groups)


def repeated_fit(design: Floats, groups: Sequence[Sequence[float]]) -> RepeatedFit | None:
    """The fit of (n, p) `design` to the repeats of each of n settings; None if they all are equal.

    Draper & Smith, Applied Regression Analysis, 3rd ed. (1998), section 2.1.
    """
    count = np.array([len(values) for values in groups], dtype=float)
    means = np.array([np.mean(values) for values in groups])
    squares = sum(
        float(((np.asarray(values) - mean) ** 2).sum()) for values, mean in zip(groups, means, strict=True)
    )
    freedom = int(count.sum()) - len(groups)
    if freedom < 1 or squares == 0:
        return None
    inverse = np.linalg.pinv((design * count[:, None]).T @ design).astype(np.float64)
    coefficients = inverse @ (design.T @ (count * means))
    variance = squares / freedom
    return RepeatedFit(
        coefficients,
        variance * inverse,
        freedom,
        _lack_of_fit(
            count,
            means - design @ coefficients,
            len(groups) - np.linalg.matrix_rank(design),
            variance,
            freedom,
        ),
    )


def _lack_of_fit(count: Floats, missed: Floats, left: int, variance: float, freedom: int) -> LackOfFit | None:
    from scipy.special import fdtrc

    if left < 1:
        return None
    statistic = float((count * missed**2).sum()) / left / variance
    return LackOfFit(statistic, (int(left), freedom), float(fdtrc(left, freedom, statistic)))
