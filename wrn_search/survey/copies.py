"""Images that are there more than once, within a split and between two, pixel for pixel and byte for byte."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wrn_search.survey.look import Looks


@dataclass(frozen=True)
class Copies:
    """Images of a split that show, pixel for pixel, what an image before them or of another split shows."""

    images: int
    same_bytes: int  # of those, whose files are equal, too
    other_class: int  # of those, whose class is another one
    example: tuple[str, str] | None  # a copy and what it is a copy of, of another class where there is one


def copies_within(looks: Looks) -> Copies:
    """Images behind one with the same pixels in the order of the files."""
    _, first, group = np.unique(looks.pixels, return_index=True, return_inverse=True)
    earlier = first[group]
    again = np.flatnonzero(earlier != np.arange(len(earlier)))
    return _copies(looks, again, looks, earlier[again])


def copies_between(looks: Looks, trained: Looks) -> Copies:
    """Images of another split that are there among the images that are trained on."""
    order = np.argsort(trained.pixels, kind="stable")
    known = trained.pixels[order]
    at = np.minimum(np.searchsorted(known, looks.pixels), max(0, len(known) - 1))
    again = np.flatnonzero(known[at] == looks.pixels) if len(known) else np.empty(0, dtype=np.int64)
    return _copies(looks, again, trained, order[at[again]])


def _copies(looks: Looks, again: np.ndarray, originals: Looks, first: np.ndarray) -> Copies:
    same_bytes = looks.files[again] == originals.files[first]
    pairs = list(zip(again.tolist(), first.tolist(), strict=True))
    strange = [pair for pair in pairs if looks.classes[pair[0]] != originals.classes[pair[1]]]
    shown = next(iter([*strange[:1], *pairs[:1]]), None)
    example = None if shown is None else (looks.names[shown[0]], originals.names[shown[1]])
    return Copies(len(pairs), int(same_bytes.sum()), len(strange), example)
