"""Which images validate: those that their files say, whole groups of the others, or images drawn one by one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import Labels, bad_data
from wrn_search.datasets.stratified_split import (
    SPLIT_SEED,
    Indices,
    Split,
    apportion,
    joined,
    size_problems,
    stratified_split,
)
from wrn_search.errors import InputError
from wrn_search.space.dataset_section import DatasetSettings, JoinedSettings

Groups = npt.NDArray[np.int64]  # (N,) of each image: those of one number stay on one side

_FAR_OFF = 0.2  # of the images that were asked for


@dataclass(frozen=True, eq=False)
class Sides:
    """What a data set's files say of its split."""

    of_files: Indices | None = None  # (m,) images of validation files; None where there are none
    groups: Groups | None = None  # where `dataset.group_by` names them

    def save(self, folder: Path) -> None:
        """Writes those that are there, an array each."""
        for name, array in vars(self).items():
            if array is not None:
                np.save(folder / f"{name}.npy", array)

    @classmethod
    def load(cls, folder: Path) -> Sides:
        """What `save` wrote, or did not."""
        paths = {field.name: folder / f"{field.name}.npy" for field in fields(cls)}
        return cls(**{name: np.load(path) for name, path in paths.items() if path.is_file()})


def split_of(labels: Labels, dataset: DatasetSettings, sides: Sides, extra_images: int = 0) -> Split:
    """The split of a search; for a confirmation's retraining and `protocol: test_each`, all of it to train on.

    Args:
        labels: (N,) of all images.
        dataset: says how many validate, where files do not.
        sides: what the files say.
        extra_images: the last ones, none of which validates.

    Raises:
        InputError: the settings do not fit the images, or a group lies on both sides.
    """
    validation = dataset.held_out_of(len(labels) - extra_images)
    of_files, groups = (sides.of_files, sides.groups) if validation else (None, None)  # 0: there are no sides
    if of_files is not None:
        split = _split_of_files(labels, of_files, dataset.train_images)
        if groups is not None:
            _check_apart(split, groups)
    elif groups is not None:
        split = grouped_split(labels, groups, validation, dataset.train_images)
    else:
        split = stratified_split(labels, validation, dataset.train_images, extra_images)
    return joined(split) if isinstance(dataset, JoinedSettings) else split


def grouped_split(labels: Labels, groups: Groups, validation: int, train_images: int | None = None) -> Split:
    """About `validation` images held out in whole groups, the classes' shares kept as nearly as they allow.

    Groups come in a fixed random order (see `stratified_split`); each is held out that brings the numbers of the
    classes, a vector, nearer to what would be drawn without groups (Euclidean distance, in whole numbers), and leaves
    each class an image to train on. Where none does so, the group is that is off by least.

    Raises:
        InputError: the sizes do not fit, or no group can be held out.
    """
    counts = np.bincount(labels).astype(np.int64)
    if problems := size_problems(len(labels), len(counts), validation, None):
        raise InputError(problems)
    names, codes = np.unique(groups, return_inverse=True)
    sizes = np.zeros((len(names), len(counts)), dtype=np.int64)  # (groups, classes)
    np.add.at(sizes, (codes, labels), 1)
    wanted = apportion(validation, counts, low=0, high=counts - 1)
    order = np.random.RandomState(SPLIT_SEED).permutation(len(names))
    chosen = _groups_held_out(sizes, wanted, counts, order)
    if not chosen:
        rule = "some group must leave each class images to train on when it is held out"
        got = "one group alone" if len(names) == 1 else f"{len(names):,} groups, none of which does"
        raise InputError.of("dataset.group_by", f"{rule}, but got {got}")
    is_held = np.isin(codes, chosen)
    held, left = np.flatnonzero(is_held), np.flatnonzero(~is_held)
    return Split(_drawn(labels, left, train_images), held.astype(np.int64))


def group_warnings(split: Split, dataset: DatasetSettings, sides: Sides) -> list[str]:
    """A line where whole groups make the validation split much larger or smaller than was asked for."""
    if sides.groups is None or sides.of_files is not None:
        return []
    asked, got = dataset.held_out_of(len(sides.groups)), len(split.validation)
    if not got or abs(got - asked) <= _FAR_OFF * asked:
        return []
    return [f"{got:,} images validate where dataset.validation asks for {asked:,}: groups stay whole"]


def _groups_held_out(
    sizes: npt.NDArray[np.int64], wanted: Labels, counts: Labels, order: npt.NDArray[np.int64]
) -> list[int]:
    held, chosen = np.zeros_like(wanted), list[int]()
    for group in order.tolist():
        size = sizes[group]
        nearer = int(size @ (2 * (held - wanted) + size)) < 0  # |held + size - wanted|^2 falls
        if nearer and (held + size < counts).all():
            held, chosen = held + size, [*chosen, group]
    if chosen:
        return chosen
    able = [group for group in order.tolist() if (sizes[group] < counts).all()]
    return sorted(able, key=lambda group: int(((sizes[group] - wanted) ** 2).sum()))[:1]


def _split_of_files(labels: Labels, validation: Indices, train_images: int | None) -> Split:
    classes = int(labels.max()) + 1
    is_held = np.zeros(len(labels), dtype=bool)
    is_held[validation] = True
    left = np.flatnonzero(~is_held)
    if problems := size_problems(len(left), classes, 0, train_images):
        raise InputError(problems)
    return Split(_drawn(labels, left, train_images), np.flatnonzero(is_held).astype(np.int64))


def _drawn(labels: Labels, left: npt.NDArray[np.int64], train_images: int | None) -> Indices:
    """`train_images` of the images that are left, with their classes' shares; all of them where it is None.

    Raises:
        InputError: there are not so many.
    """
    if train_images is None:
        return left.astype(np.int64)
    classes, present = np.unique(labels[left], return_inverse=True)
    if problems := size_problems(len(left), len(classes), 0, train_images):
        raise InputError(problems)
    return left[stratified_split(present.astype(np.int64), 0, train_images).train]


def _check_apart(split: Split, groups: Groups) -> None:
    shared = np.intersect1d(groups[split.train], groups[split.validation])
    if len(shared):
        rule = "no group of dataset.group_by may be in training and validation files at once"
        raise bad_data(rule, f"{len(shared):,} that are")
