"""Which prepared images a GPU is not given a copy of: those of a data set that is large, whatever GPU there is."""

from __future__ import annotations

from pathlib import Path

LARGEST_COPY = 8_000_000_000  # bytes of prepared images and labels, up to which a GPU holds a copy of all


def stored_bytes(folder: Path) -> int:
    """Of prepared images and labels."""
    return sum(path.stat().st_size for path in folder.glob("*.npy"))


def stays_mapped(folder: Path) -> bool:
    """Whether batches are gathered from the map on disk and copied one by one; a rule of the data alone.

    So a search plans the memory of its trials in the same way wherever they are trained.
    """
    return stored_bytes(folder) > LARGEST_COPY


def bytes_on_gpu(stored: int) -> int:
    """What of so many bytes of prepared images a GPU holds."""
    return 0 if stored > LARGEST_COPY else stored
