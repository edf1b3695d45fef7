"""Everything worth doing in ten minutes on a borrowed GPU: training rates, memory, packing, out of memory.

What is most wanted comes first. Each part is written to the JSON file when it is there, a part that fails says why,
and what no longer fits into --seconds is named as left out. Without a GPU it runs at a tiny size, which its test does.

    python -m benchmarks.gpu.all [--seconds 570] [--tiny] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.made_up_data import device_here, made_up_data
from benchmarks.gpu.packed_trials import packed
from benchmarks.gpu.rates_of_ways import FLOORS, measured_way, plain_rate
from benchmarks.gpu.too_small_shares import searched_with_too_small_shares
from wrn_search.hardware.detected_cores_and_gpus import usable_cores

Part = Callable[[], Any]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    networks: tuple[str, ...]
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
    starved: tuple[str, int, int]  # network, batch size, images of a search whose shares are too small
    precisions: tuple[str, ...]


WHOLE = Size(
    networks=tuple(FLOORS),
    plain=("16-2", "28-10"),
    compiled=("28-10", "16-2", "16-8", "40-10"),
    packed=("16-2", "16-1"),
    counts=(1, 2, 4, 8, 16),
    batch_sizes=(128, 512),
    images=25_600,
    validation=1024,
    epochs=2,
    plain_steps=60,
    packed_seconds=3.0,
    starved=("40-10", 1024, 2048),
    precisions=("fp32", "tf32", "fp16"),
)
TINY = Size(
    networks=("10-1",),
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
    starved=("10-1", 16, 48),
    precisions=("fp32", "fp16"),
)


def parts_of(size: Size, folder: Path, threads: int, patience: float) -> Iterator[tuple[str, str, Part]]:
    """(group, name, what measures it), the most wanted first."""
    data = partial(made_up_data, folder / "images", size.images, size.validation)
    first = size.batch_sizes[0]

    def rate(network: str, way: str, precision: str = "bf16", batch_size: int = first) -> Part:
        return lambda: measured_way(network, way, precision, batch_size, data(), size.epochs, threads)

    for network in size.networks:
        for way in ("eager", "captured"):
            yield "rates", f"{network} {way} bf16 {first}", rate(network, way)
    for network in size.plain:
        workers = 2 if size is TINY else max(2, threads - 2)
        for amp in (False, True):
            loop = partial(plain_rate, network, amp, first, size.plain_steps, threads, workers)
            yield "rates", f"{network} plain loop {'AMP' if amp else 'fp32'} {first}", loop
    shape = {"images": size.images, "validation": size.validation, "batch_size": first, "precision": "bf16"}
    for network in size.packed:
        for graph in ("off", "on"):
            for count in size.counts:
                trials = partial(
                    packed, count, threads, network=network, cuda_graph=graph, folder=str(folder / "images"),
                    seconds=size.packed_seconds, **shape
                )  # fmt: skip
                way = "captured" if graph == "on" else "eager"
                yield "packing", f"{network} {way}, {count} at once", trials
    network, batch_size, images = size.starved
    search = partial(
        searched_with_too_small_shares, folder / "starved", network, batch_size, images, 2, patience
    )
    yield "out_of_memory", f"{network} at batch size {batch_size} in an eighth of a GPU", search
    for batch_size in size.batch_sizes[1:]:
        for network in size.networks:
            yield "rates", f"{network} eager bf16 {batch_size}", rate(network, "eager", "bf16", batch_size)
    for network in size.compiled:
        for way in ("compiled", "compiled and captured"):
            yield "rates", f"{network} {way} bf16 {first}", rate(network, way)
    for precision in size.precisions:
        for network in size.plain:
            yield "rates", f"{network} eager {precision} {first}", rate(network, "eager", precision)


def measure(
    parts: Iterator[tuple[str, str, Part]], until: float, keep: Callable[[dict[str, Any]], None]
) -> None:
    """Part after part until that moment (monotonic seconds); `keep` is given all that there is after each."""
    found: dict[str, Any] = {"rates": {}, "packing": {}, "out_of_memory": {}, "failed": {}, "left_out": []}
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
    for name, rate in found["packing"].items():
        alone = found["packing"].get(f"{name.partition(',')[0]}, 1 at once")
        over = f"{rate / alone:>14.2f} times one alone" if alone else ""
        lines.append(f"{name:<38}{rate:>11,.0f}{over}")
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
        measure(parts_of(size, Path(folder), threads, patience), began + chosen.seconds, keep)
    found = json.loads(path.read_text())
    print("\n".join(table(found)))
    print(f"{device}, {device_here()}, torch {torch.__version__}, {found['seconds']:.0f} s; values in {path}")


if __name__ == "__main__":
    main()
