"""What a product tells alone: planted laws of which the answer is known."""

from __future__ import annotations

import math

import pytest

from tests.analysis.planted import Plan, plant
from wrn_search.analysis.all_findings import findings_of
from wrn_search.report.hyperparameter_importance import importance

TRAINING = {
    "epochs": 5,
    "learning_rate": {"loguniform": [1e-3, 1.0]},
    "weight_decay": {"loguniform": [1e-6, 1e-3]},
}


def by_product(leaves, num_params):
    """Errors that rise with the product and know its factors through nothing else."""
    return 10 + 2 * math.log10(leaves["learning_rate"] * leaves["weight_decay"] / 1e-9)


def by_rate(leaves, num_params):
    return 10 + 4 * math.log10(leaves["learning_rate"] / 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("law", "product", "alone"),
    [
        (by_product, 1.0, (0.5, 0.5)),  # two equal and independent parts of a sum
        (by_rate, 0.5, (1.0, 0.0)),  # the correlation of a part with the sum, squared
    ],
)
def test_the_share_is_that_of_the_law(law, product, alone, tmp_path):
    search = {"searcher": "random", "scheduler": "none", "trials": 60}
    plan = Plan(
        model={"depth": 16, "widen_factor": 2}, training=TRAINING, search=search, error=law, noise=0.1
    )
    found = findings_of(plant(tmp_path / "a", plan))
    (share,) = found.importance.products
    assert (share.name, share.factors) == ("lr_x_wd", ("learning_rate", "weight_decay"))
    assert share.share == pytest.approx(product, abs=0.1)
    assert share.alone == pytest.approx(alone, abs=0.1)
    assert share.low <= share.share <= share.high
    assert sum(found.importance.shares.values()) == pytest.approx(1.0)  # the product is no further share
    assert "lr_x_wd" not in found.importance.shares
    assert "eside them lr_x_wd, learning_rate x weight_decay, tells alone" in importance(found).reading
