"""`describe`: parameters, multiply-adds and memory of one network, without building it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from wrn_search.cli.exit_status import show
from wrn_search.errors import InputError, Problem, nearest
from wrn_search.memory.gpu_shares import share_by_work, share_of
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.networks.architecture import (
    Architecture,
    block_problem,
    default_kernels,
    depth_problem,
    family_problem,
    parse_block,
    widen_factor_problem,
)
from wrn_search.networks.families.family import listed_or
from wrn_search.networks.families.family_table import DEFAULT_FAMILY, FAMILIES
from wrn_search.networks.network_names import named_network
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.space.rules.broken_rule import got
from wrn_search.space.trial_config import PRECISIONS

EXAMPLE = "python -m wrn_search describe --depth 28 --widen-factor 10"
_FLOAT_BYTES = 4
_MOST = 1_000_000  # classes, pixels of a side, channels, images
_LARGEST_BATCH = 65_536
_PADDING = 4  # pixels around a stored training image, as for CIFAR
_GPU_SIZES = (8, 12, 16, 24, 40, 48, 80, 141)  # 10^9 bytes
_BESIDE_THE_PEAK = {"slack": "slack", "data": "data set", "workspace": "workspace", "context": "context"}
_SHARE_NAMES = {1 / 8: "1/8", 1 / 4: "1/4", 1 / 2: "1/2", 1.0: "1"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `describe`."""
    parser.add_argument(
        "--network", help="by name, instead of the next four: WRN-28-10, ResNet-164, WRN-18-1.5"
    )
    parser.add_argument("--depth", type=int, help="convolution layers, as the paper counts them")
    parser.add_argument("--widen-factor", type=float, help="k; 1 for preact_resnet, which is thin")
    parser.add_argument(
        "--family", default=DEFAULT_FAMILY, help=f"{listed_or(FAMILIES)} (default: {DEFAULT_FAMILY})"
    )
    parser.add_argument(
        "--block",
        help="kernel sizes of a block's convolutions, or basic or bottleneck (default: B(3,3); of the other families "
        "by depth)",
    )
    parser.add_argument("--classes", type=int, help="classes (default: 10; of imagenet_resnet 1000)")
    parser.add_argument(
        "--image-size",
        type=int,
        help="side of a square image in pixels (default: 32; of imagenet_resnet 224)",
    )
    parser.add_argument("--channels", type=int, default=3, help="channels of an image (default: 3)")
    parser.add_argument("--batch-size", type=int, default=128, help="images of a step (default: 128)")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32", help="arithmetic (default: fp32)")
    parser.add_argument("--dropout", type=float, default=0.0, help="probability (default: 0)")
    parser.add_argument(
        "--stochastic-depth", type=float, default=0.0, help="probability of the last block (default: 0)"
    )
    parser.add_argument(
        "--train-images", type=int, default=50_000, help="images kept on a GPU (default: 50000)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    architecture = _architecture(options)
    large = architecture.family == "imagenet_resnet"
    options.classes = options.classes or (1000 if large else 10)
    options.image_size = options.image_size or (224 if large else 32)
    described = description(architecture, options.classes, options.channels, options.image_size)
    described |= memory_description(_workload(options, architecture))
    show(json.dumps(described, indent=2) if options.json else _text(described))
    return 0


def description(
    architecture: Architecture, num_classes: int, in_channels: int, image_size: int
) -> dict[str, Any]:
    """The network as plain values; sizes in bytes are of fp32 numbers."""
    weights = num_params(architecture, num_classes, in_channels)
    return {
        "name": architecture.name,
        "family": architecture.family,
        "depth": architecture.depth,
        "widen_factor": architecture.widen_factor,
        "block": architecture.block,
        "deepening_factor": architecture.deepening_factor if architecture.family == DEFAULT_FAMILY else None,
        "blocks_per_group": _blocks_per_group(architecture),
        "widths": list(architecture.widths),
        "num_classes": num_classes,
        "image_shape": [image_size, image_size, in_channels],
        "num_params": weights,
        "macs": macs(architecture, num_classes, in_channels, image_size),
        "weights_bytes": _FLOAT_BYTES * weights,
        "training_state_bytes": 3 * _FLOAT_BYTES * weights,  # weights, gradients and momentum
    }


def memory_description(workload: Workload) -> dict[str, Any]:
    """The predicted peak memory of a training on a GPU, part by part, and the share of GPUs that it needs."""
    memory = trial_memory(workload)
    parts = {f"{name}_bytes": size for name, size in vars(memory.peak).items() if name != "moment"}
    return {
        "memory": {
            "batch_size": workload.batch_size,
            "precision": workload.precision,
            "dropout": workload.dropout,
            "stochastic_depth": workload.stochastic_depth,
            "moment": memory.peak.moment,
            **parts,
            "peak_bytes": memory.peak.peak_bytes,
            "slack_bytes": memory.slack_bytes,
            "data_bytes": memory.data_bytes,
            "workspace_bytes": memory.workspace_bytes,
            "context_bytes": memory.context_bytes,
            "total_bytes": memory.total_bytes,
        },
        "gpu_shares": [
            {"gpu_bytes": size * 10**9, "share": share_of(workload, memory.allocated_bytes, size * 10**9)}
            for size in _GPU_SIZES
        ],
        "gpu_filled": share_by_work(workload)[1],
    }


def _workload(options: argparse.Namespace, architecture: Architecture) -> Workload:
    side, channels = options.image_size, options.channels
    stored = (side + 2 * _PADDING) ** 2 * channels + 8  # bytes of an image with its label
    return Workload(
        architecture,
        options.classes,
        (side, side, channels),
        options.batch_size,
        options.precision,
        options.dropout,
        train_images=options.train_images,
        data_bytes=options.train_images * stored,
        stochastic_depth=options.stochastic_depth,
    )


def _blocks_per_group(architecture: Architecture) -> int | list[int]:
    """One number where all groups have it."""
    blocks = architecture.blocks
    return blocks[0] if len(set(blocks)) == 1 else list(blocks)


def _architecture(options: argparse.Namespace) -> Architecture:
    """The network of the options.

    Raises:
        InputError: with every option that is wrong.
    """
    problems = [
        Problem(f"--{name.replace('_', '-')}", f"must be 1 to {_MOST}, {got(value)}")
        for name in ("classes", "image_size", "channels", "train_images")
        if (value := getattr(options, name)) is not None and not 1 <= value <= _MOST
    ]
    if not 2 <= options.batch_size <= _LARGEST_BATCH:
        rule = f"must be a whole number from 2 to {_LARGEST_BATCH}"
        problems.append(Problem("--batch-size", f"{rule}, {got(options.batch_size)}"))
    for name in ("dropout", "stochastic_depth"):
        if not 0 <= (value := getattr(options, name)) < 1:
            text = f"0 <= {name} < 1 must hold, but got {value:g}"
            problems.append(Problem(f"--{name.replace('_', '-')}", text))
    network = None
    if options.network is not None:
        network = _named(options, problems)
    else:
        problems += shape_problems(options.family, options.depth, options.widen_factor, options.block)
        if not problems:
            network = Architecture.of(
                options.depth, options.widen_factor or 1.0, options.block, options.family
            )
    if network is not None and options.dropout and not FAMILIES[network.family].takes_dropout:
        text = f"dropout must be 0 with family {network.family}, but got {options.dropout:g}"
        problems.append(Problem("--dropout", text))
    if problems or network is None:
        raise InputError(problems)
    return network


def _named(options: argparse.Namespace, problems: list[Problem]) -> Architecture | None:
    """The network of `--network`, beside which no part of it stands."""
    told = [name for name in ("depth", "widen_factor", "block") if getattr(options, name) is not None]
    if told:
        text = "must not stand beside --network, which tells it"
        problems += [
            Problem(f"--{name.replace('_', '-')}", f"{text}, {got(getattr(options, name))}") for name in told
        ]
    if text := family_problem(options.family):
        problems.append(Problem("--family", text + nearest(options.family, FAMILIES)))
        return None
    try:
        return named_network(options.network, None if options.family == DEFAULT_FAMILY else options.family)
    except ValueError as error:
        problems.append(Problem("--network", str(error)))
        return None


def shape_problems(
    family: str, depth: int | None, widen_factor: float | None, block: str | None
) -> list[Problem]:
    """What of a network's options is missing or wrong, all at once."""
    if text := family_problem(family):
        return [Problem("--family", text + nearest(family, FAMILIES))]
    problems = []
    if depth is None:
        problems.append(Problem("--depth", "must be given, or --network"))
    if widen_factor is None and FAMILIES[family].named_width:
        problems.append(Problem("--widen-factor", "must be given, or --network"))
    elif text := widen_factor_problem(1.0 if widen_factor is None else widen_factor, family):
        problems.append(Problem("--widen-factor", text))
    try:
        wrong = block_problem(block, family) if block is not None else ""
    except ValueError as error:
        wrong = str(error)
    if wrong:
        problems.append(Problem("--block", wrong))
    elif depth is not None:
        kernels = default_kernels(depth, family) if block is None else parse_block(block)
        if text := depth_problem(depth, kernels, family):
            problems.append(Problem("--depth", text))
    return problems


def _text(described: dict[str, Any]) -> str:
    widths = ", ".join(str(width) for width in described["widths"])
    height, width, channels = described["image_shape"]
    mega = 1e6
    return "\n".join(
        [
            f"{described['name']} for {described['num_classes']} classes of {height}x{width}x{channels} images",
            f"block         {described['block']}, {_groups_text(described['blocks_per_group'])}",
            f"widths        {widths} channels",
            f"parameters    {described['num_params']:,}",
            f"multiply-adds {described['macs']:,} an image",
            f"memory        {described['weights_bytes'] / mega:.1f} MB weights, "
            f"{described['training_state_bytes'] / mega:.1f} MB with gradients and momentum",
            *_memory_text(described["memory"], described["gpu_shares"]),
            f"GPU work      alone it keeps {100 * described['gpu_filled']:.0f} % of a large GPU busy, by a model",
        ]
    )


def _groups_text(blocks: int | list[int]) -> str:
    if isinstance(blocks, int):
        return f"{blocks} in each of three groups"
    return f"{', '.join(map(str, blocks[:-1]))} and {blocks[-1]} in four groups"


def _memory_text(memory: dict[str, Any], shares: list[dict[str, Any]]) -> list[str]:
    def mb(*names: str) -> str:
        return f"{sum(memory[f'{name}_bytes'] for name in names) / 1e6:,.1f} MB"

    dropout = f", dropout {memory['dropout']:g}" if memory["dropout"] else ""
    dropout += f", stochastic depth {memory['stochastic_depth']:g}" if memory["stochastic_depth"] else ""
    sizes: dict[float, list[str]] = {}
    for each in shares:
        if each["share"] is not None:
            sizes.setdefault(each["share"], []).append(str(each["gpu_bytes"] // 10**9))
    fits = ", ".join(f"{_SHARE_NAMES[share]} of {'/'.join(given)} GB" for share, given in sizes.items())
    beside = ", ".join(f"{mb(part)} {word}" for part, word in _BESIDE_THE_PEAK.items())
    return [
        f"training      {mb('peak')} at most, batches of {memory['batch_size']} in {memory['precision']}{dropout}: "
        f"{mb('weights', 'gradients', 'momentum', 'weights_beside', 'weight_copies')} for weights "
        "and momentum,",
        f"              {mb('activations')} activations, {mb('passing')} passing by, {mb('inputs')} inputs",
        f"on a GPU      {mb('total')} predicted, with {beside}",
        f"GPU share     {fits or 'no GPU of up to ' + str(_GPU_SIZES[-1]) + ' GB holds it'}",
    ]
