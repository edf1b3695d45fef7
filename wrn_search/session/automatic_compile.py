"""Whether trials are compiled by torch.compile: decided once for a whole search."""

from __future__ import annotations

import os
import shutil

from wrn_search.errors import InputError
from wrn_search.results.state_from_events import SearchState

_COMPILERS = ("g++", "clang++")


def resolved_compile(asked: str, gpu_fraction: float, state: SearchState | None = None) -> str:
    """`on` or `off` for `auto | on | off`; a search that is resumed keeps what it began with.

    `auto` is off. On CPUs compiled networks train as fast as plain ones and take half a minute to begin
    (`benchmarks/compiling.py`), so it never pays back within a trial; on GPUs nobody has measured it yet.

    Args:
        asked: `training.compile`.
        gpu_fraction: of a GPU for each trial.
        state: of the search to resume.

    Raises:
        InputError: `on`, for a CPU without the C++ compiler that torch needs there.
    """
    asked = next((str(trial.config["compile"]) for trial in state.trials.values()), asked) if state else asked
    if asked == "on" and not gpu_fraction and not _has_compiler():
        text = f"a C++ compiler must be installed ({' or '.join(_COMPILERS)}), but none was found"
        raise InputError.of("training.compile", f"{text}; use off")
    return "on" if asked == "on" else "off"


def _has_compiler() -> bool:
    """Whether there is one where torch looks for it."""
    return any(shutil.which(name) for name in (os.environ.get("CXX"), *_COMPILERS) if name)
