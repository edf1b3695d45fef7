"""How surely a search will answer: the intervals of depth and width that its played trials would leave.

The played trials' design, which networks come how far, goes into the curve model with the variances that the model
believes in before it has seen a curve (their prior medians). Then the covariance of the coefficients follows in closed
form, as it does for a plan of trainings (`curves/next_trainings.py`); the errors themselves hardly matter.
"""

from __future__ import annotations

import math

import numpy as np

from wrn_search.curves.curve_fit import CurveFit, observations_of
from wrn_search.curves.curve_likelihood import coefficients
from wrn_search.curves.curve_parameters import Parameters
from wrn_search.curves.effects import size_contrasts
from wrn_search.curves.settings_of_cells import cells_of
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.results.state_from_events import SearchState
from wrn_search.space.space import Space
from wrn_search.verdict_so_far.curves_of_state import curves_of_state

_NORMAL = 1.959964


def intervals_of(state: SearchState, space: Space, facts: DataFacts) -> dict[str, float]:
    """Question -> F: the 95 % interval of its factor on the odds will be about x/F to x F, whatever x is.

    Args:
        state: of a played search.
        space: the search.
        facts: of its images.
    """
    table = curves_of_state(state, space.hyperparameters, rungs_of(space), facts.validation_images)
    if table is None:
        return {}
    try:
        observations, trials = observations_of(table)
    except ValueError:  # no played trial came below guessing
        return {}
    model = Parameters(observations)
    believed = model.variances(model.centre)
    given = coefficients(observations, believed)
    fit = CurveFit(table, observations, trials, (believed,), given.mean[None], believed, given, 0.0, 0)
    rungs = len(observations.epochs)
    late = slice(rungs, rungs + len(observations.design.columns))
    covariance = np.linalg.inv(given.root @ given.root.T)[late, late]
    contrasts = size_contrasts(fit, cells_of(fit))
    return {
        question: math.exp(_NORMAL * math.sqrt(float(contrast @ covariance @ contrast)))
        for question, contrast in contrasts.items()
    }
