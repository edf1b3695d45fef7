"""Each augmentation and way of mixing: images/s of the data path on one core, and its part of a training's step.

Ours against the same done to one image after another, as people write it: PIL images and torchvision's `transforms.v2`
in a DataLoader without workers, mixup and CutMix on its batches. The step is that of WRN-16-2 on one core, in fp32
(forward, backward, update, batch 128). All of it takes turns in one process and one thread, and is told in seconds of
its CPU, so that what else a machine does hardly matters.

    python -m benchmarks.augmentation_rate [--rounds 5] [--json FILE]
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from benchmarks.images import CLASSES, made_up, write_parquet
from benchmarks.measuring import in_turns, options, ratio, report, row
from benchmarks.our_training import VALIDATION, config_of, training_of
from wrn_search.images.prepared_data import prepare
from wrn_search.memory.keeping_freed_memory import keep_freed_memory
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.training.batches_of_a_split import split_batches
from wrn_search.training.random_streams import Randomness
from wrn_search.training.steps.batch_mixing import BatchMixing

BATCH_SIZE = 128
IMAGES = 2_560
STEPS = 3  # of a training that is timed
AT_LEAST, AT_MOST = 10, 5  # times PIL's rate; percent of a step
_MEAN, _STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
# Keys of a training and of its data set -> the same in torchvision, for an image and for a batch.
_KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "flip_crop": ({}, {}),
    "trivial": ({"augmentation": "trivial"}, {}),
    "randaugment": ({"augmentation": "randaugment"}, {}),
    "color_jitter": ({"augmentation": "color_jitter"}, {}),
    "cutout": ({}, {"cutout": 16}),
    "mixup": ({}, {"mixup": 1.0}),
    "cutmix": ({}, {"cutmix": 1.0}),
    "randaugment, cutout, mixup, cutmix": (
        {"augmentation": "randaugment"},
        {"cutout": 16, "mixup": 0.2, "cutmix": 1.0},
    ),
}


def ours(dataset: dict[str, Any], changes: dict[str, Any]) -> Callable[[], float]:
    """Two epochs of what a network would be given."""
    settings, device = DatasetSettings(**dataset), torch.device("cpu")
    config = replace(config_of(settings, 16, 2, "fp32", BATCH_SIZE), **changes)
    data = prepare(settings)
    source, _ = split_batches(config, data, device, 1)
    mixing, randomness = BatchMixing(config, data.image_shape, device), Randomness(0, device)

    def epochs() -> float:
        began = time.process_time()
        for epoch in (1, 2):
            for _ in mixing.epoch(source, randomness, epoch):
                pass
        return 2 * source.num_images / (time.process_time() - began)

    return epochs


class Pictures(Dataset[tuple[Tensor, int]]):
    """As torchvision's CIFAR10: arrays in memory, a PIL image and its transforms for each item."""

    def __init__(self, count: int, kind: str):
        self.data, labels = made_up(count)
        self.targets = labels.tolist()
        policies = {
            "trivial": [v2.TrivialAugmentWide()],
            "randaugment": [v2.RandAugment()],
            "color_jitter": [v2.ColorJitter(0.4, 0.4, 0.4)],
        }
        steps = [v2.RandomCrop(32, padding=4, padding_mode="reflect"), v2.RandomHorizontalFlip()]
        steps += policies.get(kind.partition(",")[0], [])
        steps += [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(_MEAN, _STD)]
        if "cutout" in kind:
            steps += [v2.RandomErasing(p=1.0, scale=(0.25, 0.25), ratio=(1.0, 1.0))]
        self.transform = v2.Compose(steps)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.data[index])), self.targets[index]


def pil(kind: str) -> Callable[[], float]:
    """Some batches of a DataLoader."""
    loader = DataLoader(Pictures(4 * BATCH_SIZE, kind), batch_size=BATCH_SIZE, shuffle=True, num_workers=0)
    mixers = {"mixup": v2.MixUp(num_classes=CLASSES), "cutmix": v2.CutMix(num_classes=CLASSES)}
    asked = [mixer for name, mixer in mixers.items() if name in kind]
    mix = v2.RandomChoice(asked) if asked else None

    def epoch() -> float:
        began, images = time.process_time(), 0
        for inputs, labels in loader:
            images += len(labels)
            if mix is not None:
                mix(inputs, labels)
        return images / (time.process_time() - began)

    return epoch


def step(dataset: dict[str, Any]) -> Callable[[], float]:
    """Seconds of a training's step, its data path left out."""
    settings = DatasetSettings(**dataset)
    training = training_of(config_of(settings, 16, 2, "fp32", BATCH_SIZE), 1)
    batches = [
        batch for batch, _ in zip(training.train_batches.epoch(torch.Generator()), range(STEPS), strict=False)
    ]
    training.train_batches = _Ready(batches)

    def seconds() -> float:
        began = time.process_time()
        with training.randomness.in_use():
            training._train(1)
        return (time.process_time() - began) / STEPS

    return seconds


class _Ready:
    """Batches that are there."""

    def __init__(self, batches: list[tuple[Tensor, Tensor]]):
        self._batches, self.num_images = batches, sum(len(labels) for _, labels in batches)

    def __len__(self) -> int:
        return len(self._batches)

    def epoch(self, generator: torch.Generator) -> Any:
        return iter(self._batches)


def main() -> None:
    """Prints the table."""
    chosen = options(__doc__, rounds=5).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WRN_SEARCH_DATA"] = str(Path(folder) / "cache")
        root = write_parquet(Path(folder) / "images", IMAGES + VALIDATION)
        plain = {"name": "parquet", "root": str(root), "validation": VALIDATION}
        prepare(DatasetSettings(**plain))
        keep_freed_memory()
        torch.set_num_threads(1)
        rounds = {"step": step(plain)}
        for kind, (dataset, changes) in _KINDS.items():
            rounds[kind] = ours(plain | dataset, changes)
            rounds[f"PIL: {kind}"] = pil(kind)
        for once in rounds.values():
            once()  # not timed
        values = in_turns(rounds, chosen.rounds)
    lines = ["Data path, batch 128 of 32x32, one core, and torchvision v2 on PIL images without workers"]
    for kind in _KINDS:
        times = ratio(values, kind, f"PIL: {kind}")
        percents = [
            100 * BATCH_SIZE / rate / took for rate, took in zip(values[kind], values["step"], strict=True)
        ]
        lines += [
            row(kind, values[kind], "images/CPU s"),
            row(f"PIL: {kind}", values[f"PIL: {kind}"], "images/CPU s"),
            f"    {times:.1f} times PIL's rate (at least {AT_LEAST}), "
            f"{statistics.median(percents):.2f} % of a step of WRN-16-2 (at most {AT_MOST})",
        ]
    lines += [row("a step of WRN-16-2, fp32", values["step"], "CPU s")]
    report("augmentation_rate", lines, {"values": values}, chosen.json)


if __name__ == "__main__":
    main()
