"""A user's own photographs: what preparing them takes, and a look at them, in CPU seconds and memory.

Makes JPEG files of mixed sizes in folders of ten classes, prepares them at 64x64 pixels in a process of its own, as the
start of a search does, and looks at twice as many with `python -m wrn_search data`. Nothing is kept.

    python -m benchmarks.own_images [--rounds 1] [--images 50000] [--files 100000] [--json FILE]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measuring import options, report, row

CLASSES = 10
SIDES = (64, 128)  # pixels, of the files
SIZE = 64  # that they are made
_PREPARE = """\
from wrn_search.images.prepared_data import prepare
from wrn_search.space.dataset_section import DatasetSettings
prepare(DatasetSettings(name="folder", root={root!r}, image_size={size}, validation=0.1))
"""


@dataclass(frozen=True)
class Cost:
    """Of one process and its children."""

    images: int
    seconds: float  # of the wall clock
    cpu_seconds: float  # user and system
    peak_gigabytes: float  # resident, mapped files included
    disk_gigabytes: float  # written


def write_photographs(root: Path, count: int, split: str = "train") -> Path:
    """root/split/<class>/<number>.jpg: soft shapes in many colours, no two alike; returns the root."""
    generator = np.random.default_rng(count)
    for label in range(CLASSES):
        (root / split / f"class_{label}").mkdir(parents=True, exist_ok=True)
    for number in range(count):
        width, height = generator.integers(SIDES[0], SIDES[1] + 1, 2).tolist()
        coarse = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        picture.save(root / split / f"class_{number % CLASSES}" / f"{number:06}.jpg", quality=90)
    return root


def cost_of(command: list[str], images: int, cache: Path) -> Cost:
    """What a command took.

    Raises:
        CalledProcessError: it failed.
    """
    began = time.perf_counter()
    environment = os.environ | {"WRN_SEARCH_DATA": str(cache)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    cpu = usage.ru_utime + usage.ru_stime  # of its children, too
    written = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    return Cost(images, seconds, cpu, usage.ru_maxrss * 1024 / 1e9, written / 1e9)


def main() -> None:
    """Both, one after the other."""
    parser = options(__doc__, rounds=1)
    parser.add_argument("--images", type=int, default=50_000, help="to prepare")
    parser.add_argument("--files", type=int, default=100_000, help="to look at")
    chosen = parser.parse_args()
    found: dict[str, list[Cost]] = {"prepare": [], "data": []}
    with tempfile.TemporaryDirectory() as folder:
        for name, count in (("prepare", chosen.images), ("data", chosen.files)):
            root = write_photographs(Path(folder) / name, count)
            command = [sys.executable, "-c", _PREPARE.format(root=str(root), size=SIZE)]
            if name == "data":
                command = [sys.executable, "-m", "wrn_search", "data", str(root)]
            for _ in range(chosen.rounds):
                with tempfile.TemporaryDirectory(dir=folder) as cache:
                    found[name].append(cost_of(command, count, Path(cache)))
    lines = [f"JPEG files of {SIDES[0]} to {SIDES[1]} pixels a side, {CLASSES} classes"]
    for name, costs in found.items():
        lines.append(f"  {name}: {costs[0].images:,} images")
        lines += [
            row(what, [getattr(each, key) for each in costs], unit)
            for what, key, unit in (
                ("  wall clock", "seconds", "s"),
                ("  user and system", "cpu_seconds", "CPU s"),
                ("  resident at most, maps included", "peak_gigabytes", "GB"),
                ("  on disk", "disk_gigabytes", "GB"),
            )
        ]
    values = {name: [asdict(each) for each in costs] for name, costs in found.items()}
    report("own_images", lines, values, chosen.json)


if __name__ == "__main__":
    main()
