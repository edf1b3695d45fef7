"""Runs a hyperparameter search over Wide Residual Networks: `python run_search.py SPACE.yaml` (see --help)."""

import sys

from wrn_search.cli.search import main

if __name__ == "__main__":
    sys.exit(main())
