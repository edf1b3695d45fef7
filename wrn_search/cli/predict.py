"""`predict MODEL IMAGES...`: classes and probabilities of images, by a network that `export` wrote.

MODEL may have any format; nothing in it is executed but the network's layers. IMAGES are files and folders. An image of
another size than those of the training is an error, unless --resize scales it; where `dataset.image_size` made all
images of the training one size, these are made so too. What can be classified is printed; what
cannot is told on stderr, and the exit status is then 2.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from typing import TYPE_CHECKING

from wrn_search.cli.exit_status import a_named_path, show
from wrn_search.errors import InputError

if TYPE_CHECKING:
    from wrn_search.winner.loaded_model import Model
    from wrn_search.winner.predict import Prediction

EXAMPLE = "python -m wrn_search predict best.onnx cat.png photos/ --top 3"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `predict`."""
    parser.add_argument(
        "model", metavar="MODEL", type=a_named_path, help="a .pt, .pt2 or .onnx file of `export`"
    )
    parser.add_argument(
        "images",
        metavar="IMAGES",
        type=a_named_path,
        nargs="+",
        help="image files, and folders of them at any depth",
    )
    parser.add_argument(
        "--top", metavar="K", type=int, default=1, help="the K likeliest classes (default: 1)"
    )
    parser.add_argument(
        "--resize", action="store_true", help="scale images of another size, each side for itself"
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="run the program inside a .pt2 file rather than build the network from its weights; "
        "such a file can execute anything",
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print JSON")
    forms.add_argument("--csv", action="store_true", help="print CSV: image, rank, class, probability")


def run(options: argparse.Namespace) -> int:
    """The command."""
    from wrn_search.winner.file_formats.format_table import load_model  # torch: seconds
    from wrn_search.winner.images_to_classify import image_paths
    from wrn_search.winner.predict import predict

    paths = image_paths(options.images)
    model = load_model(options.model, options.trust)
    predictions, problems = predict(model, paths, options.top, options.resize)
    if options.json:
        show(json.dumps(_values(options.model, model, predictions), indent=2))
    elif predictions:
        show(_csv(predictions) if options.csv else _table(predictions, options.top))
    if problems:
        raise InputError(problems)
    return 0


def _values(file: str, model: Model, predictions: list[Prediction]) -> dict[str, object]:
    return {
        "model": file,
        "name": model.about.name,
        "class_names": list(model.about.class_names),
        "images": [
            {
                "image": prediction.image,
                "classes": [{"class": name, "probability": share} for name, share in prediction.classes],
            }
            for prediction in predictions
        ],
    }


def _rows(predictions: list[Prediction]) -> list[tuple[str, int, str, float]]:
    return [
        (prediction.image, rank, name, share)
        for prediction in predictions
        for rank, (name, share) in enumerate(prediction.classes, start=1)
    ]


def _csv(predictions: list[Prediction]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "rank", "class", "probability"])
    writer.writerows(_rows(predictions))
    return text.getvalue().rstrip("\n")


def _table(predictions: list[Prediction], top: int) -> str:
    """Aligned columns; the rank only where there are several."""
    rows = [["image", "rank", "class", "probability"]]
    rows += [[image, str(rank), name, f"{share:.4f}"] for image, rank, name, share in _rows(predictions)]
    if top == 1:
        rows = [[row[0], *row[2:]] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
