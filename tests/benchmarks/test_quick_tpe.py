"""SciPy's logarithm of the normal distribution instead of Optuna's: the same numbers and the same plays."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.samplers._tpe import _truncnorm

from benchmarks.quick_tpe import quick_tpe
from tests.benchmarks.made_tables import made_table
from tests.benchmarks.test_rivals import played


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """For one test."""
    monkeypatch.setattr(_truncnorm, "_log_ndtr", _truncnorm._log_ndtr)
    quick_tpe()


@pytest.mark.usefixtures("quick")
def test_it_computes_the_same() -> None:
    points = np.linspace(-60, 12, 1001)
    slow = [_truncnorm._log_ndtr_single(float(point)) for point in points]
    # Near 6 Optuna's loses digits, log(1 - 1e-9): hence the absolute tolerance.
    assert np.allclose(_truncnorm._log_ndtr(points), slow, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["ray", "optuna-tpe+hyperband"])
def test_a_play_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_table(60, 9)
    plain = played(name, table)
    monkeypatch.setattr(_truncnorm, "_log_ndtr", _truncnorm._log_ndtr)
    quick_tpe()
    assert played(name, table) == plain
