"""Rules that tie several keys together. Each is a function of a space; a broken one names the keys it read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.datasets.dataset import WHITE
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.networks.architecture import block_name, depth_problem
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.axes.network_leaves import SHAPE, blocks_of
from wrn_search.space.axes.searched_axes import CELL
from wrn_search.space.domains import Choice, finite_values, is_domain
from wrn_search.space.network_budgets import are_there
from wrn_search.space.rules.across_keys.rules_of_budgets import (
    budgets_can_be_counted,
    points_meet_the_budgets,
    some_network_meets_the_budgets,
)
from wrn_search.space.rules.across_keys.rules_of_conditions import (
    conditions_can_be_told,
    may_apply_with_one_convolution,
)
from wrn_search.space.rules.across_keys.rules_of_methods import RULES_OF_METHODS
from wrn_search.space.rules.across_keys.rules_of_points import (
    network_stands_alone,
    points_lie_in_the_space,
    prior_lies_in_the_space,
)
from wrn_search.space.rules.across_keys.rules_of_search_budgets import (
    budget_pays_for_one_configuration,
    budgets_do_not_contradict,
)
from wrn_search.space.rules.broken_rule import Broken, Path, got, spelled
from wrn_search.space.space import Space


def broken_rules(space: Space) -> Iterator[Broken]:
    """Every broken rule of a space whose leaves are right each for itself."""
    for rule in RULES:
        yield from rule(space)


def _one_block(space: Space) -> Iterator[Broken]:
    model = space.model
    reads: tuple[Path, ...] = (("model", "block"), ("model", "deepening_factor"))
    if model.block is None or model.deepening_factor is None:
        return
    given = f"block: {_shown(model.block)} and deepening_factor: {_shown(model.deepening_factor)}"
    if is_domain(model.block) or is_domain(model.deepening_factor):
        yield Broken(reads[1], f"block or deepening_factor must be given, not both, but got {given}", reads)
    elif block_name((3,) * model.deepening_factor) != model.block:
        yield Broken(reads[1], f"deepening_factor must be that of the block, but got {given}", reads)


def _blocks(space: Space) -> list[tuple[int, ...]]:
    """Kernel lists of every block that the space can propose."""
    if space.networks is not None:
        return list(space.axes.kernels)
    return list(blocks_of(space.leaves))


def _depths_exist(space: Space) -> Iterator[Broken]:
    reads: tuple[Path, ...] = (("model", "depth"), ("model", "block"), ("model", "deepening_factor"))
    if space.networks is not None or space.model.network is not None:  # each was looked at by itself
        return
    if are_there(space.constraints) and not _is_fixed(
        space
    ):  # what does not exist is no network of the lattice
        return
    depth = space.model.depth
    for index, value in enumerate(finite_values(depth) or ()):
        problem = next(
            (text for kernels in _blocks(space) if (text := depth_problem(int(value), kernels))), ""
        )
        if problem:
            at: Path = (*reads[0], "choice", index) if isinstance(depth, Choice) else reads[0]
            yield Broken(at, problem, reads)
            if not isinstance(depth, Choice):  # of a range, the first depth that does not exist says enough
                return


def _is_fixed(space: Space) -> bool:
    """Whether the space has but one network."""
    return not any(is_domain(getattr(space.model, name)) for name in SHAPE)


def _dropout_has_a_place(space: Space) -> Iterator[Broken]:
    dropout = space.model.dropout
    if isinstance(space.axes, ListedPoints):  # each was looked at by itself
        return
    if (
        is_domain(dropout)
        and dropout.when
        and not may_apply_with_one_convolution(dropout.when, _blocks(space))
    ):
        return
    if any(len(kernels) == 1 for kernels in _blocks(space)) and (is_domain(dropout) or dropout):
        reads: tuple[Path, ...] = (("model", "dropout"), ("model", "block"), ("model", "deepening_factor"))
        text = "dropout sits between the convolutions of a block, so it must be 0 where a block has only one"
        yield Broken(reads[0], f"{text}, but got {_shown(dropout)}", reads)


def _extra_images_exist(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    if dataset.extra and not dataset.facts.extra_images:
        reads: tuple[Path, ...] = (("dataset", "extra"), ("dataset", "name"))
        having = " and ".join(name for name, each in DATASETS.items() if each.facts.extra_images)
        yield Broken(reads[0], f"only {having} has extra images, but got dataset.name: {dataset.name}", reads)


def _a_share_is_of_a_known_number(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    if dataset.validation < 1:  # a share of a known number has become one
        reads: tuple[Path, ...] = (("dataset", "validation"), ("dataset", "name"))
        rule = f"must be a number of images for {dataset.name}, as only its files tell of how many a share would be"
        yield Broken(reads[0], f"{rule}, {got(dataset.validation)}", reads)


def _columns_exist(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    for key in ("image_column", "label_column"):
        if getattr(dataset, key) is not None and not dataset.facts.has_columns:
            reads: tuple[Path, ...] = (("dataset", key), ("dataset", "name"))
            having = " and ".join(name for name, each in DATASETS.items() if each.facts.has_columns)
            yield Broken(reads[0], f"only {having} has columns, but got dataset.name: {dataset.name}", reads)


def _only_own_files_are_transparent(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    if dataset.background != WHITE and DATASETS[dataset.name].user_files is None:
        reads: tuple[Path, ...] = (("dataset", "background"), ("dataset", "name"))
        having = " and ".join(name for name, each in DATASETS.items() if each.user_files is not None)
        rule = f"only images of {having} may have transparent parts"
        yield Broken(reads[0], f"{rule}, but got dataset.name: {dataset.name}", reads)


def _enough_images(space: Space) -> Iterator[Broken]:
    dataset, facts = space.dataset, space.dataset.facts
    if facts.train_images is None or facts.num_classes is None:
        return
    total = facts.train_images + (facts.extra_images if dataset.extra else 0)
    left = total - dataset.validation
    reads: tuple[Path, ...] = (("dataset", "validation"), ("dataset", "name"), ("dataset", "extra"))
    if dataset.validation < facts.num_classes or left < facts.num_classes:
        rule = (
            f"{dataset.name} has {total} training images and {facts.num_classes} classes: validation must be"
        )
        yield Broken(
            reads[0],
            f"{rule} {facts.num_classes} to {total - facts.num_classes}, {got(dataset.validation)}",
            reads,
        )
        return
    train_reads: tuple[Path, ...] = (("dataset", "train_images"), *reads)
    train = left if dataset.train_images is None else dataset.train_images
    if not facts.num_classes <= train <= left:
        rule = f"train_images must be {facts.num_classes} to the {left} that validation leaves"
        yield Broken(train_reads[0], f"{rule}, {got(train)}", train_reads)
        return
    batch_reads: tuple[Path, ...] = (("training", "batch_size"), *train_reads)
    sizes = finite_values(space.hyperparameters.get("batch_size", space.training.batch_size)) or (0,)
    largest = max(int(value) for value in sizes)
    if largest > train:
        text = f"batch_size must be at most the {train} images that are trained on, {got(largest)}"
        yield Broken(batch_reads[0], text, batch_reads)


def _drops_below_epochs(space: Space) -> Iterator[Broken]:
    drops, epochs = space.training.lr_drops, space.training.epochs
    if drops and isinstance(drops[0], int):  # those that lie in the training have become fractions
        reads: tuple[Path, ...] = (("training", "lr_drops"), ("training", "epochs"))
        yield Broken(
            reads[0],
            f"every drop must come before the last of the {epochs} epochs, {got(list(drops))}",
            reads,
        )


def _what_is_decided_varies(space: Space) -> Iterator[Broken]:
    if space.search.stop_when is not None and not _cells_vary(space):
        reads: tuple[Path, ...] = (
            ("search", "stop_when"),
            ("model",),
            ("search", "points"),
            ("constraints",),
        )
        text = "is for a search of networks, so depth or widen_factor must take several values"
        both = " and ".join(f"{name}: {_shown(space.leaves[name])}" for name in CELL)
        yield Broken(reads[0], f"{text}, but got {both}", reads)


def _cells_vary(space: Space) -> bool:
    """Whether the networks differ in depth or widening factor."""
    networks = space.networks
    if not networks:
        return any(len(finite_values(space.leaves[name]) or (0, 1)) > 1 for name in CELL)
    first = networks[0].depth, networks[0].widen_factor
    return any((each.depth, each.widen_factor) != first for each in networks)


RULES: tuple[Callable[[Space], Iterator[Broken]], ...] = (
    _one_block,
    _depths_exist,
    _dropout_has_a_place,
    _extra_images_exist,
    _a_share_is_of_a_known_number,
    _columns_exist,
    _only_own_files_are_transparent,
    _enough_images,
    *RULES_OF_METHODS,
    _drops_below_epochs,
    _what_is_decided_varies,
    budgets_can_be_counted,
    some_network_meets_the_budgets,
    points_meet_the_budgets,
    conditions_can_be_told,
    network_stands_alone,
    points_lie_in_the_space,
    prior_lies_in_the_space,
    budget_pays_for_one_configuration,
    budgets_do_not_contradict,
)


def _shown(value: object) -> str:
    return spelled(value.to_document() if is_domain(value) else value)
