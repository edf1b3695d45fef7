"""Everything worth doing in ten minutes on a borrowed GPU: training rates, memory, packing, out of memory.

What is most wanted comes first. Each part is written to the JSON file when it is there, a part that fails says why,
and what no longer fits into --seconds is named as left out. Without a GPU it runs at a tiny size, which its test does.

    python -m benchmarks.gpu.all [--seconds 570] [--match REGEX] [--tiny] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.kernels_of_an_epoch import kernels
from benchmarks.gpu.made_up_data import device_here, made_up_data
from benchmarks.gpu.memory_of_ways import line_of, memories
from benchmarks.gpu.packed_trials import Packed, packed_rates
from benchmarks.gpu.rates_of_ways import FLOORS, measured_way, plain_rate
from benchmarks.gpu.too_small_shares import searched_with_too_small_shares
from wrn_search.hardware.detected_cores_and_gpus import usable_cores
from wrn_search.images.prepared_data import PreparedData

Part = Callable[[], Any]
GROUPS = ("rates", "packing", "out_of_memory", "memory", "kernels")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    networks: tuple[str, ...]
    first: tuple[str, ...]  # networks that come first
    plain: tuple[str, ...]  # beside the plain loop
    compiled: tuple[str, ...]
    packed: tuple[str, ...]
    counts: tuple[int, ...]  # of trials at once
    batch_sizes: tuple[int, ...]  # the first one for rates, all for memory
    images: int
    validation: int
    epochs: int
    plain_steps: int
    packed_seconds: float
    starved: tuple[str, int]  # network and least batch size of a search whose shares are too small
    precisions: tuple[str, ...]


WHOLE = Size(
    networks=tuple(FLOORS),
    first=("16-1", "16-2", "28-10"),
    plain=("16-2", "28-10"),
    compiled=("28-10", "16-2", "16-8", "40-10"),
    packed=("16-2", "16-1"),
    counts=(1, 2, 4, 8, 16),
    batch_sizes=(128, 512),
    images=12_800,
    validation=1024,
    epochs=3,
    plain_steps=60,
    packed_seconds=2.0,
    starved=("40-10", 1024),
    precisions=("fp32", "tf32", "fp16"),
)
TINY = Size(
    networks=("10-1",),
    first=("10-1",),
    plain=("10-1",),
    compiled=(),
    packed=("10-1",),
    counts=(1, 2),
    batch_sizes=(16, 32),
    images=64,
    validation=32,
    epochs=1,
    plain_steps=2,
    packed_seconds=0.01,
    starved=("10-1", 16),
    precisions=("fp32", "fp16"),
)


def parts_of(size: Size, folder: Path, threads: int, patience: float) -> Iterator[tuple[str, str, Part]]:
    """(group, name, what measures it), the most wanted first."""
    data = partial(made_up_data, folder / "images", size.images, size.validation)
    first = size.batch_sizes[0]

    def rate(
        network: str, way: str, precision: str = "bf16", batch_size: int = first
    ) -> tuple[str, str, Part]:
        name = f"{network} {way} {precision} {batch_size}"
        return (
            "rates",
            name,
            lambda: measured_way(network, way, precision, batch_size, data(), size.epochs, threads),
        )

    for network in size.first:
        for way in ("eager", "captured"):
            yield rate(network, way)
    for network in size.plain:
        workers = 2 if size is TINY else max(2, threads - 2)
        for amp in (False, True):
            loop = partial(plain_rate, network, amp, first, size.plain_steps, threads, workers)
            yield "rates", f"{network} plain loop {'AMP' if amp else 'fp32'} {first}", loop
    packed = Packed(str(folder / "images"), size.images, size.validation, first, "bf16", size.packed_seconds)
    at_once = partial(packed_rates, size.packed, ("on", "off"), size.counts, packed, threads)
    yield "packing", f"{' and '.join(size.packed)}, up to {size.counts[-1]} at once", at_once
    network, batch_size = size.starved
    search = partial(searched_with_too_small_shares, folder / "starved", network, batch_size, 2, patience)
    yield "out_of_memory", f"{network} in too small a share of a GPU", search
    for network in size.compiled[:2]:
        yield rate(network, "compiled and captured")
    others = [network for network in size.networks if network not in size.first]
    for network in others:
        yield rate(network, "eager")
        yield rate(network, "captured")
    taken = partial(_memory, folder / "memory", size, threads)
    yield "memory", "of the networks, at every batch size", taken
    for network in size.plain:
        for way in ("eager", "captured", "compiled and captured")[: 3 if size.compiled else 2]:
            measured = partial(_kernels, network, way, first, data, threads)
            yield "kernels", f"kernels of {network} {way} bf16 {first}", measured
    for network in size.compiled:
        for way in ("compiled and captured", "compiled"):
            if way == "compiled" or network not in size.compiled[:2]:
                yield rate(network, way)
    for precision in size.precisions:
        for network in size.plain:
            yield rate(network, "eager", precision)


def _memory(folder: Path, size: Size, threads: int) -> dict[str, Any]:
    ways = ("eager", "captured")
    return dict(memories(folder, size.networks, size.batch_sizes, ways, "bf16", max(1, threads // 2)))


def _kernels(
    network: str, way: str, batch_size: int, data: Callable[[], PreparedData], threads: int
) -> dict[str, Any]:
    return kernels(network, way, "bf16", batch_size, data(), threads)


def measure(
    parts: Iterator[tuple[str, str, Part]], until: float, keep: Callable[[dict[str, Any]], None]
) -> None:
    """Part after part until that moment (monotonic seconds); `keep` is given all that there is after each."""
    found: dict[str, Any] = {group: {} for group in GROUPS} | {"failed": {}, "left_out": []}
    for group, name, part in parts:
        if time.monotonic() >= until:
            found["left_out"].append(name)
            continue
        try:
            found[group][name] = part()
        except Exception as error:  # one part must not cost the others: a GPU is borrowed for minutes
            found["failed"][name] = traceback.format_exc(limit=-3)
            traceback.clear_frames(error.__traceback__)
        keep(found)
    keep(found)


def table(found: dict[str, Any]) -> list[str]:
    """What was measured, a line each; ratios beside the goals are taken within this run."""
    lines = [f"{'training':<38}{'images/s':>11}{'s for 50,000':>14}{'predicted/measured':>20}"]
    for name, each in found["rates"].items():
        rates = sorted(each["images_per_second"])
        share = (
            each.get("predicted_bytes", 0) / each["measured_bytes"] if each.get("measured_bytes") else None
        )
        memory = "" if share is None else f"{share:.3f}"
        lines.append(
            f"{name:<38}{rates[len(rates) // 2]:>11,.0f}{each['seconds_for_50000']:>14.2f}{memory:>20}"
        )
    lines += [line_of(*each) for taken in found["memory"].values() for each in taken.items()]
    for of_networks in found["packing"].values():
        for name, by_count in of_networks.items():
            alone = by_count[min(by_count, key=int)]
            lines += [
                f"{f'{name}, {count} at once':<38}{rate:>11,.0f}{rate / alone:>14.2f} times one alone"
                for count, rate in by_count.items()
            ]
    lines += [
        f"{name}: {spent['wall_ms']:.2f} ms a step, {spent['kernels_ms']:.2f} in {spent['kernels']:.0f} kernels"
        for name, spent in found["kernels"].items()
    ]
    lines += [f"{name}: {told}" for name, told in found["out_of_memory"].items()]
    lines += [f"failed: {name}: {trace.strip().splitlines()[-1]}" for name, trace in found["failed"].items()]
    lines += [f"left out for want of time: {', '.join(found['left_out'])}"] if found["left_out"] else []
    return lines


def main() -> None:
    """Measures, writes, prints."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=570.0, help="after which no part begins (default 570)"
    )
    parser.add_argument(
        "--match", type=re.compile, default="", help="parts alone whose `GROUP NAME` it is found in (all)"
    )
    parser.add_argument("--tiny", action="store_true", help="as without a GPU")
    parser.add_argument("--json", type=Path, help="where the values go (default benchmarks/results/DEVICE/)")
    chosen = parser.parse_args()
    on_gpu = torch.cuda.is_available()
    size = WHOLE if on_gpu and not chosen.tiny else TINY
    threads = usable_cores() if on_gpu else 1
    device = torch.cuda.get_device_name() if on_gpu else "cpu"
    slug = device.lower().replace(" ", "-")
    path = chosen.json or Path(__file__).parents[1] / "results" / slug / "gpu.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "benchmark": "gpu.all",
        "device": device,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "cores": usable_cores(),
        "size": "whole" if size is WHOLE else "tiny",
    }

    def keep(found: dict[str, Any]) -> None:
        about["seconds"] = time.monotonic() - began
        path.write_text(json.dumps({**about, **found}, indent=1) + "\n")

    with tempfile.TemporaryDirectory() as folder:
        os.environ["WRN_SEARCH_DATA"] = str(Path(folder) / "cache")
        patience = max(60.0, chosen.seconds / 3)
        parts = parts_of(size, Path(folder), threads, patience)
        chosen_parts = (part for part in parts if re.search(chosen.match, f"{part[0]} {part[1]}"))
        measure(chosen_parts, began + chosen.seconds, keep)
    found = json.loads(path.read_text())
    print("\n".join(table(found)))
    print(f"{device}, {device_here()}, torch {torch.__version__}, {found['seconds']:.0f} s; values in {path}")


if __name__ == "__main__":
    main()
