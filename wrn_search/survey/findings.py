"""What a look at all images found, as plain values: for programs as they are, for people in `findings_in_words.py`."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from wrn_search.datasets.image_decoding import DARK, LEAST_RANGE, dark_text
from wrn_search.survey.copies import copies_between, copies_within
from wrn_search.survey.listing import ListedSplit, Listing
from wrn_search.survey.look import Looks

_MOST_SIZES = 50  # that are listed, the most frequent first


def findings(listing: Listing, looks: dict[str, Looks]) -> dict[str, Any]:
    """Splits with their counts, sizes, classes, refused images and copies; copies between them; what is passed over."""
    trained = looks["train"]
    return {
        "kind": listing.kind,
        "splits": {split.name: _split(split, looks[split.name]) for split in listing.splits},
        "copies_between_splits": [
            {"split": later, "of": earlier, **_copies(copies_between(looks[later], looks[earlier]))}
            for earlier, later in itertools.combinations([split.name for split in listing.splits], 2)
        ],
        "other_classes": _other_classes(listing),
        "remarks": listing.remarks,
        "all_grey": all(each.grey == len(each.names) for each in looks.values()),
        "all_equal": len(trained.pixels) > 1 and len(np.unique(trained.pixels)) == 1,
    }


def _split(split: ListedSplit, looks: Looks) -> dict[str, Any]:
    counts = Counter(looks.classes)  # a refused image is none of its class
    return {
        "where": split.where,
        "images": len(split.classes),
        "bytes": split.bytes_of_files,
        "classes": {name: counts[name] for name in dict.fromkeys(split.classes)},
        # of always answering the most frequent class, percent
        "chance_error": 100 * (1 - max(counts.values()) / len(looks.classes)) if looks.classes else None,
        "sizes": _sizes(looks.sizes),
        "modes": dict(looks.modes.most_common()),
        "refused": [dataclasses.asdict(each) for each in looks.refused],
        "refused_as_dark": _dark(looks.of_16_bits),
        "copies": _copies(copies_within(looks)),
    }


def _sizes(sizes: Counter[tuple[int, int]]) -> dict[str, Any]:
    """How many images have which size, upright; sides in pixels, aspects as width over height."""
    if not sizes:
        return {"different": 0, "most_frequent": []}
    heights, widths = (np.repeat([size[axis] for size in sizes], list(sizes.values())) for axis in (0, 1))
    return {
        "different": len(sizes),
        "most_frequent": [
            {"height": height, "width": width, "images": count}
            for (height, width), count in sizes.most_common(_MOST_SIZES)
        ],
        "height": _range(heights),
        "width": _range(widths),
        "shorter_side": _range(np.minimum(heights, widths)),
        "aspect": {name: round(float(value), 3) for name, value in _range(widths / heights).items()},
    }


def _dark(largest: list[int]) -> str | None:
    """Why all images of 16 bits are refused together; None where they are not, or there are none."""
    if not largest or max(largest) >= LEAST_RANGE:
        return None
    return f"{DARK}, but got {dark_text(len(largest), max(largest))}"


def _range(values: np.ndarray) -> dict[str, Any]:
    median = np.sort(values)[len(values) // 2]
    return {"min": values.min().item(), "median": median.item(), "max": values.max().item()}


def _copies(found: Any) -> dict[str, Any]:
    return dataclasses.asdict(found)


def _other_classes(listing: Listing) -> list[dict[str, Any]]:
    """Classes of other splits that are not trained on, and classes without an image there."""
    trained: Sequence[str] = list(dict.fromkeys(listing.splits[0].classes))
    odd = []
    for split in listing.splits[1:]:
        there = dict.fromkeys(split.classes)
        only, missing = [n for n in there if n not in trained], [n for n in trained if n not in there]
        if only or missing:
            odd.append({"split": split.name, "only_there": only, "not_there": missing})
    return odd
