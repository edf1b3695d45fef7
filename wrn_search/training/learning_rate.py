"""The learning rate of every epoch and step, in plain numbers: no torch, so that rungs can ask the same functions."""

from __future__ import annotations

import math
from collections.abc import Callable

from wrn_search.space.trial_config import TrialConfig

# Of onecycle, as torch.optim.lr_scheduler.OneCycleLR has them.
_RISE = 0.3  # of all places
_FIRST_PART, _LAST_PART = 1 / 25, 1 / 25e4  # of the highest rate


def learning_rate_at(epoch: int, config: TrialConfig, step: int = 0, steps: int = 1) -> float:
    """The learning rate at which a step of `epoch` (from 1) runs; with `lr_by: epoch` that of the whole epoch.

    step: `learning_rate * lr_drop_factor ** (drops so far)`; cosine: half a cosine from `learning_rate`
    towards 0; linear: a line there; wsd: constant until the last `lr_cooldown` of the epochs, then a line towards 0;
    onecycle: up from a 25th of `learning_rate` and down far below. A warm-up comes before all of them, but for
    the drops, which stay at their epochs.

    Args:
        epoch: from 1.
        config: of the training.
        step: of the optimiser within the epoch, from 0.
        steps: of every epoch.
    """
    assert 1 <= epoch <= config.epochs, f"epoch {epoch} of {config.epochs}"
    assert 0 <= step < steps, f"step {step} of {steps}"
    if config.lr_by == "epoch":
        step, steps = 0, 1
    place, warm = (epoch - 1) * steps + step, config.warmup_epochs * steps
    peak = config.learning_rate
    if config.lr_schedule == "step":
        peak = _step(epoch, config)
    if place < warm:
        return peak * warm_up_factor(place, warm)
    if config.lr_schedule == "step":
        return peak
    if config.lr_schedule == "wsd":
        return peak * cooldown_factor(place, config.epochs * steps, config.lr_cooldown)
    return _FALLING[config.lr_schedule](peak, place - warm, config.epochs * steps - warm)


def warm_up_factor(place: int, places: int) -> float:
    """At a place (from 0) of a warm-up, which rises by equal parts: 1/(W + 1), ..., W/(W + 1), and 1 after it.

    Gradual warm-up of Goyal et al., Accurate, large minibatch SGD (arXiv 1706.02677), section 2.2.
    """
    return (place + 1) / (places + 1)


def cooldown_factor(place: int, places: int, share: float) -> float:
    """Of warm-up, stable, decay at a place (from 0) of all: 1, in the last C of them C/(C + 1), ..., 1/(C + 1).

    Zhai et al., Scaling vision transformers (arXiv 2106.04560), section 3.5, whose cooldown is a line; Hu et al.,
    MiniCPM (arXiv 2404.06395), section 4, have given the schedule its name.
    """
    cooldown = _cooldown_places(places, share)
    return min(1.0, (places - place) / (cooldown + 1))


def cooldown_epoch(epochs: int, share: float) -> int:
    """The first epoch of the cooldown."""
    return epochs - _cooldown_places(epochs, share) + 1


def _cooldown_places(places: int, share: float) -> int:
    return max(1, round(share * places))


def drop_epochs(lr_drops: tuple[float, ...], epochs: int) -> tuple[int, ...]:
    """The first epoch after each drop, in order: (0.3, 0.6, 0.8) of 200 epochs are epochs 60, 120 and 160.

    Drops that fall on one epoch are all listed, as each lowers the rate.
    """
    return tuple(sorted(max(1, round(fraction * epochs)) for fraction in lr_drops))


def restarts_momentum(epoch: int, config: TrialConfig) -> bool:
    """Whether `epoch` (from 1) begins with the momentum at 0, as the first epoch after a drop does with `restart`."""
    drops = config.lr_schedule == "step" and epoch in drop_epochs(config.lr_drops, config.epochs)
    return drops and config.momentum_at_drops == "restart"


def _step(epoch: int, config: TrialConfig) -> float:
    drops = sum(epoch >= drop for drop in drop_epochs(config.lr_drops, config.epochs))
    return config.learning_rate * config.lr_drop_factor**drops


def _cosine(peak: float, place: int, places: int) -> float:
    """Loshchilov & Hutter, SGDR (arXiv 1608.03983), equation 5 without restarts, eta_min 0."""
    return peak * 0.5 * (1 + math.cos(math.pi * place / places))


def _linear(peak: float, place: int, places: int) -> float:
    """Defazio et al., Optimal linear decay learning rate schedules (arXiv 2310.07831): 1 - t/T."""
    return peak * (1 - place / places)


def _onecycle(peak: float, place: int, places: int) -> float:
    """Smith & Topin, Super-convergence (arXiv 1708.07120), of two cosines as torch's OneCycleLR; momentum stays."""
    if places == 1:
        return peak
    top, end = _RISE * places - 1, places - 1
    if place <= top:
        return _between(peak * _FIRST_PART, peak, place / top if top else 1.0)
    return _between(peak, peak * _LAST_PART, (place - top) / (end - top))


def _between(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * part))


_FALLING: dict[str, Callable[[float, int, int], float]] = {
    "cosine": _cosine,
    "linear": _linear,
    "onecycle": _onecycle,
}
