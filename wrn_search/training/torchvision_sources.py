"""CIFAR and SVHN through torchvision: its addresses, checksums and download code, but not its test splits.

Importing this module imports torchvision, which takes seconds; `datasets.py` does so only to read or to look.
"""

from __future__ import annotations

import http.client
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from filelock import FileLock
from torchvision.datasets import CIFAR10, CIFAR100, SVHN
from torchvision.datasets.utils import check_integrity, download_and_extract_archive, download_url

from wrn_search.space.datasets import DatasetSettings, data_root
from wrn_search.space.errors import InputError
from wrn_search.training.source import Presence, Source

# What a broken connection, a truncated archive, a wrong checksum or a full disk raise inside torchvision.
_DOWNLOAD_ERRORS = (OSError, RuntimeError, EOFError, http.client.HTTPException, tarfile.TarError, zlib.error)
_LOCK = ".wrn-search-download.lock"


class Cifar10(CIFAR10):
    """torchvision's CIFAR-10 without its test split, which `_check_integrity` would read."""

    test_list: ClassVar[list[list[str]]] = []
    megabytes: ClassVar[int] = 170


class Cifar100(CIFAR100):
    """torchvision's CIFAR-100 without its test split."""

    test_list: ClassVar[list[list[str]]] = []
    megabytes: ClassVar[int] = 169


class Svhn(SVHN):
    """torchvision's SVHN; each split is a file of its own."""

    megabytes: ClassVar[dict[str, int]] = {"train": 182, "extra": 1329}


@dataclass(frozen=True)
class Download:
    """One file to download and the files that must be there afterwards, with their MD5 sums."""

    url: str
    filename: str
    md5: str
    megabytes: int
    files: tuple[tuple[str, str], ...]  # (path below the root, MD5)
    unpack: bool

    def absent(self, root: Path) -> list[str]:
        """The files that are not there, or not as they must be."""
        return [path for path, md5 in self.files if not check_integrity(root / path, md5)]


_CIFARS = {"cifar10": Cifar10, "cifar100": Cifar100}


def read_torchvision(dataset: DatasetSettings) -> Source:
    """The training split of CIFAR or SVHN (with `extra` appended if wanted), downloaded if it is not there.

    Raises:
        InputError: it is not there and cannot be downloaded.
    """
    root = data_root(dataset)
    for download in _downloads(dataset):
        obtain(download, root)
    return _read_svhn(dataset, root) if dataset.name == "svhn" else _read_cifar(dataset, root)


def torchvision_presence(dataset: DatasetSettings) -> Presence:
    """Whether the training files are there, or where the search would download them from."""
    root = data_root(dataset)
    wanted = [download for download in _downloads(dataset) if download.absent(root)]
    if not wanted:
        return Presence(f"found in {root}")
    sizes = " and ".join(f"{download.megabytes:,} MB from {download.url}" for download in wanted)
    return Presence(f"not in {root} yet; the search downloads {sizes}")


def _read_cifar(dataset: DatasetSettings, root: Path) -> Source:
    data: Any = _CIFARS[dataset.name](root, train=True)
    return Source(data.data, np.asarray(data.targets, dtype=np.int64), tuple(data.classes))


def _read_svhn(dataset: DatasetSettings, root: Path) -> Source:
    parts = [Svhn(root, split) for split in _svhn_splits(dataset)]
    # (N, C, H, W) -> (N, H, W, C)
    images = np.concatenate([part.data.transpose(0, 2, 3, 1) for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    return Source(images, labels, tuple("0123456789"))


def _downloads(dataset: DatasetSettings) -> list[Download]:
    if dataset.name == "svhn":
        return [_svhn_download(split) for split in _svhn_splits(dataset)]
    return [_cifar_download(_CIFARS[dataset.name])]


def _cifar_download(kind: Any) -> Download:
    files = [*kind.train_list, [kind.meta["filename"], kind.meta["md5"]]]
    paths = tuple((f"{kind.base_folder}/{name}", md5) for name, md5 in files)
    return Download(kind.url, kind.filename, kind.tgz_md5, kind.megabytes, paths, unpack=True)


def _svhn_splits(dataset: DatasetSettings) -> list[str]:
    return ["train", "extra"] if dataset.extra else ["train"]


def _svhn_download(split: str) -> Download:
    url, filename, md5 = Svhn.split_list[split]
    return Download(url, filename, md5, Svhn.megabytes[split], ((filename, md5),), unpack=False)


def obtain(download: Download, root: Path) -> None:
    """Downloads what is absent, once a node. What is there is only read: its folder may be read-only.

    Raises:
        InputError: the files are absent and cannot be downloaded.
    """
    if not download.absent(root):
        return
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / _LOCK):
            if download.absent(root):  # nobody downloaded them while this process waited
                _fetch(download, root)
    except _DOWNLOAD_ERRORS as error:
        raise _not_obtained(download, root, f"the download failed ({error})") from None
    if download.absent(root):
        raise _not_obtained(download, root, "the download holds other files than expected")


def _fetch(download: Download, root: Path) -> None:
    if download.unpack:
        download_and_extract_archive(download.url, root, filename=download.filename, md5=download.md5)
    else:
        download_url(download.url, root, download.filename, download.md5)


def _not_obtained(download: Download, root: Path, reason: str) -> InputError:
    absent = [path for path, _ in download.files] if download.unpack else [download.filename]
    by_hand = f"download {download.url} elsewhere and place it as {root / download.filename}"
    if download.unpack:
        names = ", ".join(Path(path).name for path in absent)
        by_hand += f", or unpacked in {(root / absent[0]).parent} ({names})"
    rule = f"must hold {absent[0] if len(absent) == 1 else Path(absent[0]).parent}"
    return InputError.of("dataset.root", f"{rule}, but got none in {root}, and {reason}; {by_hand}")
