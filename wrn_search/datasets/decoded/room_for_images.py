"""Where decoded images go, one after the other: an array in memory, or a file that is mapped when it is whole."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from wrn_search.datasets.dataset import Images, bad_data

_BUFFER = 1 << 20  # bytes, of writing, and of greyscale images that become coloured


class Room(Protocol):
    """Takes images (H, W, 1) or (H, W, 3) of one size, in order, and gives all of them back."""

    def put(self, pixels: Images) -> None: ...

    def images(self) -> Images: ...  # (count, H, W, C): C = 1 if all were greyscale, else 3


def room_for(count: int, shape: tuple[int, ...], into: Path | None) -> Room:
    """Room for so many images of (H, W), in the file `into` where one is named.

    Raises:
        InputError: memory has not so much.
    """
    return RoomInMemory(count, shape) if into is None else RoomInFile(count, shape, into)


class RoomInMemory:
    """An array."""

    def __init__(self, count: int, shape: tuple[int, ...]):
        try:
            self._images = np.empty((count, *shape[:2], 3), dtype=np.uint8)
        except MemoryError:
            gigabytes = math.prod((count, *shape[:2], 3)) / 1e9
            got = f"{count:,} images of {shape[0]}x{shape[1]} ({gigabytes:,.0f} GB)"
            raise bad_data("all training images must fit into memory", got) from None
        self._filled, self._all_grey = 0, True

    def put(self, pixels: Images) -> None:
        """The next one; a greyscale one fills all three channels."""
        self._images[self._filled] = pixels
        self._filled += 1
        self._all_grey &= pixels.shape[2] == 1

    def images(self) -> Images:
        """All of them."""
        assert self._filled == len(self._images), (self._filled, len(self._images))
        return self._images[..., :1].copy() if self._all_grey else self._images


class RoomInFile:
    """A `.npy` file that grows with the images: never more than some of them are in memory.

    It has one channel until the first coloured image comes, which makes those before it coloured, too. Written as a
    file rather than through a map: a full disk is then an OSError and not a SIGBUS.
    """

    def __init__(self, count: int, shape: tuple[int, ...], path: Path):
        self._count, self._sides, self._path = count, shape[:2], path
        self._channels, self._filled = 1, 0
        self._file = self._begun(path)

    def put(self, pixels: Images) -> None:
        """The next one."""
        if pixels.shape[2] > self._channels:
            self._become_coloured()
        self._file.write(np.broadcast_to(pixels, (*self._sides, self._channels)).tobytes())
        self._filled += 1

    def images(self) -> Images:
        """All of them, mapped and read only."""
        assert self._filled == self._count, (self._filled, self._count)
        self._file.close()
        mapped: Images = np.load(self._path, mmap_mode="r")
        return mapped

    def _begun(self, path: Path) -> BinaryIO:
        file = path.open("wb", buffering=_BUFFER)
        shape = (self._count, *self._sides, self._channels)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        self._start = file.tell()
        return file

    def _become_coloured(self) -> None:
        self._file.close()
        grey = self._path.with_name(f"{self._path.name}.grey")
        self._path.rename(grey)
        start, self._channels = self._start, 3
        self._file = self._begun(self._path)
        with grey.open("rb") as before:
            before.seek(start)
            while chunk := before.read(_BUFFER):
                self._file.write(np.frombuffer(chunk, dtype=np.uint8).repeat(3).tobytes())
        grey.unlink()
