"""A space file that is ready for the images that were seen: what they need, and a small question to begin with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import yaml

from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.space.explained.class_balance import UNEVEN
from wrn_search.space.space_file import space_from_mapping

_LARGEST_VALIDATION = 5000
_SMALL_SIDE = 16  # pixels, below which a flip would change too much
_SMALL = "they are small"
_BATCH = 64
_LARGEST_SIDE = 96  # pixels, up to which images of one size are taken as they are
_USUAL_SIDE = 64  # pixels: a network halves it twice


def ready_document(name: str, dataset: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The space file as plain values: checked as every space file is.

    Args:
        dataset: its keys that a person gave, `name` and `root` among them; they go before what is found.
    """
    trained = found["splits"]["train"]
    images: int = trained["images"] - len(trained["refused"])
    of_files = "validation" in found["splits"]
    held_out = 0 if of_files else _validation(images, len(trained["classes"]))
    ours: dict[str, Any] = {} if of_files else {"validation": held_out}
    facts = DATASETS[dataset["name"]].facts
    known = facts.image_shape is not None  # its own defaults are
    ours |= {"augmentation": facts.augmentation if known else _augmentation(trained)}
    if (size := facts.image_size if known else _image_size(trained["sizes"])) is not None:
        ours |= {"image_size": size, "image_fit": facts.image_fit}
    document: dict[str, Any] = {
        "name": name,
        "description": f"How deep and how wide for {len(trained['classes']):,} classes, {images:,} images.",
        "dataset": {**dataset, **{key: value for key, value in ours.items() if key not in dataset}},
        "model": {
            "depth": {"choice": [10, 16, 22]},
            "widen_factor": {"choice": [1, 2]},
            "dropout": {"uniform": [0.0, 0.3]},
        },
        "training": {
            "epochs": 30,
            "batch_size": min(_BATCH, max(2, (images - held_out) // 8)),
            "learning_rate": 0.1,
            "weight_decay": {"loguniform": [1.0e-4, 5.0e-3]},
        },
        "search": {"searcher": "tpe", "scheduler": "asha", "trials": 24},
    }
    space_from_mapping(document)
    return document


def ready_text(document: dict[str, Any], command: str, found: dict[str, Any]) -> str:
    """The document as YAML, headed by what it was made from."""
    head = [f"# {document['description']}", f"# Written by: {command}", "#"]
    head += [f"# {line}" for line in notes_of(found, document)]
    return "\n".join([*head, *_yaml_lines(document)]) + "\n"


def _yaml_lines(document: dict[str, Any]) -> Iterator[str]:
    """A key a line, as the ready-made files have them."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield f"{key}:"
            yield from (f"  {_yaml_line(name, below)}" for name, below in value.items())
        else:
            yield _yaml_line(key, value)


def _yaml_line(key: str, value: Any) -> str:
    line = yaml.safe_dump({key: value}, default_flow_style=True, allow_unicode=True, width=math.inf)
    return str(line).strip()[1:-1]


def notes_of(found: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """What a person should look at before the search starts."""
    trained, augmentation = found["splits"]["train"], document["dataset"]["augmentation"]
    notes = []
    if augmentation == "flip_crop":
        notes.append("augmentation mirrors images: where that changes their class (text, digits), write crop")
    else:
        notes.append(f"augmentation: {augmentation} does not mirror images{_because(_why_no_flip(trained))}")
    if trained["refused"]:
        one = len(trained["refused"]) == 1
        what = "1 image is" if one else f"{len(trained['refused']):,} images are"
        notes.append(f"{what} refused: mend {'it or move it' if one else 'them or move them'} away first")
    if trained["sizes"]["different"] > 1:
        size, how = (document["dataset"].get(key) for key in ("image_size", "image_fit"))
        notes.append(
            f"images have several sizes: image_size makes them {size}x{size}, image_fit ({how}) says how"
        )
    elif document["dataset"].get("image_size"):
        notes.append(
            "images are large: image_size makes them smaller, as trainings take time in proportion to pixels"
        )
    counts = [count for count in trained["classes"].values() if count]
    if counts and max(counts) >= UNEVEN * min(counts):
        notes.append(
            "classes are of unequal size: dataset.sampling: balanced shows each equally often, at the cost of "
            "repeating the images of small ones; confirm tells the error of each class"
        )
    if trained["copies"]["images"]:
        notes.append(
            "images that are there twice may validate what they train: remove them for honest errors"
        )
    return notes


def _because(reason: str) -> str:
    return f": {reason}" if reason else ", which may change what they are"


def _validation(images: int, classes: int) -> int:
    """A tenth of many images, a fifth of few, one of each class at least, not more than half."""
    share = 0.1 if images >= 10_000 else 0.2
    return max(1, min(_LARGEST_VALIDATION, max(round(share * images), classes), images // 2))


def _image_size(sizes: dict[str, Any]) -> int | None:
    """Pixels a side where sizes differ, or are more than a first search needs; None: as they are."""
    if not sizes["different"] or (sizes["different"] == 1 and sizes["shorter_side"]["max"] <= _LARGEST_SIDE):
        return None
    median: int = sizes["shorter_side"]["median"]
    return max(8, min(_USUAL_SIDE, median // 4 * 4))


def _augmentation(trained: dict[str, Any]) -> str:
    why = _why_no_flip(trained)
    return "flip_crop" if not why else "shift" if why == _SMALL else "crop"


def _why_no_flip(trained: dict[str, Any]) -> str:
    if trained["sizes"]["different"] and trained["sizes"]["shorter_side"]["min"] < _SMALL_SIDE:
        return _SMALL
    if all(len(name) == 1 for name in trained["classes"]) and trained["modes"].keys() <= {"L", "1", "I;16"}:
        return "their classes look like digits or letters"
    return ""
