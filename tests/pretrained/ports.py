"""Networks by the names of public ports, written here anew from what their authors' code computes."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def randomised(network: nn.Module, seed: int = 0) -> nn.Module:
    """With weights and statistics of batch norms that are none of a beginning."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            elif tensor.is_floating_point():
                tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
    return network.eval()


class XternalzBlock(nn.Module):
    """Names bn1, conv1, bn2, conv2 and convShortcut."""

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.convShortcut = nn.Conv2d(c_in, c_out, 1, stride, bias=False) if c_in != c_out else None

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.bn1(x))
        out: Tensor = self.conv2(F.relu(self.bn2(self.conv1(activated))))
        return out + (x if self.convShortcut is None else self.convShortcut(activated))


class Xternalz(nn.Module):
    """A WRN of depth 6 n + 4 with the names conv1, block1 to block3 (each with a `layer`), bn1 and fc."""

    def __init__(self, blocks: int, k: int, classes: int):
        super().__init__()
        widths = [16, 16 * k, 32 * k, 64 * k]
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        for group in (1, 2, 3):
            first = XternalzBlock(widths[group - 1], widths[group], 1 if group == 1 else 2)
            others = [XternalzBlock(widths[group], widths[group], 1) for _ in range(blocks - 1)]
            setattr(self, f"block{group}", nn.Sequential(OrderedDict(layer=nn.Sequential(first, *others))))
        self.bn1 = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], classes)

    def forward(self, x: Tensor) -> Tensor:
        out = self.block3(self.block2(self.block1(self.conv1(x))))
        scores: Tensor = self.fc(F.relu(self.bn1(out)).mean((2, 3)))
        return scores


def functional_weights(blocks: int, k: int, classes: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(params, stats) by szagoruyko's names."""
    generator = torch.Generator().manual_seed(1)

    def draw(*shape: int) -> Tensor:
        return 0.3 * torch.randn(*shape, generator=generator)

    params, stats = {"conv0": draw(16, 3, 3, 3)}, {}

    def norm(base: str, width: int) -> None:
        params[f"{base}.weight"], params[f"{base}.bias"] = draw(width), draw(width)
        stats[f"{base}.running_mean"] = draw(width)
        stats[f"{base}.running_var"] = 0.5 + torch.rand(width, generator=generator)

    c_in = 16
    for group, width in enumerate((16 * k, 32 * k, 64 * k)):
        for block in range(blocks):
            base = f"group{group}.block{block}"
            norm(f"{base}.bn0", c_in)
            norm(f"{base}.bn1", width)
            params[f"{base}.conv0"], params[f"{base}.conv1"] = (
                draw(width, c_in, 3, 3),
                draw(width, width, 3, 3),
            )
            if c_in != width:
                params[f"{base}.convdim"] = draw(width, c_in, 1, 1)
            c_in = width
    norm("bn", c_in)
    params["fc.weight"], params["fc.bias"] = draw(classes, c_in), draw(classes)
    return params, stats


def functional_scores(
    images: Tensor, params: dict[str, Tensor], stats: dict[str, Tensor], blocks: int
) -> Tensor:
    """What his functions compute in evaluation."""

    def norm(x: Tensor, base: str) -> Tensor:
        mean, var = stats[f"{base}.running_mean"], stats[f"{base}.running_var"]
        return F.relu(F.batch_norm(x, mean, var, params[f"{base}.weight"], params[f"{base}.bias"]))

    out = F.conv2d(images, params["conv0"], padding=1)
    for group in range(3):
        for block in range(blocks):
            base, stride = f"group{group}.block{block}", 2 if group and not block else 1
            first = norm(out, f"{base}.bn0")
            inner = norm(F.conv2d(first, params[f"{base}.conv0"], stride=stride, padding=1), f"{base}.bn1")
            inner = F.conv2d(inner, params[f"{base}.conv1"], padding=1)
            shortcut = params.get(f"{base}.convdim")
            out = inner + (out if shortcut is None else F.conv2d(first, shortcut, stride=stride))
    return F.linear(norm(out, "bn").mean((2, 3)), params["fc.weight"], params["fc.bias"])


def saved(content: Any, path: Path, *, legacy: bool = False) -> Path:
    """A file of torch; `legacy` as versions before 1.6 wrote them."""
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path
