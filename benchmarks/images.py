"""Made-up 32x32 colour images in the size of CIFAR's, so that no benchmark needs a download."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

CLASSES = 10


def made_up(count: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (n, 32, 32, 3) and labels (n,): noise around a colour that tells the class."""
    generator = np.random.default_rng(0)
    labels = np.arange(count, dtype=np.int64) % CLASSES
    colours = generator.integers(64, 192, (CLASSES, 1, 1, 3))
    noise = generator.integers(-64, 64, (count, 32, 32, 3))
    return (colours[labels] + noise).astype(np.uint8), labels


def write_parquet(folder: Path, count: int) -> Path:
    """A data set `parquet` of made-up images; returns its root."""
    images, labels = made_up(count)
    rows = {"img": [{"bytes": _png(image)} for image in images], "label": labels.tolist()}
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(rows), folder / "train.parquet")
    return folder


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
