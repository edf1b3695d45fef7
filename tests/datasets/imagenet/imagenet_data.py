"""A tiny folder in ImageNet's layout: real images of digits, scaled up, as JPEGs of many sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WNIDS = ("n01440764", "n01443537", "n01484850", "n01491361")


def write_imagenet(root: Path, train_each: int = 12, val_each: int = 3, classes: int = 4) -> Path:
    """root/train/<class>/*.JPEG and root/val/<class>/*.JPEG, in colours, 40 to 63 pixels a side, a few of them grey."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for label, wnid in enumerate(WNIDS[:classes]):
        found = np.flatnonzero(digits.target == label)[: train_each + val_each]
        for number, index in enumerate(found.tolist()):
            split = "train" if number < train_each else "val"
            grey = Image.fromarray((digits.images[index] * 15).astype(np.uint8))
            size = 40 + (7 * number + label) % 24, 40 + (11 * number) % 24
            scaled = grey.resize(size, Image.Resampling.BICUBIC)
            if number % 6:
                scaled = Image.merge("RGB", [scaled, scaled.point(lambda value: 255 - value), scaled])
            path = root / split / wnid / f"{wnid}_{number}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            scaled.save(path, "JPEG", quality=90)
    return root
