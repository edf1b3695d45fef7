"""Rules of what a searcher and a scheduler can do: with which domains, from what, and where keys of theirs belong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.schedulers.scheduler_table import SCHEDULERS
from wrn_search.searchers.samplers.unit_axes import without_order
from wrn_search.searchers.searcher_table import SEARCHERS, in_words, names_of
from wrn_search.space.axes.network_leaves import SHAPE
from wrn_search.space.axes.searched_axes import CELL
from wrn_search.space.domains import finite_values
from wrn_search.space.rules.broken_rule import Broken, Path, got, spelled
from wrn_search.space.sections.search_keys import GOALS, MAX_TRIALS, SearchSettings
from wrn_search.space.space import Space


def _grid_is_finite(space: Space) -> Iterator[Broken]:
    if not SEARCHERS[space.search.searcher].needs_finite_space:
        return
    for name, domain in space.hyperparameters.items():
        if space.networks is not None and name in SHAPE:  # of a lattice, whose widths are finite
            continue
        if finite_values(domain) is None:
            section = "model" if name in type(space.model).model_fields else "training"
            path: Path = (section, name)
            rule = f"searcher: {space.search.searcher} takes choice and int domains only"
            text = f"{rule}, but got {spelled(domain.to_document())}"
            yield Broken(path, text, (path, ("search", "searcher")))


def _grid_is_no_larger_than_trials_may_be(space: Space) -> Iterator[Broken]:
    size = space.size
    if (
        SEARCHERS[space.search.searcher].needs_finite_space
        and space.search.trials is None
        and size is not None
        and size > MAX_TRIALS
    ):
        path: Path = ("search", "trials")
        text = (
            f"a whole grid must have at most {MAX_TRIALS} configurations (or give search.trials), {got(size)}"
        )
        yield Broken(path, text, (path, ("search", "searcher"), ("model",), ("training",)))


def _who_learns_may_start_warm(space: Space) -> Iterator[Broken]:
    if space.search.warm_start and not SEARCHERS[space.search.searcher].can_be_warm_started:
        reads: tuple[Path, ...] = (("search", "warm_start"), ("search", "searcher"))
        able = in_words(names_of(can_be_warm_started=True), "or")
        text = f"is for a searcher that learns ({able}), but got searcher: {space.search.searcher}"
        yield Broken(reads[0], text, reads)


def _rungs_below_epochs(space: Space) -> Iterator[Broken]:
    rungs, epochs = space.search.rungs, space.training.epochs
    stops = SCHEDULERS[space.search.scheduler].stops_trials
    if stops and isinstance(rungs, tuple) and rungs[-1] >= epochs:
        reads: tuple[Path, ...] = (("search", "rungs"), ("training", "epochs"), ("search", "scheduler"))
        yield Broken(
            reads[0], f"every rung must be below training.epochs: {epochs}, {got(list(rungs))}", reads
        )


def _some_axis_has_an_order(space: Space) -> Iterator[Broken]:
    kind, axes = SEARCHERS[space.search.searcher], space.axes.domains
    labels = without_order(axes)
    if not kind.needs_order or not labels or len(labels) < len(axes):
        return
    reads: tuple[Path, ...] = (("search", "searcher"), ("model",), ("training",))
    rule = f"{space.search.searcher} learns of numbers alone, so a key with numbers must be searched"
    are = "are lists of labels" if len(labels) > 1 else "is a list of labels"
    yield Broken(reads[0], f"{rule}, but {in_words(labels, 'and')} {are}", reads)


def _rungs_after_the_grace_period(space: Space) -> Iterator[Broken]:
    rungs, grace = space.search.rungs, space.search.grace_period
    if SCHEDULERS[space.search.scheduler].has_grace and isinstance(rungs, tuple) and rungs[0] < grace:
        reads: tuple[Path, ...] = (("search", "rungs"), ("search", "grace_period"), ("search", "scheduler"))
        rule = f"no rung of scheduler {space.search.scheduler} may come before grace_period: {grace}"
        yield Broken(reads[0], f"{rule}, {got(list(rungs))}", reads)


def _keys_of_a_scheduler_belong_to_it(space: Space) -> Iterator[Broken]:
    for key in sorted(frozenset().union(*(kind.own_keys for kind in SCHEDULERS.values()))):
        value = getattr(space.search, key)
        default = SearchSettings.model_fields[key].default
        # One bracket is what every scheduler has; records of before brackets say so of asha.
        if (
            key in SCHEDULERS[space.search.scheduler].own_keys
            or value == default
            or (key, value) == ("brackets", 1)
        ):
            continue
        reads: tuple[Path, ...] = (("search", key), ("search", "scheduler"))
        able = in_words([name for name, kind in SCHEDULERS.items() if key in kind.own_keys], "or")
        text = f"is for scheduler {able}, but got {key}: {value} with scheduler: {space.search.scheduler}"
        yield Broken(reads[0], text, reads)


def tradeoff_can_be_settled(space: Space) -> Iterator[Broken]:
    """A goal of its own is for who goes by curves; a tradeoff needs depths and widths to trade."""
    search, key = space.search, ("search", "goal")
    if search.goal == GOALS[0]:
        return
    if not (SEARCHERS[search.searcher].by_curves or SCHEDULERS[search.scheduler].by_curves):
        reads: tuple[Path, ...] = (key, ("search", "searcher"), ("search", "scheduler"))
        rule = f"{search.goal} is for searcher curves or scheduler curves"
        got_instead = f"searcher: {search.searcher} with scheduler: {search.scheduler}"
        yield Broken(key, f"{rule}, but got {got_instead}", reads)
    for number, name in enumerate(CELL):
        if space.networks is not None:
            several = len({(each.depth, each.widen_factor)[number] for each in space.networks}) > 1
        else:
            domain = space.hyperparameters.get(name)
            several = domain is not None and len(finite_values(domain) or (0, 1)) > 1
        if not several:
            reads = (key, ("model", name), ("model", "network"), ("search", "points"), ("constraints",))
            yield Broken(key, f"{search.goal} needs several values of {name}, but got one", reads)


RULES_OF_METHODS: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _grid_is_finite,
    _grid_is_no_larger_than_trials_may_be,
    _who_learns_may_start_warm,
    _some_axis_has_an_order,
    _rungs_below_epochs,
    _rungs_after_the_grace_period,
    _keys_of_a_scheduler_belong_to_it,
    tradeoff_can_be_settled,
)
