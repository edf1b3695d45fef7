"""Every image of a split opened and decoded as a training would, and forgotten: sizes, modes, digests, what is refused.

Small files are decoded one after the other, as most of the time is Python's (`image_decoding.decode_images`); where
the decoders have more to do, threads share the cores.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wrn_search.datasets.image_decoding import DecodedImage, decode_image
from wrn_search.datasets.parquet.parquet_columns import NO_BYTES
from wrn_search.errors import InputError
from wrn_search.hardware.detected_cores_and_gpus import usable_cores
from wrn_search.images.checks_of_images import Digests, digests_of
from wrn_search.survey.listing import ListedSplit, Named

_AT_ONCE = 256  # images: bounds the memory of threads
_LARGE_FILE = 32_768  # bytes on average, from which on threads are faster than one


@dataclass(frozen=True)
class Refused:
    """An image that a search would refuse, and why."""

    name: str
    reason: str


@dataclass(eq=False)
class Looks:
    """What the images of a split are; arrays run over those that can be read."""

    classes: list[str] = field(default_factory=list)  # (n,)
    names: list[str] = field(default_factory=list)  # (n,)
    pixels: Digests = field(default_factory=lambda: np.empty(0, dtype=np.uint64))  # (n,) of what is seen
    files: Digests = field(default_factory=lambda: np.empty(0, dtype=np.uint64))  # (n,) of the encoded bytes
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)  # (height, width), upright
    modes: Counter[str] = field(default_factory=Counter)
    grey: int = 0  # images of a single channel
    of_16_bits: list[int] = field(
        default_factory=list
    )  # the largest value of each that has 16 bits a channel
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True)
class _Look:
    name: str
    size: tuple[int, int] = (0, 0)
    mode: str = ""
    grey: bool = False
    largest_of_16_bits: int | None = None
    digests: tuple[int, int] = (0, 0)  # of pixels and of bytes
    refused: str = ""  # why


def look_at(split: ListedSplit, background: str, progress: Callable[[int], None]) -> Looks:
    """Decodes all images of a split; `progress` hears how many are done."""
    looks, pixels, files = Looks(), [], []
    for done, (each, label) in enumerate(zip(_all_looks(split, background), split.classes, strict=True), 1):
        if done % _AT_ONCE == 0:
            progress(done)
        if each.refused:
            looks.refused.append(Refused(each.name, each.refused))
            continue
        looks.classes.append(label)
        looks.names.append(each.name)
        looks.sizes[each.size] += 1
        looks.modes[each.mode] += 1
        looks.grey += each.grey
        if each.largest_of_16_bits is not None:
            looks.of_16_bits.append(each.largest_of_16_bits)
        pixels.append(each.digests[0])
        files.append(each.digests[1])
    looks.pixels, looks.files = np.array(pixels, dtype=np.uint64), np.array(files, dtype=np.uint64)
    return looks


def _all_looks(split: ListedSplit, background: str) -> Iterator[_Look]:
    def look(image: Named) -> _Look:
        return _look(image, background)

    images, cores = iter(split.images()), usable_cores()
    if cores < 2 or split.bytes_of_files < _LARGE_FILE * len(split.classes):
        yield from map(look, images)
        return
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(cores))
        while chunk := list(itertools.islice(images, _AT_ONCE)):
            yield from threads.map(look, chunk)


def _look(image: Named, background: str) -> _Look:
    name, data = image
    if data is None:
        return _Look(name, refused=f"{NO_BYTES}, but got null")
    try:
        if isinstance(data, Path):
            if not data.is_file():  # reading a pipe would wait for ever
                return _Look(name, refused="must be a plain file")
            data = data.read_bytes()
        if isinstance(data, np.ndarray):  # one of many in a file
            grey = data.shape[2] == 1
            decoded = DecodedImage(data, grey, "L" if grey else "RGB", (data.shape[0], data.shape[1]))
            data = data.tobytes()
        else:
            decoded = decode_image(name, data, background)
    except InputError as error:
        text = error.problems[0].text.replace(f" ({name})", "")
        return _Look(name, refused=text)
    except OSError as error:
        return _Look(name, refused=f"must be readable, but got: {error.strerror}")
    height, width = decoded.pixels.shape[:2]
    # Greyscale among coloured images fills three channels, and equals a coloured one that shows the same.
    seen = np.broadcast_to(decoded.pixels, (height, width, 3))
    digests = int(digests_of(seen[None])[0]), _digest(data)
    return _Look(name, (height, width), decoded.mode, decoded.grey, decoded.largest_of_16_bits, digests)


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
