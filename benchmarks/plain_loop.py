"""What everybody copies: a PIL data set, a DataLoader, contiguous fp32, ordinary SGD, `.item()` at every step.

The other side of `training_rate.py`, written as people write it; the network is ours, so that only the way differs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.images import CLASSES, made_up
from wrn_search.networks.architecture import Architecture
from wrn_search.networks.wide_resnet import WideResNet

# Not timed: the workers start, and have their first batches ready.
_STEPS_AT_START = 2
_MEAN, _STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class Images(Dataset[tuple[Tensor, int]]):
    """As torchvision's CIFAR10: arrays in memory, a PIL image and its transforms for each item."""

    def __init__(self, count: int):
        self.data, labels = made_up(count)
        self.targets = labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(_MEAN, _STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.data[index])), self.targets[index]


def plain_training(
    depth: int,
    widen_factor: float,
    steps: int,
    batch_size: int,
    threads: int,
    workers: int = 2,
    device: str = "cpu",
    amp: bool = False,
) -> Callable[[], float]:
    """An epoch of `steps`, as a function that returns images/s; on `cuda` with pinned batches, as people write it."""
    torch.set_num_threads(threads)
    loader = DataLoader(
        Images((steps + _STEPS_AT_START) * batch_size),
        batch_size=batch_size,
        shuffle=True,
        num_workers=workers,
        drop_last=True,
        pin_memory=device == "cuda",
    )
    network = WideResNet(Architecture.of(depth, widen_factor, "B(3,3)"), CLASSES).to(device)
    scaler = torch.amp.GradScaler(device, enabled=amp)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def epoch() -> float:
        network.train()
        running_loss, correct, began = 0.0, 0, 0.0
        for step, (images, labels) in enumerate(loader):
            if step == _STEPS_AT_START:
                began = time.perf_counter()
            images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            optimizer.zero_grad()
            with torch.autocast(device, dtype=torch.float16, enabled=amp):
                scores = network(images)
                loss = criterion(scores, labels)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            running_loss += loss.item()
            correct += (scores.argmax(1) == labels).sum().item()
        return steps * batch_size / (time.perf_counter() - began)

    return epoch
