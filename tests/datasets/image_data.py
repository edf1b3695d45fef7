"""Small data sets for tests, written as their real files: image folders, Parquet, torchvision's CIFAR and SVHN."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

CIFAR_IMAGES_A_FILE = 20  # 100 training images, 10 of each class


def random_images(count: int, height: int = 8, width: int = 8, channels: int = 3) -> npt.NDArray[np.uint8]:
    """(count, H, W, C), other ones for another shape."""
    generator = np.random.default_rng([count, height, width, channels])
    return generator.integers(0, 256, (count, height, width, channels), dtype=np.uint8)


def encode(pixels: npt.NDArray[Any], kind: str = "PNG", mode: str | None = None) -> bytes:
    """One image file; (H, W, 1) becomes greyscale."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    buffer = io.BytesIO()
    (image.convert(mode) if mode else image).save(buffer, kind)
    return buffer.getvalue()


def write_folder(
    root: Path, images: npt.NDArray[np.uint8], labels: Sequence[int], split: str = "train"
) -> Path:
    """root/split/class_<label>/<number>.png."""
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        path = root / split / f"class_{label}" / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(pixels))
    return root


def write_parquet(
    path: Path,
    encoded: Sequence[bytes | None],
    labels: Sequence[Any],
    *,
    column: str = "img",
    names: Sequence[str] | None = None,
) -> Path:
    """A file in Hugging Face's layout, with its class names if given."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({column: [{"bytes": data, "path": "x.png"} for data in encoded], "label": list(labels)})
    if names is not None:
        features = {"label": {"names": list(names), "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def md5(path: Path) -> str:
    """The checksum that torchvision compares."""
    return hashlib.md5(path.read_bytes()).hexdigest()


def write_cifar10(root: Path) -> dict[str, Any]:
    """root/cifar-10-batches-py with five training files, and the attributes of torchvision's class that fit them."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    size = CIFAR_IMAGES_A_FILE
    images = random_images(5 * size, 32, 32).transpose(0, 3, 1, 2).reshape(5, size, -1)
    labels = [number % 10 for number in range(size)]
    for number, data in enumerate(images, start=1):
        content = pickle.dumps({"data": data, "labels": labels})
        (folder / f"data_batch_{number}").write_bytes(content)
    (folder / "test_batch").write_bytes(pickle.dumps({"data": images[0], "labels": labels}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": [f"name_{c}" for c in range(10)]}))
    train = [[f"data_batch_{number}", md5(folder / f"data_batch_{number}")] for number in range(1, 6)]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": md5(folder / "batches.meta")}
    return {"train_list": train, "meta": meta}


def write_cifar10_archive(folder: Path) -> dict[str, Any]:
    """folder/cifar-10-python.tar.gz, and the attributes of torchvision's class that fit it, less `url`."""
    attributes = write_cifar10(folder / "content")
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "content" / "cifar-10-batches-py", "cifar-10-batches-py")
    return attributes | {"tgz_md5": md5(archive)}


def write_svhn(root: Path, split: str, count: int) -> list[str]:
    """root/<split>_32x32.mat, and the entry of torchvision's `split_list` that fits it; digit 0 has label 10."""
    from scipy.io import savemat

    path = root / f"{split}_32x32.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = np.array([[number % 10 or 10] for number in range(count)], dtype=np.uint8)
    savemat(path, {"X": random_images(count, 32, 32).transpose(1, 2, 3, 0), "y": labels})
    return [f"http://127.0.0.1:1/{path.name}", path.name, md5(path)]
