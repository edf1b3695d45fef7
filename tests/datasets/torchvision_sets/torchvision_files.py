"""Small data sets in the layouts that torchvision unpacks: idx files, STL-10's columns, folders, tables, lists."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.datasets.image_data import encode, random_images

Images = npt.NDArray[np.uint8]


def write_idx(path: Path, values: npt.NDArray[np.uint8], packed: bool = False) -> None:
    """An idx file of bytes (LeCun et al., 1998)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    content = head + values.tobytes()
    if packed:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content))
    else:
        path.write_bytes(content)


def write_mnist(
    root: Path, folder: str = "MNIST", split: str = "train", count: int = 60, classes: int = 10
) -> tuple[Images, list[int]]:
    """(N, 28, 28) and labels, as they are in <folder>/raw/<split>-..."""
    images = random_images(count, 28, 28, 1)[..., 0]
    labels = [number % classes for number in range(count)]
    raw = root / folder / "raw"
    write_idx(raw / f"{split}-images-idx3-ubyte", images)
    write_idx(raw / f"{split}-labels-idx1-ubyte", np.array(labels, dtype=np.uint8))
    return images, labels


def write_stl10(root: Path, split: str = "train", count: int = 30) -> tuple[Images, list[int]]:
    """(N, 96, 96, 3) and labels from 0; the files have columns first, and labels from 1."""
    folder = root / "stl10_binary"
    folder.mkdir(parents=True, exist_ok=True)
    images = random_images(count, 96, 96)
    labels = [number % 10 for number in range(count)]
    (folder / f"{split}_X.bin").write_bytes(images.transpose(0, 3, 2, 1).tobytes())
    (folder / f"{split}_y.bin").write_bytes(bytes(label + 1 for label in labels))
    return images, labels


def write_gtsrb(root: Path, classes: Sequence[int] = (0, 1, 14), tracks: int = 4, frames: int = 3) -> None:
    """Frames of several sizes, and as many test images as classes."""
    base = root / "gtsrb"
    generator = np.random.default_rng(7)
    for number in classes:
        folder = base / "GTSRB" / "Training" / f"{number:05}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"GT-{number:05}.csv").write_text("Filename;Width;Height\n")
        for track in range(tracks):
            for frame in range(frames):
                height, width = generator.integers(20, 60, 2)
                pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
                (folder / f"{track:05}_{frame:05}.ppm").write_bytes(encode(pixels, "PPM"))
    tested = base / "GTSRB" / "Final_Test" / "Images"
    tested.mkdir(parents=True, exist_ok=True)
    lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for index, number in enumerate(classes):
        (tested / f"{index:05}.ppm").write_bytes(encode(random_images(len(classes), 40, 30)[index], "PPM"))
        lines.append(f"{index:05}.ppm;30;40;5;5;25;35;{number}")
    (base / "GT-final_test.csv").write_text("\n".join(lines) + "\n")


def write_eurosat(
    root: Path, classes: Sequence[str] = ("Forest", "River", "SeaLake"), count: int = 10
) -> None:
    """So many images of 64x64 of each class."""
    pixels = random_images(count * len(classes), 64, 64)
    for label, name in enumerate(classes):
        folder = root / "eurosat" / "2750" / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            image = encode(pixels[label * count + number], "JPEG")
            (folder / f"{name}_{number + 1}.jpg").write_bytes(image)


def write_flowers102(root: Path, classes: int = 3, each: int = 4) -> None:
    """So many images of each class in each of the three splits, of several sizes."""
    from scipy.io import savemat

    folder = root / "flowers-102" / "jpg"
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(3)
    total = classes * each * 3
    for number in range(1, total + 1):
        height, width = generator.integers(70, 110, 2)
        pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
        (folder / f"image_{number:05d}.jpg").write_bytes(encode(pixels, "JPEG"))
    numbers = np.arange(1, total + 1)
    savemat(folder.parent / "imagelabels.mat", {"labels": (numbers % classes + 1)[None].astype(np.uint8)})
    size = total // 3  # classes take turns, so a third of all has every class
    names = ("trnid", "valid", "tstid")
    parts = {name: numbers[place * size : (place + 1) * size][None] for place, name in enumerate(names)}
    savemat(folder.parent / "setid.mat", parts)


def write_food101(root: Path, classes: Sequence[str] = ("apple_pie", "waffles"), each: int = 6) -> None:
    """So many images of each class, two thirds of them to train on."""
    base = root / "food-101"
    (base / "meta").mkdir(parents=True, exist_ok=True)
    pixels = random_images(each * len(classes), 80, 70)
    listed: dict[str, dict[str, list[str]]] = {"train": {}, "test": {}}
    for label, name in enumerate(classes):
        (base / "images" / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            (base / "images" / name / f"{1000 + number}.jpg").write_bytes(
                encode(pixels[label * each + number], "JPEG")
            )
            split = "test" if number % 3 == 2 else "train"
            listed[split].setdefault(name, []).append(f"{name}/{1000 + number}")
    for split, named in listed.items():
        (base / "meta" / f"{split}.json").write_text(json.dumps(named))


def write_set(root: Path, name: str) -> Path:
    """The whole data set `name` of our table, with its test split."""
    if name == "stl10":
        write_stl10(root)
        write_stl10(root, "test", 20)
    elif name == "emnist":
        write_mnist(root, "EMNIST", "emnist-balanced-train", 94, 47)
        write_mnist(root, "EMNIST", "emnist-balanced-test", 47, 47)
    elif name in ("mnist", "fashion_mnist"):
        folder = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}[name]
        write_mnist(root, folder)
        write_mnist(root, folder, "t10k", 20)
    else:
        writers = {
            "gtsrb": write_gtsrb,
            "eurosat": write_eurosat,
            "flowers102": write_flowers102,
            "food101": write_food101,
        }
        writers[name](root)
    return root
