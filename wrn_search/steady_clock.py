"""Unix seconds that only go forward: the wall clock may be set, by hand or by the network, while a search runs."""

from __future__ import annotations

import time

# Linux counts the hours of a machine that slept here, and not in the monotonic clock.
_COUNTER = getattr(time, "CLOCK_BOOTTIME", None)


class SteadyClock:
    """The wall clock as it stood when this clock was made, and from then on the seconds that have really gone by.

    Differences of its times are durations; what the wall clock jumps meanwhile is not in them.

    Args:
        not_before: Unix seconds; times begin there when the wall clock has been set back behind it.
    """

    def __init__(self, not_before: float = 0.0):
        self._began = max(time.time(), not_before)
        self._zero = _elapsed()

    def __call__(self) -> float:
        """Unix seconds."""
        return self._began + _elapsed() - self._zero


def _elapsed() -> float:
    """Seconds from some moment on."""
    return time.monotonic() if _COUNTER is None else time.clock_gettime(_COUNTER)
