"""TrialConfig: all that fixes one training. It is the only door into training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from wrn_search.networks.architecture import Architecture
from wrn_search.space.dataset_section import DatasetSettings, dataset_settings
from wrn_search.space.rules.broken_rule import spelled
from wrn_search.space.section_keys import ModelSettings, TrainingSettings


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
        return {**self.leaves, "dataset": _plain(self.dataset).copy(), "seed": self.seed}

    @property
    def leaves(self) -> dict[str, Any]:
        """All but data and seed, as plain values."""
        return {name: getattr(self, name) for name in LEAVES} | {"lr_drops": list(self.lr_drops)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrialConfig:
        """The config that `to_dict` wrote."""
        dataset = dataset_settings(values["dataset"])
        return cls(**{**values, "lr_drops": tuple(values["lr_drops"]), "dataset": dataset})


LEAVES = tuple(
    field.name for field in dataclasses.fields(TrialConfig) if field.name not in ("dataset", "seed")
)
REAL_LEAVES = tuple(field.name for field in dataclasses.fields(TrialConfig) if field.type == "float")


@lru_cache(64)
def _plain(dataset: DatasetSettings) -> dict[str, Any]:
    """The section of a search, which all its trials share."""
    return dataset.model_dump()


_FIELD_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (float, int), "str": (str,)}


MAX_SEED = 2**31
_SECTION_OF = {
    name: section for section in (ModelSettings, TrainingSettings) for name in section.model_fields
}
_RESOLVED = {"precision": ("fp32", "bf16"), "compile": ("on", "off")}  # what `auto` has become


def leaf_problem(name: str, value: Any) -> str | None:
    """Why a value from a file is none of a trial's leaf `name`, by the rule of the key; None if it is."""
    if name in _RESOLVED and value not in _RESOLVED[name]:
        return f"{name} must be one of {', '.join(_RESOLVED[name])}, but got {spelled(value)}"
    if value is None or isinstance(value, dict):  # a default or a domain is no value
        return f"{name} must be a value, but got {spelled(value)}"
    try:
        _SECTION_OF[name].model_validate({name: value})
    except ValidationError as error:
        problems = error.errors()[0].get("ctx", {}).get("problems", ())
        return f"{name} {problems[0][1] if problems else error.errors()[0]['msg']}"
    return None


def config_problem(values: dict[str, Any]) -> str | None:
    """Why plain values from a file are no `TrialConfig.to_dict`; None if they are."""
    known = {field.name: str(field.type) for field in dataclasses.fields(TrialConfig)}
    if values.keys() != known.keys():
        odd = ", ".join(sorted(values.keys() ^ known.keys()))
        return f"must have the fields of a trial's config, but these are missing or unknown: {odd}"
    for name, kind in known.items():
        if kind in _FIELD_TYPES and type(values[name]) not in _FIELD_TYPES[kind]:
            return f"{name} must be {kind}, but got {values[name]!r}"
    if type(values["seed"]) is not int or not 0 <= values["seed"] < MAX_SEED:
        return f"seed must be a whole number of 0 to {MAX_SEED - 1}, but got {spelled(values['seed'])}"
    drops = values["lr_drops"]
    if not isinstance(drops, list) or not all(type(drop) in (int, float) for drop in drops):
        return f"lr_drops must be a list of numbers, but got {drops!r}"
    broken = (leaf_problem(name, values[name]) for name in LEAVES)
    if (problem := next((text for text in broken if text), None)) is not None:
        return problem
    try:
        assert TrialConfig.from_dict(values).architecture  # building it checks depth and block
    except ValidationError as error:
        return (
            f"dataset must be that of a search, but got {values['dataset']!r} ({error.error_count()} wrong)"
        )
    except (ValueError, TypeError) as error:
        return f"must describe a network, but got: {error}"
    return None
