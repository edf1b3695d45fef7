"""An exception of a training as the record tells it."""

from __future__ import annotations

import traceback
from pathlib import Path

from wrn_search.errors import InputError


def told_exception(error: Exception) -> str:
    """An exception as the table shows it: our own words alone, else with the innermost lines of the trace."""
    if isinstance(error, InputError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = "; ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__}: {error} ({places})"
