"""Searchers whose algorithms are those of libraries: Optuna's, SciPy's and cmaes'; a table names them."""
