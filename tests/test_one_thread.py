"""Answers and decisions compute with one thread, whatever the process may use, and leave the number as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg  # has a BLAS of its own
import scipy.optimize
from threadpoolctl import ThreadpoolController

from tests.curves.made_up_curves import made_up
from wrn_search.curve_process import gaussian_process
from wrn_search.curve_process.gaussian_process import CurveProcess, Rows
from wrn_search.curves import curve_fit, likeliest_variances
from wrn_search.one_thread import one_thread


def threads() -> set[int]:
    return {library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()}


def test_within_the_block_there_is_one_and_then_as_many_as_before() -> None:
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        with one_thread():
            assert threads() == {1}
        assert threads() == {2}


def test_a_fit_of_the_process_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def cholesky(*arguments: Any, **options: Any) -> Any:
        seen.append(threads())
        return scipy.linalg.cholesky(*arguments, **options)

    monkeypatch.setattr(gaussian_process, "cholesky", cholesky)
    process = CurveProcess(1, 8)
    rows = Rows(np.array([[0.1], [0.5], [0.9]]), np.full(3, 2.0), np.arange(3), np.array([0.3, 0.1, 0.2]))
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        process.fit(rows, process.prior, 2)
        assert threads() == {2}
    assert seen
    assert all(each == {1} for each in seen)


def test_the_curve_model_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def minimize(*arguments: Any, **options: Any) -> Any:
        seen.append(threads())
        return scipy.optimize.minimize(*arguments, **options)

    monkeypatch.setattr(likeliest_variances, "minimize", minimize)
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        curve_fit.fit(made_up(20), draws=10)
        assert threads() == {2}
    assert seen
    assert all(each == {1} for each in seen)
