"""A trainable whose GPU is too small: it runs out of memory, made-up, until its share is large enough for its width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wrn_search.ray_tune.trainable import WideResNetTrainable
from wrn_search.space.trial_config import TrialConfig

if TYPE_CHECKING:
    from wrn_search.training.training_loop import Training

NEEDED = {
    0.25: 1 / 8,
    0.5: 1 / 2,
    1.0: 2.0,
}  # widening factor -> share of a GPU; the last does not fit at all


class StarvedTrainable(WideResNetTrainable):
    """Trains for real once it has what `NEEDED` says."""

    def _build(self) -> Training:
        import torch

        config = TrialConfig.from_dict(self._assignment["trial"])
        if self._assignment["gpu_fraction"] < NEEDED[config.widen_factor]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB (made up)")
        return super()._build()
