"""What a trial on several GPUs must have: equal parts of every batch."""

from __future__ import annotations

from tests.space.spaces import complaints, space


def test_batches_must_have_equal_parts() -> None:
    text = "training: {batch_size: {choice: [64, 100]}}\nresources: {gpus_per_trial: 8}\n"
    assert complaints(text) == [
        "s.yaml:1: training.batch_size: batch_size must be a multiple of gpus_per_trial, 8, whose GPUs have equal "
        "parts of a batch, but got 100"
    ]
    assert space(text.replace("8}", "4}")).resources.gpus_per_trial == 4.0
