"""The test split of every data set: the only module that opens a test file, and only a confirmation imports it.

A new data set is one function in `TEST_SPLITS` and one in `_PRESENCE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wrn_search.space.datasets import DatasetSettings, data_root
from wrn_search.space.errors import InputError
from wrn_search.training.batches import EvaluationBatches
from wrn_search.training.datasets import DIGITS_TEST_IMAGES, digits_as_images
from wrn_search.training.image_decoding import decode_images
from wrn_search.training.image_folder import SUFFIXES, image_files
from wrn_search.training.parquet_files import class_names_in, encoded_images, labels_in
from wrn_search.training.preparation import PreparedData, fitted_preprocessing
from wrn_search.training.source import Images, Labels, bad_data
from wrn_search.training.split import stratified_split

PARQUET_PATTERN = "test*.parquet"
SVHN_TEST_MEGABYTES = 64
BATCH_SIZE = 500


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """The test split, all of it, in the order of its files; labels count the classes of the training images."""

    images: Images  # (N, H, W, C)
    labels: Labels  # (N,)


def check_test_split(dataset: DatasetSettings, class_names: tuple[str, ...]) -> None:
    """Sees to it, before hours of training, that a test split is there whose classes are those that are trained on.

    Looks at names of files and folders, at checksums, and at what Parquet files say of themselves; what torchvision
    knows is downloaded where it is absent.

    Raises:
        InputError: it is not there, or has other classes.
    """
    try:
        _PRESENCE[dataset.name](dataset, class_names)
    except OSError as error:
        raise _unreadable(error) from None


def read_test_split(dataset: DatasetSettings, data: PreparedData) -> LabelledImages:
    """The test images of a data set whose training images are `data`.

    Raises:
        InputError: they are not there, not as they must be, or unlike the training images.
    """
    check_test_split(dataset, data.class_names)
    try:
        split = TEST_SPLITS[dataset.name](dataset, data.class_names)
    except OSError as error:
        raise _unreadable(error) from None
    stray = split.labels[(split.labels < 0) | (split.labels >= data.num_classes)]
    if len(stray):
        rule = f"test labels must be those of the training images, 0 to {data.num_classes - 1}"
        raise bad_data(rule, f"{stray[0]}")
    return LabelledImages(_in_colours_of(split.images, data), split.labels)


def batches_of_test_split(
    dataset: DatasetSettings, data: PreparedData, device: str | torch.device = "cpu"
) -> EvaluationBatches:
    """The test images, prepared with what was fitted to the images that were trained on.

    Raises:
        InputError: see `read_test_split`.
    """
    split = read_test_split(dataset, data)
    stored = fitted_preprocessing(dataset).store(split.images)
    held_out = torch.from_numpy(stored), torch.from_numpy(split.labels)
    return EvaluationBatches(data, batch_size=BATCH_SIZE, device=device, held_out=held_out)


def _in_colours_of(images: Images, data: PreparedData) -> Images:
    """(N, H, W, C) with the training images' C; greyscale test images among coloured ones have equal channels.

    Raises:
        InputError: another size, or colours where the training images have none.
    """
    wanted = data.image_shape
    if images.shape[3] == 1 and wanted[2] == 3:
        images = np.repeat(images, 3, axis=3)
    if images.shape[1:] != wanted:
        sizes = ["x".join(map(str, shape)) for shape in (wanted, images.shape[1:])]
        raise bad_data(f"test images must be {sizes[0]} as the training images are", sizes[1])
    return images


def _digits(dataset: DatasetSettings, class_names: tuple[str, ...]) -> LabelledImages:
    """The 300 of scikit-learn's digits that no search trains on or chooses by."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    labels: Labels = digits.target.astype(np.int64)
    ours = stratified_split(labels, DIGITS_TEST_IMAGES).validation
    return LabelledImages(digits_as_images(digits.images[ours]), labels[ours])


def _cifar(dataset: DatasetSettings, class_names: tuple[str, ...]) -> LabelledImages:
    kind = _cifar_class(dataset)
    data: Any = type(kind.__name__, (kind,), {"train_list": []})(data_root(dataset), train=False)
    return LabelledImages(data.data, np.asarray(data.targets, dtype=np.int64))


def _svhn(dataset: DatasetSettings, class_names: tuple[str, ...]) -> LabelledImages:
    from torchvision.datasets import SVHN

    data: Any = SVHN(data_root(dataset), "test")
    images = np.ascontiguousarray(data.data.transpose(0, 2, 3, 1))  # (N, C, H, W) -> (N, H, W, C)
    return LabelledImages(images, np.asarray(data.labels, dtype=np.int64))


