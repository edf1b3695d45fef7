"""The curve model: an answer from every epoch of every trial, also of those that were stopped.

`ObservedCurves` -> `fit` -> `CurveFit`; every answer is a pure function of the fit.
"""
