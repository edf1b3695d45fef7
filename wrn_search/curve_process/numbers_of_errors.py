"""Errors as the numbers that the process is about, and back: log-odds, the worse half of them drawn together.

Differences among bad configurations say nothing of where the best ones lie, and a diverged one must not set the scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wrn_search.curve_process.gaussian_process import Array

_BEST = 0.1  # of first values: the unit is how far their best tenth lies below their median
_LEAST_UNIT = 0.02  # in log-odds


@dataclass(frozen=True)
class Numbers:
    """0 is the median of the configurations' first values; below it the unit is as said, above it is a logarithm."""

    images: int  # that errors are counted on
    median: float  # log-odds
    unit: float

    @classmethod
    def of_first_errors(cls, errors: Array, images: int) -> Numbers:
        """By the first error of each configuration, percent; at least one."""
        odds = _log_odds(errors, images)
        low, median = float(np.quantile(odds, _BEST)), float(np.median(odds))
        return cls(images, median, max(median - low, _LEAST_UNIT))

    def of(self, errors: Array) -> Array:
        """Of errors in percent."""
        apart = (_log_odds(errors, self.images) - self.median) / self.unit
        numbers: Array = np.where(apart > 0, np.log1p(np.maximum(apart, 0.0)), apart)
        return numbers

    def errors(self, numbers: Array) -> Array:
        """Percent."""
        apart = np.where(numbers > 0, np.expm1(np.clip(numbers, 0.0, 50.0)), numbers)
        share = 1 / (1 + np.exp(-np.clip(self.median + self.unit * apart, -50.0, 50.0)))
        errors: Array = 100 * np.clip((share * (self.images + 1) - 0.5) / self.images, 0.0, 1.0)
        return errors


def _log_odds(errors: Array, images: int) -> Array:
    """log((m + 1/2) / (n - m + 1/2)), m wrong of n; what is no number counts as all wrong."""
    wrong = np.clip(np.nan_to_num(errors, nan=100.0, posinf=100.0, neginf=0.0) / 100 * images, 0, images)
    odds: Array = np.log((wrong + 0.5) / (images - wrong + 0.5))
    return odds
