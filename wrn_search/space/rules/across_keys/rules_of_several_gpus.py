"""Rules of trials that train on several GPUs: each has an equal part of every batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.space.domains import finite_values
from wrn_search.space.rules.broken_rule import Broken, Path, got
from wrn_search.space.space import Space


def _batches_have_equal_parts(space: Space) -> Iterator[Broken]:
    gpus = space.resources.gpus_per_trial
    if isinstance(gpus, str) or gpus <= 1:
        return
    sizes = finite_values(space.hyperparameters.get("batch_size", space.training.batch_size)) or ()
    odd = [int(size) for size in sizes if int(size) % int(gpus)]
    if odd:
        reads: tuple[Path, ...] = (("training", "batch_size"), ("resources", "gpus_per_trial"))
        rule = f"batch_size must be a multiple of gpus_per_trial, {gpus:g}, whose GPUs have equal parts of a batch"
        yield Broken(reads[0], f"{rule}, {got(odd[0])}", reads)


RULES_OF_SEVERAL_GPUS: tuple[Callable[[Space], Iterator[Broken]], ...] = (_batches_have_equal_parts,)
