"""Decoded images in memory and in a file are the same ones, and a file needs no memory for them."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.image_data import random_images
from wrn_search.datasets.decoded.room_for_images import room_for

GREY, COLOURED = random_images(7, 5, 6, 1), random_images(7, 5, 6)


def filled(path: Path | None, pixels: list[np.ndarray]) -> np.ndarray:
    room = room_for(len(pixels), pixels[0].shape, path)
    for each in pixels:
        room.put(each)
    return room.images()


@pytest.mark.parametrize(
    "kinds", ["ggg", "ccc", "ggc", "cgg", "gcg"], ids=lambda kinds: f"{kinds} of grey and coloured"
)
def test_a_file_holds_what_memory_would(tmp_path: Path, kinds: str) -> None:
    pixels = [(GREY if kind == "g" else COLOURED)[place] for place, kind in enumerate(kinds)]
    expected = filled(None, pixels)
    assert expected.shape == (3, 5, 6, 1 if kinds == "ggg" else 3)
    for image, original in zip(expected, pixels, strict=True):
        np.testing.assert_array_equal(image, np.broadcast_to(original, image.shape))
    found = filled(tmp_path / "images.npy", pixels)
    np.testing.assert_array_equal(found, expected)
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    assert [path.name for path in tmp_path.iterdir()] == ["images.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy"), expected)


_HUNDRED_MEGABYTES = """\
import resource, sys
from pathlib import Path
import numpy as np
from wrn_search.datasets.decoded.room_for_images import room_for
image, room = np.zeros((256, 256, 3), np.uint8), room_for(600, (256, 256), Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for number in range(600):
    room.put(image[..., :1] if number < 300 else image)
room.images()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_file_takes_no_memory(tmp_path: Path) -> None:
    """118 MB, the first half of which becomes coloured when the second comes."""
    command = [sys.executable, "-c", _HUNDRED_MEGABYTES, str(tmp_path / "images.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 60e6
    assert (tmp_path / "images.npy").stat().st_size > 117e6


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_is_an_error_of_the_system(tmp_path: Path) -> None:
    """As a limit on the size of files makes it, which a test may set; the prepared data tell it as one of the cache."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            filled(tmp_path / "images.npy", [np.zeros((64, 64, 3), np.uint8)] * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
