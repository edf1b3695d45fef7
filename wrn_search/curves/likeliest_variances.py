"""The most likely phi and variances: the mode of their posterior, by BFGS with the exact gradient."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from wrn_search.curves.curve_parameters import Parameters
from wrn_search.curves.design_columns import Array

_FAR = 8.0  # prior deviations


def likeliest(model: Parameters, start: Array, iterations: int) -> Array:
    """The mode, in prior deviations from their centre, searched from `start` on."""
    found: Array = minimize(
        lambda standard: loss(model, standard),
        start,
        method="BFGS",
        jac=True,
        options={"gtol": 0.05, "maxiter": iterations},
    ).x
    return found


def loss(model: Parameters, standard: Array) -> tuple[float, Array]:
    """The negative logarithm of the posterior there, and its slope."""
    if np.abs(standard).max(initial=0) > _FAR:  # a step of the search for the mode that went astray
        return 1e6 + float((standard**2).sum()), 2 * standard
    vector = model.centre + model.width * standard
    value, given = model.log_posterior(vector)
    return -value, -model.width * model.slope(vector, given)
