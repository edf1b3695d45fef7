"""What a search takes of the disk, from its space alone: the checkpoints that can be there at once, and the record."""

from __future__ import annotations

from wrn_search.complexity import num_params
from wrn_search.space.definition import Space
from wrn_search.space.explain import network_range

BYTES_PER_PARAMETER = 8  # weight and momentum, fp32
BYTES_PER_EPOCH = 600  # of a trial: its line in the record, its row in Parquet, its points in TensorBoard
_USUAL_CLASSES = 10  # where only the files can tell


def checkpoint_bytes(space: Space) -> int:
    """A checkpoint of the largest network of the space, at most."""
    facts = space.dataset.facts
    channels = 3 if facts.image_shape is None else facts.image_shape[2]
    _, largest = network_range(space)
    return BYTES_PER_PARAMETER * num_params(largest, facts.num_classes or _USUAL_CLASSES, channels)


def disk_text(space: Space, concurrent: int, rows: int) -> str:
    """One line for the plan.

    Args:
        space: the search.
        concurrent: trials at once.
        rows: trials at most.
    """
    best = min(space.search.keep_checkpoints, rows)
    each = checkpoint_bytes(space)
    # Each running trial may write its next one beside its last one.
    most = (2 * concurrent + best) * each
    record = rows * space.training.epochs * BYTES_PER_EPOCH
    return (
        f"checkpoints of {concurrent} running and {best} best trials, {_size(each)} each at most: "
        f"{_size(most)}; record, tables and curves {_size(record)} at most"
    )


def _size(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
