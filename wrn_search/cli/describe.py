"""`describe`: parameters, multiply-adds and memory of one network, without building it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from wrn_search.cli.exit_status import show
from wrn_search.errors import InputError, Problem
from wrn_search.memory.gpu_shares import smallest_share
from wrn_search.memory.predicted_memory import trial_memory
from wrn_search.memory.tensor_sizes import Workload
from wrn_search.networks.architecture import Architecture, depth_problem, parse_block, widen_factor_problem
from wrn_search.networks.parameters_and_macs import macs, num_params
from wrn_search.space.rules.broken_rule import got

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
        "--depth", type=int, required=True, help="convolution layers, as the paper counts them"
    )
    parser.add_argument("--widen-factor", type=float, required=True, help="k")
    parser.add_argument(
        "--block", default="B(3,3)", help="kernel sizes of a block's convolutions (default: B(3,3))"
    )
    parser.add_argument("--classes", type=int, default=10, help="classes (default: 10)")
    parser.add_argument(
        "--image-size", type=int, default=32, help="side of a square image in pixels (default: 32)"
    )
    parser.add_argument("--channels", type=int, default=3, help="channels of an image (default: 3)")
    parser.add_argument("--batch-size", type=int, default=128, help="images of a step (default: 128)")
    parser.add_argument(
        "--precision", choices=("fp32", "bf16"), default="fp32", help="arithmetic (default: fp32)"
    )
    parser.add_argument("--dropout", type=float, default=0.0, help="probability (default: 0)")
    parser.add_argument(
        "--train-images", type=int, default=50_000, help="images kept on a GPU (default: 50000)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    architecture = _architecture(options)
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
        "depth": architecture.depth,
        "widen_factor": architecture.widen_factor,
        "block": architecture.block,
        "deepening_factor": architecture.deepening_factor,
        "blocks_per_group": architecture.blocks_per_group,
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
            {"gpu_bytes": size * 10**9, "share": smallest_share(memory.allocated_bytes, size * 10**9)}
            for size in _GPU_SIZES
        ],
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
    )


def _architecture(options: argparse.Namespace) -> Architecture:
    problems = [
        Problem(f"--{name.replace('_', '-')}", f"must be 1 to {_MOST}, {got(getattr(options, name))}")
        for name in ("classes", "image_size", "channels", "train_images")
        if not 1 <= getattr(options, name) <= _MOST
    ]
    if not 2 <= options.batch_size <= _LARGEST_BATCH:
        rule = f"must be a whole number from 2 to {_LARGEST_BATCH}"
        problems.append(Problem("--batch-size", f"{rule}, {got(options.batch_size)}"))
    if not 0 <= options.dropout < 1:
        problems.append(Problem("--dropout", f"0 <= dropout < 1 must hold, but got {options.dropout:g}"))
    if text := widen_factor_problem(options.widen_factor):
        problems.append(Problem("--widen-factor", text))
    try:
        if text := depth_problem(options.depth, parse_block(options.block)):
            problems.append(Problem("--depth", text))
    except ValueError as error:
        problems.append(Problem("--block", str(error)))
    if problems:
        raise InputError(problems)
    return Architecture.of(options.depth, options.widen_factor, options.block)


def _text(described: dict[str, Any]) -> str:
    widths = ", ".join(str(width) for width in described["widths"])
    height, width, channels = described["image_shape"]
    mega = 1e6
    return "\n".join(
        [
            f"{described['name']} for {described['num_classes']} classes of {height}x{width}x{channels} images",
            f"block         {described['block']}, {described['blocks_per_group']} in each of three groups",
            f"widths        {widths} channels",
            f"parameters    {described['num_params']:,}",
            f"multiply-adds {described['macs']:,} an image",
            f"memory        {described['weights_bytes'] / mega:.1f} MB weights, "
            f"{described['training_state_bytes'] / mega:.1f} MB with gradients and momentum",
            *_memory_text(described["memory"], described["gpu_shares"]),
        ]
    )


def _memory_text(memory: dict[str, Any], shares: list[dict[str, Any]]) -> list[str]:
    def mb(*names: str) -> str:
        return f"{sum(memory[f'{name}_bytes'] for name in names) / 1e6:,.1f} MB"

    dropout = f", dropout {memory['dropout']:g}" if memory["dropout"] else ""
    sizes: dict[float, list[str]] = {}
    for each in shares:
        if each["share"] is not None:
            sizes.setdefault(each["share"], []).append(str(each["gpu_bytes"] // 10**9))
    fits = ", ".join(f"{_SHARE_NAMES[share]} of {'/'.join(given)} GB" for share, given in sizes.items())
    beside = ", ".join(f"{mb(part)} {word}" for part, word in _BESIDE_THE_PEAK.items())
    return [
        f"training      {mb('peak')} at most, batches of {memory['batch_size']} in {memory['precision']}{dropout}: "
        f"{mb('weights', 'gradients', 'momentum', 'weight_copies')} for weights "
        "and momentum,",
        f"              {mb('activations')} activations, {mb('passing')} passing by, {mb('inputs')} inputs",
        f"on a GPU      {mb('total')} predicted, with {beside}",
        f"GPU share     {fits or 'no GPU of up to ' + str(_GPU_SIZES[-1]) + ' GB holds it'}",
    ]
