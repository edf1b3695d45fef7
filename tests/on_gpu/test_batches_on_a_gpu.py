"""Batches made by one compiled kernel on a real GPU, beside those of operations one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.gpu.made_up_data import made_up_data
from wrn_search.images.batches import TrainBatches
from wrn_search.images.fused_batch import Form

BF16 = torch.bfloat16


@pytest.mark.parametrize("form", [Form(), Form(BF16), Form(layout=torch.contiguous_format)], ids=str)
def test_a_batch_of_one_kernel_is_the_plain_one(tmp_path: Path, form: Form) -> None:
    """Crops, flips and labels are the same to the bit; a kernel may divide with another last bit."""
    data = made_up_data(tmp_path / "images", 512, 32)

    def batches(form: Form | None) -> list[tuple[torch.Tensor, torch.Tensor]]:
        source = TrainBatches(data, batch_size=128, augmentation="flip_crop", device="cuda", form=form)
        return list(source.epoch(torch.Generator().manual_seed(1)))

    for (plain, labels), (fused, same_labels) in zip(batches(None), batches(form), strict=True):
        assert torch.equal(labels, same_labels)
        assert fused.dtype == form.dtype
        assert fused.is_contiguous(memory_format=form.layout)
        rel = 2**-8 if form.dtype == BF16 else 1e-6
        assert torch.allclose(fused.float(), plain, rtol=rel, atol=1e-6)
