"""What Ray takes for granted of a process that uses it, and tells badly or not at all when it is not so."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wrn_search.errors import InputError

_NO_DOCSTRINGS = 2  # of -O's


def check_this_process() -> None:
    """Sees to it that Ray can be used from here.

    Raises:
        InputError: the working directory is gone, or Python was told to forget docstrings.
    """
    try:
        Path.cwd()
    except FileNotFoundError:
        rule = "the working directory must exist: results go there, and Ray starts its processes in it"
        text = f"{rule}; but {os.environ.get('PWD', 'it')} was deleted (cd to another one, or to the new one there)"
        raise InputError.of("", text) from None
    if sys.flags.optimize >= _NO_DOCSTRINGS:
        variable = os.environ.get("PYTHONOPTIMIZE")
        came = f"PYTHONOPTIMIZE={variable}" if variable else "python -OO"
        text = f"Python must keep its docstrings, which Ray Tune reads when it is imported, but got {came}; use -O"
        raise InputError.of("", text)
