"""`speed`: forward and backward of a batch here, thin and wide networks in turns, beside the paper's figure 4."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wrn_search.cli.exit_status import say, show
from wrn_search.errors import InputError, Problem
from wrn_search.hardware.detected_cores_and_gpus import gpu_bytes_here, gpu_names, usable_cores
from wrn_search.hardware.detected_memory import usable_memory
from wrn_search.hardware.waiting_threads import let_waiting_threads_sleep
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name, named_network
from wrn_search.paper.figure4 import BATCH_SIZE, figure4_milliseconds
from wrn_search.results.manifest import hardware
from wrn_search.space.rules.broken_rule import got

if TYPE_CHECKING:
    from wrn_search.speed.timed_networks import Batch, Setting, Timed

EXAMPLE = "python -m wrn_search speed --networks WRN-40-4,ResNet-164 --rounds 3"
_ROUNDS = {"cpu": 5, "cuda": 20}
_MOST = {"rounds": 10_000, "batch_size": 65_536, "image_size": 4096, "classes": 1_000_000, "threads": 4096}
_BETWEEN_NAMES = re.compile(r"[,\s]+(?![^()]*\))")  # a comma within B(3,3) is none


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `speed`."""
    parser.add_argument(
        "--networks",
        nargs="+",
        metavar="NAME",
        help="by name, spaces or commas between (default: the five of figure 4; ResNet-1001 needs 5 GB): WRN-28-10, "
        "ResNet-164, WRN-18-1.5, WRN-50-2-bottleneck",
    )
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, help=f"images (default: {BATCH_SIZE})")
    parser.add_argument("--rounds", type=int, help="timed steps of each network (default: 5, on a GPU 20)")
    parser.add_argument(
        "--image-size", type=int, help="pixels of a side (default: 32; of ImageNet's networks 224)"
    )
    parser.add_argument("--classes", type=int, help="classes (default: 10; of ImageNet's networks 1000)")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="auto: a GPU where there is one (default)",
    )
    parser.add_argument(
        "--precision", choices=("fp32", "bf16"), default="fp32", help="arithmetic (default: fp32)"
    )
    parser.add_argument("--threads", type=int, help="of a CPU (default: all cores that this process may use)")
    parser.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu: the time that this process computed, on a machine that others use too (default: wall)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    from wrn_search.speed.beside_figure4 import plain_values, speed_lines

    timed, setting, where = timed_as_told(options)
    if options.json:
        show(json.dumps(plain_values(timed, setting, where), indent=2))
    else:
        show("\n".join(speed_lines(timed, setting, where)))
    return 0


def timed_as_told(options: argparse.Namespace) -> tuple[list[Timed], Setting, str]:
    """Times by the options of the command; how they were taken, and on which CPU or GPU.

    Raises:
        InputError: with every option that is wrong, or a network that this machine has no memory for.
    """
    networks = _networks(options)
    gpus = gpu_names()
    device = ("cuda" if gpus else "cpu") if options.device == "auto" else options.device
    problems = [
        Problem(f"--{name.replace('_', '-')}", f"must be a whole number from {least} to {most}, {got(value)}")
        for name, most in _MOST.items()
        if (value := getattr(options, name)) is not None
        and not (least := 2 if name in ("batch_size", "classes") else 1) <= value <= most
    ]
    if device == "cuda" and not gpus:
        problems.append(
            Problem("--device", "must be a device of this machine, but got cuda: torch sees no GPU")
        )
    if device == "cuda" and options.clock == "cpu":
        problems.append(Problem("--clock", "a GPU must be timed by the wall clock, but got cpu"))
    if problems:
        raise InputError(problems)
    let_waiting_threads_sleep()
    from wrn_search.speed.timed_networks import Batch, Setting, timed_networks  # torch: seconds

    setting = Setting(
        device,
        options.precision,
        options.threads or usable_cores(),
        options.rounds or _ROUNDS[device],
        options.clock,
    )
    batches = [Batch(options.batch_size, *_images(options, network)) for network in networks]
    _check_memory(networks, batches, setting)
    timed = timed_networks(list(zip(networks, batches, strict=True)), setting, say)
    return timed, setting, gpus[0] if device == "cuda" else str(hardware(usable_cores())["cpu"])


def _networks(options: argparse.Namespace) -> list[Architecture]:
    """The networks that are named, each once.

    Raises:
        InputError: with every name that is none.
    """
    text = " ".join(options.networks) if options.networks else " ".join(figure4_milliseconds())
    found: dict[Architecture, None] = {}
    problems = []
    for name in filter(None, _BETWEEN_NAMES.split(text)):
        try:
            found[named_network(name)] = None
        except ValueError as error:
            problems.append(Problem("--networks", str(error) if name in str(error) else f"{error} in {name}"))
    if not found and not problems:
        problems.append(Problem("--networks", "must name a network, but got none"))
    if problems:
        raise InputError(problems)
    return list(found)


def _images(options: argparse.Namespace, network: Architecture) -> tuple[tuple[int, int, int], int]:
    """(height, width, channels) and classes."""
    large = not network.layout.preactivated
    side = options.image_size or (224 if large else 32)
    return (side, side, 3), options.classes or (1000 if large else 10)


def _check_memory(networks: Sequence[Architecture], batches: Sequence[Batch], setting: Setting) -> None:
    """What a step of the largest network takes must be there.

    Raises:
        InputError: it is not, by prediction.
    """
    there = gpu_bytes_here() if setting.device == "cuda" else usable_memory()
    needed, name = max(
        (
            trial_memory(
                Workload(
                    network,
                    batch.num_classes,
                    batch.image_shape,
                    batch.size,
                    setting.precision,
                    device=setting.device,
                )
            ).total_bytes,
            exact_name(network),
        )
        for network, batch in zip(networks, batches, strict=True)
    )
    if there and needed > there:
        rule = f"a batch of {name} must fit the {there / 1e9:.1f} GB that are there"
        text = (
            f"{rule}, but is predicted to need {needed / 1e9:.1f} GB; name other networks or a smaller batch"
        )
        raise InputError.of("--batch-size", text)
