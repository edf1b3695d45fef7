"""Runs a hyperparameter search over Wide Residual Networks: `python run_search.py SPACE.yaml` (see --help)."""

from wrn_search.import_path import forget_first_folder

if __name__ == "__main__":
    forget_first_folder()  # before anything else is imported

import sys

from wrn_search.cli.search import main

if __name__ == "__main__":
    sys.exit(main())
