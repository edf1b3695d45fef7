"""Data sets `cifar10` and `cifar100`: 32x32 photographs, with torchvision's addresses, checksums and download code.

torchvision takes seconds to import, so only the functions do. Its classes look at training and test files together:
ours are told of one of the two splits at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wrn_search.datasets.dataset import Dataset, DatasetFacts, LabelledImages, Place, Presence, Source


@dataclass(frozen=True)
class _Cifar:
    """One of the two: the name of torchvision's class, and the size of its archive."""

    kind: str
    megabytes: int

    def training_images(self, place: Place) -> Source:
        """The training split, downloaded if it is not there."""
        from wrn_search.datasets.torchvision_downloads import obtain

        obtain(self._training_download(), place.root)
        training: Any = type(self.kind, (self._class(),), {"test_list": []})
        data = training(place.root, train=True)
        return Source(data.data, np.asarray(data.targets, dtype=np.int64), tuple(data.classes))

    def presence(self, place: Place) -> Presence:
        """Whether the training files are there, or where the search would download them from."""
        from wrn_search.datasets.torchvision_downloads import presence_of

        return presence_of([self._training_download()], place.root)

    def test_images(self, place: Place, class_names: tuple[str, ...]) -> LabelledImages:
        """The test split."""
        test: Any = type(self.kind, (self._class(),), {"train_list": []})
        data = test(place.root, train=False)
        return LabelledImages(data.data, np.asarray(data.targets, dtype=np.int64))

    def check_test_images(self, place: Place, class_names: tuple[str, ...]) -> None:
        """Downloads the archive if the test file is not there."""
        from wrn_search.datasets.torchvision_downloads import obtain

        obtain(self._download(self._class().test_list), place.root)

    def _training_download(self) -> Any:
        meta = self._class().meta
        return self._download([*self._class().train_list, [meta["filename"], meta["md5"]]])

    def _download(self, files: list[list[str]]) -> Any:
        """The archive, with the files that are wanted of it: name and MD5 sum each."""
        from wrn_search.datasets.torchvision_downloads import Download

        kind = self._class()
        paths = tuple((f"{kind.base_folder}/{name}", md5) for name, md5 in files)
        return Download(kind.url, kind.filename, kind.tgz_md5, self.megabytes, paths, unpack=True)

    def _class(self) -> Any:
        from torchvision import datasets

        return getattr(datasets, self.kind)


def _dataset(cifar: _Cifar, num_classes: int) -> Dataset:
    return Dataset(
        DatasetFacts(num_classes, (32, 32, 3), 50_000),  # defaults as in the paper's tables 5 and 6
        cifar.training_images,
        cifar.presence,
        cifar.test_images,
        cifar.check_test_images,
    )


CIFAR10_DATASET = _dataset(_Cifar("CIFAR10", 170), 10)
CIFAR100_DATASET = _dataset(_Cifar("CIFAR100", 169), 100)
