"""Whether an error can be told from guessing: a configuration at chance is no candidate at any rung."""

from __future__ import annotations

import math
from functools import lru_cache

from wrn_search.schedulers.scheduler import Stop

_UNLIKELY = 0.02275  # P(Z < -2) of a normal: two deviations on one side, where the tail is symmetric
_NEGLIGIBLE = 1e-12  # of what was summed


@lru_cache(4096)
def at_chance(val_error: float, chance_error: float, validation_images: int) -> bool:
    """Whether an error cannot be told from guessing: P(X <= wrong) > 2.3 %, X ~ Binomial(images, chance).

    Never where no error could be told from it: 60 images with a chance error of 5 % are all answered rightly by
    guessing in 4.6 % of all cases, so even a perfect network would be stopped.

    Args:
        val_error: percent.
        chance_error: percent; the error of always answering the most frequent class.
        validation_images: how many images `val_error` was counted on.
    """
    share, wrong = chance_error / 100, round(val_error * validation_images / 100)
    if binomial_tail(0, validation_images, share) > _UNLIKELY:
        return False
    return val_error >= chance_error or binomial_tail(wrong, validation_images, share) > _UNLIKELY


def end_of_guessing(rung: int, val_error: float) -> Stop:
    """How one at chance ends, whatever the others reached."""
    return Stop(rung, f"validation error {val_error:.2f} % is still that of guessing", at_chance=True)


def binomial_tail(most: int, n: int, share: float) -> float:
    """P(X <= most), X ~ Binomial(n, share), `most` at or below the mean: summed from the largest term down."""
    if share in (0.0, 1.0):
        return float(most >= n * share)
    logarithm = math.lgamma(n + 1) - math.lgamma(most + 1) - math.lgamma(n - most + 1)
    term = math.exp(logarithm + most * math.log(share) + (n - most) * math.log1p(-share))
    total = 0.0
    for count in range(most, -1, -1):
        total += term
        if term < total * _NEGLIGIBLE:
            break
        term *= count * (1 - share) / ((n - count + 1) * share)
    return total
