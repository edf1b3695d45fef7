"""A preprocessing kept beside the images that it prepared: fitting a whitening anew takes a minute a process."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from wrn_search.images.cached_arrays import read_meta
from wrn_search.images.normalisation_and_zca import Preprocessing, Whitening, unwhitened, whitened_by

_WHITENING = "whitening.npz"  # no .npy: it is no image, and no copy of it lies on a GPU


def keep_preprocessing(folder: Path, preprocessing: Preprocessing) -> None:
    """Writes what the facts of a prepared folder do not tell: centre and matrix of a whitening."""
    if (whitening := preprocessing.whitening) is not None:
        np.savez(folder / _WHITENING, centre=whitening.centre, matrix=whitening.matrix)


def kept_preprocessing(folder: Path, name: str) -> Preprocessing | None:
    """The preprocessing of a prepared folder; None where an earlier version prepared it, or it is not there.

    Args:
        folder: of the prepared images.
        name: of the preprocessing.
    """
    meta: dict[str, Any] | None = read_meta(folder)
    if meta is None:
        return None
    if name != "zca":
        return unwhitened(tuple(meta["mean"]), tuple(meta["std"]))
    try:
        with np.load(folder / _WHITENING) as kept:
            return whitened_by(Whitening(kept["centre"], kept["matrix"]), len(meta["mean"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
