"""A batch as one function of stored images and draws: torch.compile makes crop, flip, cast and normalising one kernel.

No shape depends on a draw, as the flip is a mask. As it is, and compiled for a CPU, it gives the bits of slices and
operations one by one. Compiled for CUDA a division may differ in the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Form:
    """How a network wants its batches."""

    dtype: torch.dtype = torch.float32
    layout: torch.memory_format = torch.channels_last


def made_batch(
    windows: Tensor,
    chosen: Tensor,
    offsets: Tensor,
    is_flipped: Tensor | None,
    scale: tuple[Tensor, Tensor] | None,
    form: Form,
) -> Tensor:
    """Inputs (B, C, H, W) of a network.

    Args:
        windows: (n, offsets, offsets, H, W, C) every window of every stored image, uint8 or float32, as a view.
        chosen: (B,) int64, images.
        offsets: (2, B) or (2, 1) int64, down and across.
        is_flipped: (B,) bool, those that are flipped left to right; None where none ever is.
        scale: mean and deviation of a row of pixels, (W * C,) float32 each; None for images as they are stored.
        form: type and layout; computed in float32.
    """
    images = windows[chosen, offsets[0], offsets[1]]
    if is_flipped is not None:
        images = torch.where(is_flipped.view(-1, 1, 1, 1), images.flip(2), images)
    inputs = images.to(torch.float32)
    if scale is not None:
        mean, deviation = scale
        rows = inputs.view(*images.shape[:2], -1)
        inputs = ((rows - mean) / deviation).view(images.shape)
    return inputs.to(form.dtype).permute(0, 3, 1, 2).contiguous(memory_format=form.layout)


Made = Callable[[Tensor, Tensor, Tensor, Tensor | None, tuple[Tensor, Tensor] | None, Form], Tensor]


def compiled(backend: str = "inductor", fullgraph: bool = False) -> Made:
    """The same as one kernel, anew for each shape; with `fullgraph` a break of its graph is an error."""
    made: Made = torch.compile(made_batch, backend=backend, fullgraph=fullgraph, dynamic=False)
    return made