def _folder(dataset: DatasetSettings, class_names: tuple[str, ...]) -> LabelledImages:
    root = data_root(dataset)
    files = [image_files(root / "test" / name) for name in class_names]
    named = [(path.relative_to(root).as_posix(), path) for paths in files for path in paths]
    labels = np.repeat(np.arange(len(class_names)), [len(paths) for paths in files])
    return LabelledImages(decode_images(named, len(named)), labels.astype(np.int64))


def _parquet(dataset: DatasetSettings, class_names: tuple[str, ...]) -> LabelledImages:
    files = _parquet_files(dataset)
    labels = np.concatenate([labels_in(path) for path in files])
    if len(labels) == 0:
        raise bad_data("must hold test images", f"no row in {files[0].parent / PARQUET_PATTERN}")
    encoded = (item for path in files for item in encoded_images(path))
    return LabelledImages(decode_images(encoded, len(labels)), labels)


def _digits_presence(dataset: DatasetSettings, class_names: tuple[str, ...]) -> None:
    """They ship with scikit-learn."""


def _cifar_presence(dataset: DatasetSettings, class_names: tuple[str, ...]) -> None:
    from wrn_search.training.torchvision_sources import Cifar10, Cifar100, Download, obtain

    kind = _cifar_class(dataset)
    paths = tuple((f"{kind.base_folder}/{name}", md5) for name, md5 in kind.test_list)
    megabytes = (Cifar10 if dataset.name == "cifar10" else Cifar100).megabytes
    obtain(Download(kind.url, kind.filename, kind.tgz_md5, megabytes, paths, unpack=True), data_root(dataset))


def _svhn_presence(dataset: DatasetSettings, class_names: tuple[str, ...]) -> None:
    from torchvision.datasets import SVHN

    from wrn_search.training.torchvision_sources import Download, obtain

    url, filename, md5 = SVHN.split_list["test"]
    download = Download(url, filename, md5, SVHN_TEST_MEGABYTES, ((filename, md5),), unpack=False)
    obtain(download, data_root(dataset))


def _folder_presence(dataset: DatasetSettings, class_names: tuple[str, ...]) -> None:
    folder = data_root(dataset) / "test"
    if not folder.is_dir():
        raise bad_data("must be a folder that holds test/<class>/, to be confirmed", f"no {folder}")
    found = {entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")}
    odd = sorted(found ^ set(class_names))
    if odd:
        which = "only there" if odd[0] in found else "not there"
        raise bad_data(
            f"{folder} must hold the classes of the training images", f"'{odd[0]}' {which}{_more(odd)}"
        )
    empty = [name for name in class_names if not image_files(folder / name)]
    if empty:
        rule = f"every class must have test images ({', '.join(SUFFIXES)})"
        raise bad_data(rule, f"none in {folder / empty[0]}{_more(empty)}")


def _parquet_presence(dataset: DatasetSettings, class_names: tuple[str, ...]) -> None:
    numbers = tuple(map(str, range(len(class_names))))
    for path in _parquet_files(dataset):
        names = class_names_in(path)
        if names is not None and class_names not in (names, numbers):
            rule = f"the class names of the test images must be those of the training images, {list(class_names)}"
            raise bad_data(rule, f"{list(names)} ({path})")


def _parquet_files(dataset: DatasetSettings) -> list[Path]:
    root = data_root(dataset)
    files = sorted(root.glob(PARQUET_PATTERN)) if root.is_dir() else []
    if not files:
        rule = f"must be a folder that holds {PARQUET_PATTERN}, to be confirmed"
        raise bad_data(rule, f"no {root / PARQUET_PATTERN}")
    return files


def _cifar_class(dataset: DatasetSettings) -> Any:
    from torchvision.datasets import CIFAR10, CIFAR100

    return {"cifar10": CIFAR10, "cifar100": CIFAR100}[dataset.name]


def _more(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def _unreadable(error: OSError) -> InputError:
    return InputError.of("dataset.root", f"test files must be readable, but got: {error}")


_Reader = Callable[[DatasetSettings, tuple[str, ...]], LabelledImages]
_Look = Callable[[DatasetSettings, tuple[str, ...]], None]
TEST_SPLITS: dict[str, _Reader] = {
    "digits": _digits,
    "cifar10": _cifar,
    "cifar100": _cifar,
    "svhn": _svhn,
    "folder": _folder,
    "parquet": _parquet,
}
_PRESENCE: dict[str, _Look] = {
    "digits": _digits_presence,
    "cifar10": _cifar_presence,
    "cifar100": _cifar_presence,
    "svhn": _svhn_presence,
    "folder": _folder_presence,
    "parquet": _parquet_presence,
}
