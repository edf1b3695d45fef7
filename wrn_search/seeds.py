"""Every random number of a search comes from `search.seed`: one derived seed for each purpose and number."""

from __future__ import annotations

import hashlib


def derived_seed(seed: int, purpose: str, *numbers: int) -> int:
    """A seed in [0, 2**31) for one purpose, such as ("trial", configuration, repeat).

    A hash, not a sum: neighbouring numbers get unrelated seeds, in every process and on every machine alike.
    """
    text = ":".join([str(seed), purpose, *map(str, numbers)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
