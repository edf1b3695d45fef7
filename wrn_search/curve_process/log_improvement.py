"""Expected improvement in logarithms: far from the best it is too small for a double, and still says who is nearest."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, ndtr

from wrn_search.curve_process.gaussian_process import Array

_FAR = -25.0


def log_improvement(u: Array) -> Array:
    """log(u Phi(u) + phi(u)), also far below 0, where it is phi(u) / u^2 to first order."""
    log_density = -0.5 * u * u - 0.5 * np.log(2 * np.pi)
    below = np.clip(u, _FAR, 0.0)
    ratio = np.exp(log_ndtr(below) + 0.5 * below * below + 0.5 * np.log(2 * np.pi))  # Phi / phi
    near = np.where(u < _FAR, -2 * np.log(np.maximum(-u, 1.0)), np.log1p(below * ratio))
    above = np.maximum(u, 0.0)
    found: Array = np.where(
        u > 0, np.log(np.maximum(above * ndtr(above) + np.exp(log_density), 1e-300)), log_density + near
    )
    return found
