"""How much of what two hyperparameters do together follows from their product alone.

With batch norm, SGD's step relative to the length of a weight depends on learning_rate x weight_decay (van Laarhoven,
"L2 Regularization versus Batch and Weight Normalization", arXiv 1706.05350), and pycls, of Radosavovic et al.'s
"Designing Network Design Spaces" (arXiv 2003.13678), plots populations of networks over it (`lr_wd` in
`pycls/sweep/analysis.py`). Here the curve model says whether it holds of a search.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wrn_search.analysis.curve_model.model_values import ProductShare
from wrn_search.curves.curve_fit import CurveFit
from wrn_search.curves.design_columns import Array, Axis
from wrn_search.curves.settings_of_cells import back_on_scale
from wrn_search.results.table_columns import PRODUCTS

_GRID = 25  # values of each
_BANDS = 25  # of equal products


def product_shares(fit: CurveFit) -> tuple[ProductShare, ...]:
    """One for each pair of `PRODUCTS` that both vary on a logarithmic scale."""
    axes = fit.observations.design.axes
    found = []
    for name, (one, other) in PRODUCTS.items():
        pair = [axes[each] for each in (one, other) if each in axes and axes[each].scale == "log10"]
        if len(pair) == 2:
            found.append(_share(fit, name, pair[0], pair[1]))
    return tuple(found)


def _share(fit: CurveFit, name: str, one: Axis, other: Axis) -> ProductShare:
    """Shares of the variance over the plane of both, each drawn evenly on its scale: first-order Sobol indices."""
    design = fit.observations.design
    places = [np.linspace(axis.low, axis.high, _GRID) for axis in (one, other)]
    settings = [
        {one.name: _value(one, right), other.name: _value(other, up)}
        for right in places[0]
        for up in places[1]
    ]
    rows = np.array([design.row(setting) for setting in settings])
    own = [
        bool(column.factors) and {axis for axis, _ in column.factors} <= {one.name, other.name}
        for column in design.columns
    ]
    ends = fit.late[:, own] @ rows[:, own].T  # (S, values of one x values of the other)
    total = np.maximum(ends.var(axis=1), 1e-300)
    products = (places[0][:, None] + places[1][None, :]).ravel()  # of logarithms: their sum
    edges = np.linspace(products.min(), products.max(), _BANDS + 1)[1:-1]
    plane = ends.reshape(len(ends), _GRID, _GRID)
    share = _variance_between(ends, np.digitize(products, edges)) / total
    low, high = np.quantile(share, [0.025, 0.975])
    return ProductShare(
        name=name,
        factors=(one.name, other.name),
        share=float(share.mean()),
        low=float(low),
        high=float(high),
        alone=(
            float((plane.mean(axis=2).var(axis=1) / total).mean()),
            float((plane.mean(axis=1).var(axis=1) / total).mean()),
        ),
    )


def _variance_between(ends: Array, bands: NDArray[np.integer[Any]]) -> Array:
    """(S,) variance of the means of the bands, each counted as often as it has values."""
    members = np.array([bands == band for band in np.unique(bands)], dtype=float)
    sizes = members.sum(1)
    means = ends @ members.T / sizes
    deviations = means - ends.mean(axis=1, keepdims=True)
    variance: Array = (deviations**2 @ sizes) / sizes.sum()
    return variance


def _value(axis: Axis, place: float) -> float:
    return back_on_scale(axis, float(place - axis.centre) / axis.unit)
