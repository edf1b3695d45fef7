"""TrialConfig: all that fixes one training. It is the only door into training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from wrn_search.space.architecture import Architecture
from wrn_search.space.datasets import DatasetSettings


@dataclass(frozen=True)
class TrialConfig:
    """Hyperparameters, fixed values, data and seed of one training, checked and resolved: no domain, no `auto`."""

    depth: int
    widen_factor: float
    deepening_factor: int
    block: str
    dropout: float
    init: str  # fan_in | fan_out
    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    weight_decay_on: str  # all | weights
    lr_schedule: str  # step | cosine
    lr_drops: tuple[float, ...]  # fractions of `epochs`
    lr_drop_factor: float
    precision: str  # fp32 | bf16
    compile: str  # on | off
    dataset: DatasetSettings
    seed: int

    @property
    def architecture(self) -> Architecture:
        """The network's shape."""
        return Architecture.of(self.depth, self.widen_factor, self.block)

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold; `from_dict` is its inverse."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {"lr_drops": list(self.lr_drops), "dataset": self.dataset.model_dump()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrialConfig:
        """The config that `to_dict` wrote."""
        dataset = DatasetSettings.model_validate(values["dataset"])
        return cls(**{**values, "lr_drops": tuple(values["lr_drops"]), "dataset": dataset})


LEAVES = tuple(
    field.name for field in dataclasses.fields(TrialConfig) if field.name not in ("dataset", "seed")
)
REAL_LEAVES = tuple(field.name for field in dataclasses.fields(TrialConfig) if field.type == "float")
