"""How many processes of a trial decode, beside the one that trains."""

from __future__ import annotations

_CORES_PER_WORKER = (
    8  # of a CPU that trains: one that decodes feeds them, at 224x224 pixels and 1.8 GMAC an image
)


def decoding_workers(threads: int, on_gpu: bool) -> int:
    """Worker processes of a training with so many cores: beside a GPU all but the one that feeds it."""
    return max(1, threads - 1 if on_gpu else threads // _CORES_PER_WORKER)
