"""Downloads of the data sets that torchvision knows: its addresses, checksums and download code, once a node.

Importing this module imports torchvision, which takes seconds; the data sets do so only to read or to look.
"""

from __future__ import annotations

import http.client
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torchvision.datasets
from torchvision.datasets.utils import check_integrity, download_and_extract_archive, download_url

from wrn_search.datasets.dataset import Presence
from wrn_search.errors import InputError
from wrn_search.file_system.preparation_lock import preparation_lock

# What a broken connection, a truncated archive, a wrong checksum or a full disk raise inside torchvision.
_DOWNLOAD_ERRORS = (OSError, RuntimeError, EOFError, http.client.HTTPException, tarfile.TarError, zlib.error)
_LOCK = ".wrn-search-download.lock"


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


def presence_of(downloads: Sequence[Download], root: Path) -> Presence:
    """Whether the files are there, or where the search would download them from."""
    wanted = [download for download in downloads if download.absent(root)]
    if not wanted:
        return Presence(f"found in {root}")
    sizes = " and ".join(f"{download.megabytes:,} MB from {download.url}" for download in wanted)
    return Presence(f"not in {root} yet; the search downloads {sizes}")


def obtain(download: Download, root: Path) -> None:
    """Downloads what is absent, once a node. What is there is only read: its folder may be read-only.

    Raises:
        InputError: the files are absent and cannot be downloaded.
    """
    if not download.absent(root):
        return
    try:
        with _downloading_into(root):
            if download.absent(root):  # nobody downloaded them while this process waited
                _fetch(download, root)
    except _DOWNLOAD_ERRORS as error:
        raise _not_obtained(download, root, f"the download failed ({error})") from None
    if download.absent(root):
        raise _not_obtained(download, root, "the download holds other files than expected")


def obtain_whole(
    kind: str, options: Mapping[str, str], root: Path, absent: Callable[[], list[str]], page: str
) -> None:
    """Lets torchvision's class of a data set download it, once a node.

    Args:
        kind: the class's name.
        options: its arguments but root and download.
        absent: paths below the root that must be there and are not.
        page: where the files come from, for who must download them elsewhere.

    Raises:
        InputError: they cannot be downloaded.
    """
    wanted, reason = absent(), "the download holds other files than expected"
    try:
        with _downloading_into(root):
            if absent():  # nobody downloaded them while this process waited
                getattr(torchvision.datasets, kind)(root, download=True, **options)
    except (*_DOWNLOAD_ERRORS, zipfile.BadZipFile, ValueError) as error:
        reason = f"the download failed ({' '.join(str(error).split())})"
    if absent():
        rule = f"must hold {' and '.join(wanted)}, but got none in {root}, and {reason}"
        by_hand = f"download {page} elsewhere and unpack it so that {root / wanted[0]} is there"
        raise InputError.of("dataset.root", f"{rule}; {by_hand}")


@contextmanager
def _downloading_into(root: Path) -> Iterator[None]:
    """Makes the folder and holds its lock; where nothing has come into it, the folders that were made go again."""
    made = [folder for folder in (root, *root.parents) if not folder.exists()]
    root.mkdir(parents=True, exist_ok=True)
    try:
        with preparation_lock(root / _LOCK):
            yield
    finally:
        with suppress(OSError):
            if made and all(entry.name == _LOCK for entry in root.iterdir()):
                (root / _LOCK).unlink(missing_ok=True)
                for folder in made:  # the deepest first; one that another process uses is not empty
                    folder.rmdir()


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
