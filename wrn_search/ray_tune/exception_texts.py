"""An exception of a training as the record tells it, and whether it was one of memory."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.errors import InputError

if TYPE_CHECKING:
    pass


def is_out_of_memory(error: Exception) -> bool:
    """Of the device or of the machine; torch has a class for the one and a text for the other."""
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def told_exception(error: Exception) -> str:
    """An exception as the table shows it: our own words alone, else with the innermost lines of the trace."""
    if isinstance(error, InputError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = "; ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__}: {error} ({places})"


def last_line(error: BaseException) -> str:
    """The innermost reason in one line; Tune wraps errors in the text of their traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
