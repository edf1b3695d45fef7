"""The networks a second time, as formulas on named tensors: no code of the networks is used, only their weights.

Blocks of pre-activation as the authors' code has them: o1 = relu(bn(x)); each further convolution sees
dropout(relu(bn(.))); the shortcut is x where the channels stay, else a 1x1 convolution of o1. Post-activation as
torchvision's: relu(x + bn(conv(...))), the shortcut a batch-normalised 1x1 convolution of x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass
class Functional:
    """A forward pass; batch norms as in training move running statistics, which end up in `moved`."""

    weights: Mapping[str, Tensor]  # parameters and buffers by name
    training: bool
    dropout: float = 0.0
    stochastic_depth: float = 0.0
    moved: dict[str, Tensor] = field(default_factory=dict)

    def bn(self, x: Tensor, name: str) -> Tensor:
        """(x - mean) / sqrt(variance + 1e-5) * weight + bias, by channel."""
        mean, variance = self.weights[f"{name}.running_mean"], self.weights[f"{name}.running_var"]
        if self.training:
            numbers = x.numel() / x.shape[1]
            batch_mean = x.sum((0, 2, 3)) / numbers
            batch_variance = ((x - batch_mean[:, None, None]) ** 2).sum((0, 2, 3)) / numbers
            unbiased = batch_variance * numbers / (numbers - 1)
            self.moved[f"{name}.running_mean"] = 0.9 * mean + 0.1 * batch_mean.detach()
            self.moved[f"{name}.running_var"] = 0.9 * variance + 0.1 * unbiased.detach()
            mean, variance = batch_mean, batch_variance
        scaled = (x - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()
        return (
            scaled * self.weights[f"{name}.weight"][:, None, None]
            + self.weights[f"{name}.bias"][:, None, None]
        )

    def conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        """Padded so that only the stride changes the size."""
        weight = self.weights[f"{name}.weight"]
        return F.conv2d(x, weight, None, stride, weight.shape[-1] // 2)

    def drop(self, x: Tensor, probability: float, shape: tuple[int, ...] | None = None) -> Tensor:
        """Drawn from torch's generator, as torch does; what stays grows by what goes."""
        if not self.training or not probability:
            return x
        mask = torch.empty(shape or x.shape, dtype=x.dtype).bernoulli_(1 - probability)
        return x * (mask / (1 - probability))

    def branch(self, x: Tensor, number: int, blocks: int) -> Tensor:
        """The residual branch of block `number` from 1, left out with its share of the last one's probability."""
        return self.drop(x, self.stochastic_depth * number / blocks, (1, 1, 1, 1))

    def linear(self, x: Tensor, name: str) -> Tensor:
        """Of the average over all positions."""
        return x.mean((2, 3)) @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _has(self, name: str) -> bool:
        return f"{name}.weight" in self.weights

    def preactivated(self, images: Tensor, blocks: tuple[int, ...]) -> Tensor:
        """Names of `networks/wide_resnet.py`."""
        out, number = self.conv(images, "stem"), 0
        for group, count in enumerate(blocks):
            for block in range(count):
                number += 1
                name, stride = f"groups.{group}.{block}", 2 if group and not block else 1
                o1 = self.bn(out, f"{name}.bns.0").clamp(min=0)
                y, place = self.conv(o1, f"{name}.convs.0", stride), 1
                while self._has(f"{name}.convs.{place}"):
                    o2 = self.bn(y, f"{name}.bns.{place}").clamp(min=0)
                    y, place = self.conv(self.drop(o2, self.dropout), f"{name}.convs.{place}"), place + 1
                y = self.branch(y, number, sum(blocks))
                projection = f"{name}.projection"
                out = y + (self.conv(o1, projection, stride) if self._has(projection) else out)
        return self.linear(self.bn(out, "bn").clamp(min=0), "linear")

    def post_activated(self, images: Tensor, blocks: tuple[int, ...]) -> Tensor:
        """Names of torchvision."""
        out = self.bn(self.conv(images, "conv1", 2), "bn1").clamp(min=0)
        out, number = F.max_pool2d(out, 3, 2, 1), 0
        for group, count in enumerate(blocks):
            for block in range(count):
                number += 1
                name, stride = f"layer{group + 1}.{block}", 2 if group and not block else 1
                convs = 3 if self._has(f"{name}.conv3") else 2
                y = out
                for place in range(
                    1, convs + 1
                ):  # the 3x3 one strides: the first of two, the second of three
                    own = stride if place == convs - 1 else 1
                    y = self.bn(self.conv(y, f"{name}.conv{place}", own), f"{name}.bn{place}")
                    y = y.clamp(min=0) if place < convs else self.branch(y, number, sum(blocks))
                if self._has(f"{name}.downsample.0"):
                    out = self.bn(self.conv(out, f"{name}.downsample.0", stride), f"{name}.downsample.1")
                out = (out + y).clamp(min=0)
        return self.linear(out, "fc")
