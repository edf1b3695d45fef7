"""`describe`: parameters, multiply-adds and memory of one network, without building it."""

from __future__ import annotations

import argparse
import json
from typing import Any

from wrn_search.cli.exits import show
from wrn_search.complexity import macs, num_params
from wrn_search.space.architecture import Architecture, depth_problem, parse_block, widen_factor_problem
from wrn_search.space.errors import InputError, Problem
from wrn_search.space.leaves import got

EXAMPLE = "python -m wrn_search describe --depth 28 --widen-factor 10"
_FLOAT_BYTES = 4
_MOST = 1_000_000  # classes, pixels of a side, channels


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
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    described = description(_architecture(options), options.classes, options.channels, options.image_size)
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


def _architecture(options: argparse.Namespace) -> Architecture:
    problems = [
        Problem(f"--{name.replace('_', '-')}", f"must be 1 to {_MOST}, {got(getattr(options, name))}")
        for name in ("classes", "image_size", "channels")
        if not 1 <= getattr(options, name) <= _MOST
    ]
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
            f"{described['training_state_bytes'] / mega:.1f} MB with gradients and momentum (activations not counted)",
        ]
    )
