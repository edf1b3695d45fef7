"""The network as others use it: raw images in, class scores and probabilities out, preprocessing inside."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wrn_search.images.normalisation_and_zca import GCN_MIN_DIVISOR, GCN_SCALE, Preprocessing


class Classifier(nn.Module):
    """uint8 images (B, H, W, C) -> class scores and probabilities, each (B, classes), in float32.

    Preprocesses as the training did, in the same order of operations: (x - mean) / std per channel, or, for
    zca, contrast normalisation and whitening.
    """

    mean: Tensor  # (C,)
    std: Tensor  # (C,)
    centre: Tensor  # (H W C,), zca only
    matrix: Tensor  # (H W C, H W C), zca only

    def __init__(self, network: nn.Module, channels: int, whitened_size: int | None = None):
        super().__init__()
        self.network = network
        self.whitened = whitened_size is not None
        if whitened_size is None:
            self.register_buffer("mean", torch.empty(channels))
            self.register_buffer("std", torch.empty(channels))
        else:
            self.register_buffer("centre", torch.empty(whitened_size))
            self.register_buffer("matrix", torch.empty(whitened_size, whitened_size))

    def set_preprocessing(self, preprocessing: Preprocessing) -> None:
        """Takes over what was fitted to the training images."""
        if preprocessing.whitening is None:
            self.mean = torch.tensor(preprocessing.mean, dtype=torch.float32)
            self.std = torch.tensor(preprocessing.std, dtype=torch.float32)
        else:
            self.centre = torch.from_numpy(preprocessing.whitening.centre).contiguous()
            self.matrix = torch.from_numpy(preprocessing.whitening.matrix).contiguous()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and probabilities of uint8 images (B, H, W, C)."""
        inputs = images.to(torch.float32)
        inputs = self._whiten(inputs) if self.whitened else (inputs - self.mean) / self.std
        scores = self.network(inputs.permute(0, 3, 1, 2))
        return scores, torch.softmax(scores, dim=1)

    def _whiten(self, inputs: Tensor) -> Tensor:
        """What `preprocessing.zca` stores of images; (B, H, W, C) -> (B, H, W, C)."""
        flat = inputs.flatten(1)
        flat = flat - flat.mean(dim=1, keepdim=True)
        divisor = torch.sqrt((flat * flat).sum(dim=1, keepdim=True)) / GCN_SCALE
        flat = flat / torch.where(divisor < GCN_MIN_DIVISOR, torch.ones_like(divisor), divisor)
        return ((flat - self.centre) @ self.matrix).reshape(inputs.shape)
