"""Linear algebra of an answer or a decision by one thread: the cores are the trials', and spinning threads take them.

And the order of sums is then the same whatever the machine.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """As long as the block lasts numpy and scipy compute with one thread; then with as many as before."""
    limit: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limit


@cache
def _libraries() -> ThreadpoolController:
    """Those that are loaded; looking for them takes milliseconds."""
    return ThreadpoolController()
