"""`export RESULTS`: writes a trial's network as a file that others can use, with a model card beside it.

The file takes raw images (uint8, height x width x channels) and gives class scores and probabilities; preprocessing
is inside. It is checked against the live network on real validation images before it is kept.
Exit status: 0 done, 1 the file does not answer as the network does, 2 bad input.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.cli.exit_status import FAILED, a_named_path, a_path, refuse_empty, say, show
from wrn_search.errors import InputError

if TYPE_CHECKING:
    from wrn_search.winner.export import Exported
    from wrn_search.winner.trial_to_export import ChosenTrial

EXAMPLE = (
    "python -m wrn_search export results/cifar_width_depth --trial best --format onnx --output best.onnx"
)
FORMATS = ("torch", "pt2", "onnx", "backbone")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    parser.add_argument("results", metavar="RESULTS", type=a_named_path, help="the results directory")
    parser.add_argument(
        "--trial",
        metavar="N",
        help="best (at full epochs), or a trial's number, key or short name (default: best, or, once confirmed, "
        "--finalist 1)",
    )
    parser.add_argument(
        "--finalist",
        metavar="N",
        type=int,
        help="the network that `confirm` trained on all images, of the finalist at this place (1: the winner)",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        required=True,
        help="onnx needs the extra wrn-search[onnx]; backbone is the body of a detector, of family imagenet_resnet",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=a_path,
        help="default: RESULTS/export/<short name>.pt, .pt2, .onnx or .backbone.pt",
    )
    parser.add_argument(
        "--checkpoint", metavar="FILE", type=a_path, help="instead of the checkpoint in RESULTS"
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        type=a_path,
        help="where the images lie now (default: as the search found them)",
    )
    parser.add_argument(
        "--check-images",
        metavar="N",
        type=int,
        default=1000,
        help="validation images to check with, or of a finalist images that it was trained on (default: 1000)",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    if options.check_images < 1:
        raise InputError.of("--check-images", f"must be at least 1, but got {options.check_images}")
    refuse_empty(options, "output", "checkpoint", "root")
    if options.finalist is not None and options.trial is not None:
        raise InputError.of("--finalist", f"must stand without --trial, but got both ({options.trial})")
    from wrn_search.winner.export import ExportFailed, ExportPlan, export
    from wrn_search.winner.trial_to_export import choose, choose_finalist, is_confirmed  # torch: seconds

    place = options.finalist
    if options.trial is None and options.checkpoint is None and place is None:
        place = 1 if is_confirmed(options.results) else None
    if place is None:
        chosen = choose(options.results, options.trial or "best", options.root)
    else:
        chosen = choose_finalist(options.results, place, options.root)
    plan = ExportPlan(
        options.format,
        Path(options.output) if options.output else None,
        Path(options.checkpoint) if options.checkpoint else None,
        options.force,
        options.check_images,
    )
    try:
        made = export(chosen, plan)
    except ExportFailed as error:
        say(f"the export failed: {error}")
        return FAILED
    show(json.dumps(_values(chosen, made, options.format), indent=2) if options.json else _text(chosen, made))
    return 0


def _values(chosen: ChosenTrial, made: Exported, format: str) -> dict[str, object]:
    last = made.history[-1] if made.history else None
    return {
        "file": str(made.file),
        "card": str(made.card),
        "format": format,
        "trial": chosen.trial.number,
        "trial_id": chosen.trial.trial_id,
        "finalist": chosen.finalist,
        "name": chosen.name,
        "checkpoint": str(made.checkpoint),
        "epochs_done": len(made.history),
        "epochs": chosen.config.epochs,
        "val_error": last.val_error if last else None,
        "check": vars(made.parity) | {"tolerance": made.parity.tolerance},
    }


def _text(chosen: ChosenTrial, made: Exported) -> str:
    check, size = made.parity, made.file.stat().st_size / 1e6
    val_error = made.history[-1].val_error if made.history else None
    error = "" if val_error is None else f"validation error {val_error:.2f} %, "
    if chosen.finalist is not None:
        error = f"finalist {chosen.finalist}, retrained on all images, "
    return "\n".join(
        [
            f"{chosen.name}: {error}epoch {len(made.history)} of {chosen.config.epochs}",
            f"file   {made.file} ({size:.1f} MB)",
            f"card   {made.card}",
            f"check  {check.images} {check.split} images against the live network: class scores differ by at most "
            f"{check.score_difference:.1e} (tolerance {check.tolerance:.1e}), probabilities by at most "
            f"{check.probability_difference:.1e}; {check.other_classes} images fall into another class; "
            f"error {check.file_error:.2f} % (live {check.live_error:.2f} %)",
        ]
    )
