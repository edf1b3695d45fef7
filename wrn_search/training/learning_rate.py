"""The learning rate of every epoch, in plain numbers: no torch, so that rungs can ask the same functions."""

from __future__ import annotations

import math

from wrn_search.space.trial_config import TrialConfig


def learning_rate_at(epoch: int, config: TrialConfig) -> float:
    """The learning rate at which `epoch` (from 1) runs, constant through the epoch.

    step: `learning_rate * lr_drop_factor ** (drops so far)`; cosine: half a cosine from `learning_rate`
    towards 0 after the last epoch.
    """
    assert 1 <= epoch <= config.epochs, f"epoch {epoch} of {config.epochs}"
    return _SCHEDULES[config.lr_schedule](epoch, config)


def drop_epochs(lr_drops: tuple[float, ...], epochs: int) -> tuple[int, ...]:
    """The first epoch after each drop, in order: (0.3, 0.6, 0.8) of 200 epochs are epochs 60, 120 and 160.

    Drops that fall on one epoch are all listed, as each lowers the rate.
    """
    return tuple(sorted(max(1, round(fraction * epochs)) for fraction in lr_drops))


def _step(epoch: int, config: TrialConfig) -> float:
    drops = sum(epoch >= drop for drop in drop_epochs(config.lr_drops, config.epochs))
    return config.learning_rate * config.lr_drop_factor**drops


def _cosine(epoch: int, config: TrialConfig) -> float:
    """Loshchilov & Hutter, SGDR (arXiv 1608.03983), equation 5 without restarts, eta_min 0, per epoch."""
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / config.epochs))


_SCHEDULES = {"step": _step, "cosine": _cosine}
