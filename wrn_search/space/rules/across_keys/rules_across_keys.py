"""Rules that tie several keys together. Each is a function of a space; a broken one names the keys it read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.parquet.parquet_columns import one_group
from wrn_search.networks.architecture import block_name
from wrn_search.searchers.searcher_table import in_words
from wrn_search.space.axes.searched_axes import CELL
from wrn_search.space.domains import finite_values, is_domain
from wrn_search.space.rules.across_keys.rules_of_augmentation import RULES_OF_AUGMENTATION
from wrn_search.space.rules.across_keys.rules_of_budgets import (
    budgets_can_be_counted,
    points_meet_the_budgets,
    some_network_meets_the_budgets,
)
from wrn_search.space.rules.across_keys.rules_of_conditions import (
    conditions_can_be_told,
)
from wrn_search.space.rules.across_keys.rules_of_families import RULES_OF_FAMILIES, families_problems
from wrn_search.space.rules.across_keys.rules_of_gpus import RULES_OF_CUDA_GRAPHS, RULES_OF_SEVERAL_GPUS
from wrn_search.space.rules.across_keys.rules_of_idle_keys import RULES_OF_IDLE_KEYS
from wrn_search.space.rules.across_keys.rules_of_methods import RULES_OF_METHODS
from wrn_search.space.rules.across_keys.rules_of_objectives import RULES_OF_OBJECTIVES
from wrn_search.space.rules.across_keys.rules_of_optimisers import RULES_OF_OPTIMISERS
from wrn_search.space.rules.across_keys.rules_of_points import (
    network_stands_alone,
    points_lie_in_the_space,
    prior_lies_in_the_space,
)
from wrn_search.space.rules.across_keys.rules_of_protocol import RULES_OF_PROTOCOL
from wrn_search.space.rules.across_keys.rules_of_search_budgets import (
    budget_pays_for_one_configuration,
    budgets_do_not_contradict,
)
from wrn_search.space.rules.across_keys.rules_of_starting_weights import RULES_OF_STARTING_WEIGHTS
from wrn_search.space.rules.across_keys.rules_of_streamed_images import (
    RULES_OF_STREAMED_IMAGES,
    keys_of_files,
)
from wrn_search.space.rules.broken_rule import Broken, Path, got, spelled
from wrn_search.space.section_keys import ModelSettings
from wrn_search.space.space import Space

# Keys that say how a user's own files are read, and what only those may do.
_OF_OWN_FILES = {
    "background": "may have transparent parts or are padded",
    "image_size": "are made another size",
    "image_fit": "are made another size",
    "validation_files": "may lie in validation files",
    "group_by": "can be grouped",
}


def broken_rules(space: Space) -> Iterator[Broken]:
    """Every broken rule of a space whose leaves are right each for itself."""
    first = list(families_problems(space))
    yield from first
    if first:  # what the model says makes no networks: the other rules look at the rest of the file
        space = space.model_copy(update={"model": ModelSettings()})
    for rule in RULES:
        for broken in rule(space):
            if not (first and any(path[0] == "model" for path in broken.reads)):
                yield broken


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


def _extra_images_exist(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    if dataset.extra and not dataset.facts.extra_images:
        reads: tuple[Path, ...] = (("dataset", "extra"), ("dataset", "name"))
        having = " and ".join(name for name, each in DATASETS.items() if each.facts.extra_images)
        yield Broken(reads[0], f"only {having} has extra images, but got dataset.name: {dataset.name}", reads)


def _groups_of_a_folder_are_a_pattern(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    if not dataset.facts.has_columns and dataset.group_by is not None and not one_group(dataset.group_by):
        reads: tuple[Path, ...] = (("dataset", "group_by"), ("dataset", "name"))
        rule = (
            "must be a regular expression with one group, as in '(patient[0-9]+)_', as files have no columns"
        )
        yield Broken(reads[0], f"{rule}, {got(dataset.group_by)}", reads)


def _columns_exist(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    for key in ("image_column", "label_column"):
        if getattr(dataset, key) is not None and not dataset.facts.has_columns:
            reads: tuple[Path, ...] = (("dataset", key), ("dataset", "name"))
            having = " and ".join(name for name, each in DATASETS.items() if each.facts.has_columns)
            yield Broken(reads[0], f"only {having} have columns, but got dataset.name: {dataset.name}", reads)


def _only_own_files_are_read_by_these_keys(space: Space) -> Iterator[Broken]:
    dataset = space.dataset
    for key, rule in _OF_OWN_FILES.items():
        having = [name for name, each in DATASETS.items() if key in keys_of_files(each)]
        if dataset.name not in having and getattr(dataset, key) != type(dataset).model_fields[key].default:
            reads: tuple[Path, ...] = (("dataset", key), ("dataset", "name"))
            told = f"only images of {in_words(having, 'and')} {rule}"
            yield Broken(reads[0], f"{told}, but got dataset.name: {dataset.name}", reads)


def _the_papers_constants_are_of_three_colours(space: Space) -> Iterator[Broken]:
    dataset, shape = space.dataset, space.dataset.facts.image_shape
    if dataset.preprocessing.startswith("meanstd_") and shape is not None and shape[2] != 3:
        reads: tuple[Path, ...] = (("dataset", "preprocessing"), ("dataset", "name"), ("recipe",))
        rule = f"preprocessing: {dataset.preprocessing} is for images of 3 colours"
        yield Broken(reads[0], f"{rule}, but {dataset.name} has images of {shape[2]}", reads)


def _enough_images(space: Space) -> Iterator[Broken]:
    dataset, facts = space.dataset, space.dataset.facts
    if (
        facts.train_images is None
        or facts.num_classes is None
        or DATASETS[dataset.name].user_files is not None
    ):
        return  # only the files can tell, or they know best
    total, most = facts.train_images, facts.train_images - facts.num_classes  # extra images do not validate
    left = total - int(dataset.validation) + (facts.extra_images if dataset.extra else 0)
    reads: tuple[Path, ...] = (("dataset", "validation"), ("dataset", "name"), ("dataset", "extra"))
    if not space.tests_each and not facts.num_classes <= dataset.validation <= most:
        rule = (
            f"{dataset.name} has {total} training images and {facts.num_classes} classes: validation must be"
        )
        yield Broken(reads[0], f"{rule} {facts.num_classes} to {most}, {got(dataset.validation)}", reads)
        return
    train_reads: tuple[Path, ...] = (("dataset", "train_images"), *reads)
    train = left if dataset.train_images is None else dataset.train_images
    if not facts.num_classes <= train <= left:
        those = "there are" if space.tests_each else "validation leaves"
        rule = f"train_images must be {facts.num_classes} to the {left} that {those}"
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
    *RULES_OF_FAMILIES,
    _extra_images_exist,
    _groups_of_a_folder_are_a_pattern,
    _columns_exist,
    _only_own_files_are_read_by_these_keys,
    _the_papers_constants_are_of_three_colours,
    *RULES_OF_STREAMED_IMAGES,
    *RULES_OF_AUGMENTATION,
    *RULES_OF_SEVERAL_GPUS,
    *RULES_OF_STARTING_WEIGHTS,
    *RULES_OF_OPTIMISERS,
    *RULES_OF_IDLE_KEYS,
    *RULES_OF_CUDA_GRAPHS,
    _enough_images,
    *RULES_OF_METHODS,
    *RULES_OF_PROTOCOL,
    *RULES_OF_OBJECTIVES,
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
