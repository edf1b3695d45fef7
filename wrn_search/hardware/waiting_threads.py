"""How OpenMP's threads wait for each other: asleep, not spinning. It reads this when torch is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# As they come they spin, and take the cores from other trials: WRN-10-0.5 on digits with two threads on two busy cores
# trained 140 to 260 images/s spinning and 1,250 to 1,900 sleeping.
_PASSIVE_WAIT = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}


def let_waiting_threads_sleep() -> None:
    """From the first import of torch on; a wait that the user chose stays."""
    for name, value in _PASSIVE_WAIT.items():
        os.environ.setdefault(name, value)


@contextmanager
def waiting_threads_asleep() -> Iterator[None]:
    """For a block in which torch is imported; afterwards the process has the environment that it had."""
    before = {name: os.environ.get(name) for name in _PASSIVE_WAIT}
    let_waiting_threads_sleep()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
