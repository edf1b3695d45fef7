"""Results directories sorted into groups whose errors can be compared, each with the paper's data set it speaks to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from wrn_search.analysis.input_tables.comparability import compared_of, differences
from wrn_search.analysis.input_tables.configurations import (
    Configuration,
    configurations_of,
    seconds_per_epoch,
)
from wrn_search.analysis.input_tables.joined_tables import Material, material_of
from wrn_search.analysis.paper_tables.predicted_differences import fit_of_ends
from wrn_search.analysis.paper_tables.trained_networks import Key, Trained, trained_of
from wrn_search.curves.curve_fit import CurveFit
from wrn_search.errors import InputError, Problem, nearest

CLASSES = {"cifar10": 10, "cifar100": 100, "svhn": 10, "imagenet": 1000}
OF_OWN_IMAGES = {
    7: "imagenet",
    8: "imagenet",
}  # the column that other images are held against; else CIFAR-10's


@dataclass(frozen=True)
class Group:
    """Results over the same images, at equal epochs, in one arithmetic.

    Attributes:
        material: of all of them.
        dataset: of the paper; None for images of one's own.
    """

    material: Material
    dataset: str | None

    def column(self, table: int) -> str:
        """The data set of the paper's column that these results are held against."""
        return self.dataset or OF_OWN_IMAGES.get(table, "cifar10")

    @cached_property
    def seconds(self) -> dict[int, float]:
        """Of an epoch, by trial."""
        return seconds_per_epoch(self.material)

    @cached_property
    def configurations(self) -> tuple[Configuration, ...]:
        """All with an end."""
        return configurations_of(self.material, self.seconds)

    @cached_property
    def is_chosen(self) -> bool:
        """Whether results decided what was trained, or to its end: then medians of what ended are not to be trusted."""
        rows = self.material.trials
        return bool(rows["adaptive"].any()) or bool((rows["status"] == "stopped").any())

    @cached_property
    def fit(self) -> tuple[CurveFit | None, str]:
        """The curve model of its ends, or why there is none; asked only where trainings were chosen by results."""
        return fit_of_ends(self.material, self.configurations, self.seconds)

    def trained(self, table: int) -> dict[Key, Trained]:
        """Every network of the families that a table has, with every dropout."""
        found = trained_of(self.material, self.column(table), self.seconds)
        is_imagenet = table in OF_OWN_IMAGES
        return {
            entry: each for entry, each in found.items() if (each.family == "imagenet_resnet") == is_imagenet
        }

    @property
    def paths(self) -> tuple[str, ...]:
        """Its results directories."""
        return tuple(str(source.directory.path) for source in self.material.sources)


def groups_of(directories: Sequence[Path | str], dataset: str | None = None) -> list[Group]:
    """Reads results directories; those that can be compared stand together, in the order given.

    Args:
        directories: of searches.
        dataset: of the paper, whose images those of `folder` and `parquet` are.

    Raises:
        InputError: unreadable directories, one named twice or copied, or a data set that cannot be what `dataset` says.
    """
    if dataset is not None and dataset not in CLASSES:
        rule = f"must be one of {', '.join(CLASSES)}, but got '{dataset}'{nearest(dataset, CLASSES)}"
        raise InputError.of("--dataset", rule)
    materials: list[Material] = []
    problems: list[Problem] = []
    for directory in directories:
        try:
            materials.append(material_of([directory], may_be_tested=True))
        except InputError as error:
            problems += error.problems
    if not problems:
        problems = [problem for material in materials for problem in _not_of(material, dataset)]
    if not problems:  # named twice, or a copy
        sources = [compared_of(each.trials, each.sources)[0] for each in materials]
        problems = [problem for problem in differences(sources, "compare") if not problem.key]
        if len({str(each.path) for each in sources}) < len(sources):
            material_of(directories)  # says which
    if problems:
        raise InputError(problems)
    together: list[list[int]] = []
    for place, own in enumerate(sources):
        home = next((each for each in together if not differences([*(sources[i] for i in each), own])), None)
        if home is None:
            together.append([place])
        else:
            home.append(place)
    return [_group([directories[i] for i in places], materials, places, dataset) for places in together]


def _group(
    paths: Sequence[Path | str], materials: Sequence[Material], places: Sequence[int], dataset: str | None
) -> Group:
    material = materials[places[0]] if len(places) == 1 else material_of(paths, may_be_tested=True)
    name, classes = material.dataset.name, material.dataset.num_classes
    # `imagenet` reads folders of any classes
    is_the_papers = name in CLASSES and (name != "imagenet" or classes in (None, CLASSES[name]))
    return Group(material, name if is_the_papers else dataset)


def _not_of(material: Material, dataset: str | None) -> list[Problem]:
    """Why images are not those that the user calls them."""
    if dataset is None:
        return []
    name, classes = material.dataset.name, material.dataset.num_classes
    where = str(material.sources[0].directory.path)
    if name in CLASSES and name != dataset:
        return [Problem("--dataset", f"must be {name} for these results, but got {dataset}", where)]
    if classes is not None and classes != CLASSES[dataset]:
        rule = f"must be a data set of as many classes as these images have ({classes})"
        return [Problem("--dataset", f"{rule}, but {dataset} has {CLASSES[dataset]}", where)]
    return []
