"""Optuna's TPE with SciPy's logarithm of the normal distribution: the same numbers, a fifth of the time.

Optuna computes it in Python, value by value, which is two thirds of what a proposal beside 400 trials costs, in our own
searcher and in the rivals alike. A benchmark that plays a hundred thousand proposals takes the compiled one.
"""

from __future__ import annotations


def quick_tpe() -> None:
    """From now on in this process."""
    from optuna.samplers._tpe import _truncnorm
    from scipy.special import log_ndtr

    assert callable(_truncnorm._log_ndtr)
    _truncnorm._log_ndtr = log_ndtr
