"""Which keys a space file that is written for a user tells: the usual ones, and a recipe's that are not at defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wrn_search.space.section_keys import ModelSettings, default_of
from wrn_search.space.sections.optimiser_keys import OWN_OPTIMISER
from wrn_search.space.sections.training_keys import TrainingSettings
from wrn_search.space.trial_config import LATER_LEAVES

_MODEL_KEYS = ("dropout", "init")
_USUAL = {
    name: default_of(name) for name in ("lr_schedule", "lr_drops", "warmup_epochs", "optimizer")
}  # where a file tells none
_TRAINING_KEYS = (
    *("epochs", "batch_size", "learning_rate", "momentum", "weight_decay", "weight_decay_on", "lr_schedule"),
    *("lr_drop_factor", "precision"),
)


def model_keys(leaves: Mapping[str, Any]) -> list[str]:
    """Of `model`, without the network's shape."""
    return _told(
        leaves, [*_MODEL_KEYS, *(name for name in _changed(leaves) if name in ModelSettings.model_fields)]
    )


def training_keys(leaves: Mapping[str, Any]) -> list[str]:
    """Of `training`, without its drops."""
    return _told(
        leaves,
        [*_TRAINING_KEYS, *(name for name in _changed(leaves) if name in TrainingSettings.model_fields)],
    )


def _changed(leaves: Mapping[str, Any]) -> list[str]:
    return [name for name, usual in LATER_LEAVES.items() if leaves[name] != usual]


def drops(leaves: Mapping[str, Any]) -> dict[str, list[float]]:
    """Of `training`, where the schedule has them."""
    if leaves["lr_schedule"] != "step":
        return {}
    return {"lr_drops": [float(drop) for drop in leaves["lr_drops"]]}


def acts(name: str, leaves: Mapping[str, Any]) -> bool:
    """Whether a key does anything in such a training: a file that names another is refused."""
    told = {**_USUAL, **leaves}
    steps, optimizer = told["lr_schedule"] == "step", told["optimizer"]
    if name in ("lr_drop_factor", "momentum_at_drops"):
        return bool(steps and len(told["lr_drops"]))
    if name == "lr_by":
        return not steps or bool(told["warmup_epochs"])
    return bool(OWN_OPTIMISER.get(name, optimizer) == optimizer)


def _told(leaves: Mapping[str, Any], names: list[str]) -> list[str]:
    """Those that act and have a value: a key that does not apply to a trial has none."""
    return [name for name in names if not _is_null(leaves[name]) and acts(name, leaves)]


def _is_null(value: Any) -> bool:
    """Of a table: no value, or pandas' way to say so in a column of numbers."""
    return value is None or value != value
