"""Rules of a search with several objectives: which methods can rank, and which quantities are measured rightly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.objectives.objective_table import OBJECTIVE_TABLE
from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.searcher_table import SEARCHERS, in_words
from wrn_search.space.rules.broken_rule import Broken, Path, got, spelled
from wrn_search.space.space import Space

_OBJECTIVES: Path = ("objectives",)


def _methods_can_rank(space: Space) -> Iterator[Broken]:
    """Who models the error as a number has no number for a front."""
    searchers = [name for name, kind in SEARCHERS.items() if kind.takes_several_objectives]
    schedulers = [name for name, kind in SCHEDULERS.items() if kind.takes_several_objectives]
    for key, name, able in (
        ("searcher", space.search.searcher, searchers),
        ("scheduler", space.search.scheduler, schedulers),
    ):
        if not space.costs or name in able:
            continue
        reads: tuple[Path, ...] = (("search", key), _OBJECTIVES)
        rule = f"with several objectives the {key} must be one that goes by ranks or by none: {in_words(able, 'or')}"
        yield Broken(reads[0], f"{rule}, but {name} models the validation error alone", reads)


def _others_told_of_all_objectives(space: Space) -> Iterator[Broken]:
    if space.costs and space.search.warm_start:
        reads: tuple[Path, ...] = (("search", "warm_start"), _OBJECTIVES)
        rule = "must be left out with several objectives: other searches tell of the validation error alone"
        yield Broken(reads[0], f"{rule}, {got(list(space.search.warm_start))}", reads)


def _times_are_a_trials_own(space: Space) -> Iterator[Broken]:
    """Trials that share a GPU, or the caches and memory of a CPU, slow each other down."""
    own = [name for name in space.costs if OBJECTIVE_TABLE[name].needs_device]
    gpus = space.resources.gpus_per_trial
    alone = (not isinstance(gpus, str) and gpus >= 1) or space.resources.concurrent == 1
    if not own or alone:
        return
    reads: tuple[Path, ...] = (
        _OBJECTIVES,
        ("resources", "gpus_per_trial"),
        ("resources", "concurrent"),
    )
    rule = f"{own[0]} is a trial's own where it has its device alone: resources.gpus_per_trial: 1"
    given = (
        f"gpus_per_trial: {spelled(space.resources.gpus_per_trial)} and "
        f"concurrent: {spelled(space.resources.concurrent)}"
    )
    yield Broken(_OBJECTIVES, f"{rule}, or one trial at a time, concurrent: 1, but got {given}", reads)


def _energy_has_a_counter(space: Space) -> Iterator[Broken]:
    """A processor's counter, where there is one, is of all that runs there."""
    gpus = space.resources.gpus_per_trial
    if "energy_kwh" in space.costs and gpus == 0:
        reads: tuple[Path, ...] = (_OBJECTIVES, ("resources", "gpus_per_trial"))
        rule = "energy_kwh is told by the counters of GPUs: resources.gpus_per_trial: 1"
        yield Broken(_OBJECTIVES, f"{rule}, but with gpus_per_trial: 0 trials train on CPUs", reads)


RULES_OF_OBJECTIVES: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _methods_can_rank,
    _others_told_of_all_objectives,
    _times_are_a_trials_own,
    _energy_has_a_counter,
)
