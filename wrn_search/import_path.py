"""Where the commands import from: Python's library, what is installed, and this package; not where the user works."""

import sys


def forget_first_folder() -> None:
    """Takes the folder off the search path that Python has put first: the script's, or for `-m` the working directory.

    A statistics.py that lies there would be taken for Python's own. This package has been imported from there and keeps
    its place. Python's -P (PYTHONSAFEPATH) has put nothing first.
    """
    if not sys.flags.safe_path:
        del sys.path[0]
