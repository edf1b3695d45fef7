"""How benchmarks measure: variants in processes of their own, in turns; medians, spread, and ratios within a round.

Machines are shared and noisy, so two variants are never compared across runs: every round runs each variant once, in
an order that moves on from round to round, and a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import re
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

from wrn_search.hardware.detected_cores_and_gpus import gpu_names, usable_cores
from wrn_search.results.manifest import hardware

RESULTS = Path(__file__).parent / "results"
Round = Callable[[], float]


class Variant:
    """A process that holds one way of doing a thing, warmed up; `run` has it do so once and returns a number.

    Args:
        make: importable; makes the round from `arguments` in the new process.
        environment: variables that the process must start with.
    """

    def __init__(
        self, make: Callable[..., Round], *, environment: Mapping[str, str] | None = None, **arguments: Any
    ):
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, arguments))
        before = dict(os.environ)
        os.environ.update(environment or {})
        try:
            self._process.start()
        finally:
            os.environ.clear()
            os.environ.update(before)
        theirs.close()
        self._pipe.recv()  # it is warm

    def start(self) -> None:
        """Begins a round and does not wait."""
        self._pipe.send(True)

    def wait(self) -> float:
        """The number of the round that was begun."""
        return float(self._pipe.recv())

    def run(self) -> float:
        """One round."""
        self.start()
        return self.wait()

    def __enter__(self) -> Variant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join()


def _serve(pipe: Any, make: Callable[..., Round], arguments: dict[str, Any]) -> None:
    """A variant's process: ready, then a number for each request, until the other end closes."""
    once = make(**arguments)
    once()
    pipe.send(True)
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        pipe.send(once())


def in_turns(rounds: Mapping[str, Round], count: int) -> dict[str, list[float]]:
    """`count` values of each, taken in turns."""
    names = list(rounds)
    values: dict[str, list[float]] = {name: [] for name in names}
    for number in range(count):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            values[name].append(rounds[name]())
    return values


def variants_in_turns(variants: Mapping[str, Variant], count: int) -> dict[str, list[float]]:
    """`in_turns` over processes, which end with it."""
    with ExitStack() as stack:
        for variant in variants.values():
            stack.enter_context(variant)
        return in_turns({name: variant.run for name, variant in variants.items()}, count)


def ratio(values: Mapping[str, Sequence[float]], over: str, under: str) -> float:
    """Median of `over / under` within each round."""
    return statistics.median(one / other for one, other in zip(values[over], values[under], strict=True))


def row(name: str, values: Sequence[float], unit: str) -> str:
    """`name   median  (lowest to highest, n)`."""
    spread = f"{min(values):,.4g} to {max(values):,.4g}, n={len(values)}"
    return f"  {name:<34}{statistics.median(values):>12,.4g} {unit:<10} ({spread})"


def options(doc: str | None, rounds: int) -> argparse.ArgumentParser:
    """What every benchmark takes."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rounds", type=_count, default=rounds, help=f"turns of each variant (default {rounds})"
    )
    parser.add_argument("--json", type=Path, help=f"where the values go (default {RESULTS.name}/MACHINE/)")
    return parser


def _count(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, but got '{text}'")
    return int(text)


def report(
    name: str, lines: Sequence[str], values: Mapping[str, Any], path: Path | None, *, part: str = ""
) -> None:
    """Prints the table; the same values go into JSON, with machine and versions.

    Args:
        name: of the benchmark.
        lines: the table.
        values: plain ones.
        path: of the JSON file; default `NAME.json` in the machine's folder.
        part: of a benchmark that is run in parts, at the end of that name.
    """
    machine = hardware(usable_cores(), gpu_names())
    versions = {package: version(package) for package in ("torch", "torchvision", "ray", "optuna")}
    path = path or RESULTS / _slug(machine) / f"{name}{part}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    del machine["hostname"]
    content = {
        "benchmark": name,
        "command": " ".join(["python", "-m", f"benchmarks.{name}", *sys.argv[1:]]),
        "hardware": machine,
        "versions": {"python": platform.python_version(), **versions},
        **values,
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    print("\n".join(lines))
    devices = f", {', '.join(machine['gpus'])}" if machine["gpus"] else ""
    print(
        f"{machine['cpu']}, {machine['cores']} cores{devices}; torch {versions['torch']}; values in {path}\n"
    )


def _slug(machine: Mapping[str, Any]) -> str:
    """A folder for results of one kind of machine."""
    device = machine["gpus"][0] if machine["gpus"] else f"{machine['cpu']} {machine['cores']} cores"
    return re.sub(r"[^a-z0-9]+", "-", str(device).lower()).strip("-")
