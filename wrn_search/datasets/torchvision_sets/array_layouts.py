"""Data sets whose images lie in one file: MNIST's idx files, and the columns of pixels of STL-10."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from wrn_search.datasets.dataset import FoundSplit, Images, bad_data

_IDX_BYTES = 8  # the type code of unsigned bytes
_STL10_SIDE = 96
_STL10_IMAGE = 3 * _STL10_SIDE * _STL10_SIDE  # bytes

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class IdxLayout:
    """MNIST's format: <folder>/raw/<prefix>-images-idx3-ubyte and -labels-idx1-ubyte, as they are or as .gz.

    LeCun et al. (1998). EMNIST (Cohen et al., 2017) stores rows and columns exchanged; `transposed` sets them upright.
    """

    folder: str
    prefixes: Mapping[str, str]  # split -> how the names of its files begin
    class_names: tuple[str, ...]
    side: int = 28  # pixels
    transposed: bool = False

    has_files: ClassVar[bool] = False

    def wanted(self, split: str) -> tuple[str, ...]:
        """Images, labels."""
        if split not in self.prefixes:
            return ()
        start = f"{self.folder}/raw/{self.prefixes[split]}"
        return f"{start}-images-idx3-ubyte", f"{start}-labels-idx1-ubyte"

    def found(self, root: Path, split: str) -> FoundSplit:
        """See `Layout`; labels are read, of the images their header."""
        images, labels = (as_it_lies(root / path) for path in self.wanted(split))
        numbers = _idx(labels, 1)
        shape = _idx_shape(images, 3)
        if shape[1:] != (self.side, self.side):
            rule = f"images must be {self.side}x{self.side}"
            raise bad_data(rule, f"{shape[1]}x{shape[2]} ({images})")
        if len(numbers) != shape[0]:
            rule = f"{images.name} and {labels.name} must hold equally many"
            raise bad_data(rule, f"{shape[0]:,} images and {len(numbers):,} labels ({images.parent})")
        return FoundSplit(
            images.parent,
            (images, labels),
            _named(numbers, self.class_names, labels),
            self.class_names,
            array=lambda: self._pixels(images),
        )

    def _pixels(self, path: Path) -> Images:
        """(N, H, W, 1)."""
        images = _idx(path, 3)
        return np.ascontiguousarray(images.transpose(0, 2, 1) if self.transposed else images)[..., None]


@dataclass(frozen=True)
class Stl10Layout:
    """stl10_binary/<split>_X.bin, 3 x 96 x 96 bytes an image, columns first, and <split>_y.bin, labels from 1.

    Coates et al. (2011). The 100,000 unlabelled images are not needed, nor read.
    """

    class_names: tuple[str, ...] = (
        "airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck",
    )  # fmt: skip

    has_files: ClassVar[bool] = False

    def wanted(self, split: str) -> tuple[str, ...]:
        """Images, labels."""
        if split == "validation":
            return ()
        return f"stl10_binary/{split}_X.bin", f"stl10_binary/{split}_y.bin"

    def found(self, root: Path, split: str) -> FoundSplit:
        """See `Layout`; only labels are read."""
        images, labels = (root / path for path in self.wanted(split))
        numbers = np.fromfile(labels, dtype=np.uint8).astype(np.int64) - 1
        size = images.stat().st_size
        if size != len(numbers) * _STL10_IMAGE:
            rule = (
                f"must hold {_STL10_IMAGE:,} bytes for each of the {len(numbers):,} labels of {labels.name}"
            )
            raise bad_data(rule, f"{size:,} bytes ({images})")
        classes = _named(numbers, self.class_names, labels, first=1)
        return FoundSplit(
            images.parent, (images, labels), classes, self.class_names, array=lambda: self._pixels(images)
        )

    def _pixels(self, path: Path) -> Images:
        """(N, H, W, 3)."""
        stored = np.fromfile(path, dtype=np.uint8).reshape(-1, 3, _STL10_SIDE, _STL10_SIDE)
        return np.ascontiguousarray(stored.transpose(0, 3, 2, 1))


def as_it_lies(path: Path) -> Path:
    """The file, or where only that is there the .gz it is unpacked from."""
    packed = path.with_name(f"{path.name}.gz")
    return packed if not path.exists() and packed.is_file() else path


def _named(numbers: npt.NDArray[Any], names: tuple[str, ...], path: Path, first: int = 0) -> tuple[str, ...]:
    """The class of each image; `first` is what is written for label 0."""
    stray = numbers[(numbers < 0) | (numbers >= len(names))]
    if len(stray):
        rule = f"labels must be {first} to {first + len(names) - 1}"
        raise bad_data(rule, f"{int(stray[0]) + first} ({path})")
    return tuple(names[number] for number in numbers.tolist())


def _idx_shape(path: Path, axes: int) -> tuple[int, ...]:
    """The shape that an idx file of bytes says, after seeing that it is whole.

    Raises:
        InputError: it is no such file, or cut short.
    """
    start = 4 + 4 * axes
    with _opened(path) as file:
        head = _read(file, start, path)
        if len(head) < start or tuple(head[:4]) != (0, 0, _IDX_BYTES, axes):
            rule = f"must be an idx file of bytes with {axes} axes, as {path.name.removesuffix('.gz')} is"
            raise bad_data(rule, f"one that begins with {head[:4].hex(' ') or 'nothing'} ({path})")
        shape = tuple(int(size) for size in np.frombuffer(head[4:], dtype=">u4"))
    if path.suffix != ".gz" and path.stat().st_size != start + math.prod(shape):
        rule = f"must hold {start + math.prod(shape):,} bytes, as its header says"
        raise bad_data(rule, f"{path.stat().st_size:,} ({path})")
    return shape


def _idx(path: Path, axes: int) -> Bytes:
    """The array of an idx file."""
    shape = _idx_shape(path, axes)
    with _opened(path) as file:
        content = _read(file, -1, path)
    values = np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes)
    if len(values) != math.prod(shape):
        raise bad_data(
            f"must hold {math.prod(shape):,} values, as its header says", f"{len(values):,} ({path})"
        )
    return values.reshape(shape)


def _opened(path: Path) -> Any:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _read(file: Any, count: int, path: Path) -> bytes:
    try:
        return bytes(file.read(count))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise bad_data("must be a whole .gz file", f"{error} ({path})") from None
