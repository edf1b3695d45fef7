"""TrialConfig: all that fixes one training. It is the only door into training."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Any

from pydantic import ValidationError

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.families.family_table import DEFAULT_FAMILY
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.rules.broken_rule import spelled
from wrn_search.space.rules.starting_file import told_file
from wrn_search.space.section_keys import ModelSettings, default_of
from wrn_search.space.sections.crop_padding import CROPPING
from wrn_search.space.sections.recorded_dataset import LATER_SETTINGS, dataset_settings
from wrn_search.space.sections.training_keys import TrainingSettings


# Each trial has one, and a dict of so many fields would be thrice as large as the slots.
@dataclass(frozen=True, kw_only=True, slots=True)
class TrialConfig:
    """Hyperparameters, fixed values, data and seed of one training, checked and resolved: no domain, no `auto`.

    What has a default here came later: trials of earlier versions, which lack it, were trained by that.
    """

    family: str = field(default=default_of("family"))  # a name of `FAMILIES`
    depth: int
    widen_factor: float
    deepening_factor: int | None  # of family wrn
    block: str
    dropout: float
    stochastic_depth: float = field(default=default_of("stochastic_depth"))
    init: str  # fan_in | fan_out
    bn_weight: str = field(default=default_of("bn_weight"))  # one | uniform
    linear_init: str = field(default=default_of("linear_init"))  # kaiming | uniform
    init_from: str = field(default=default_of("init_from"))  # random, or PATH@sha256:HEX
    freeze: str = field(default=default_of("freeze"))  # groups, as in `stem, group1`
    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    weight_decay_on: str  # all | weights
    lr_schedule: str  # of `SCHEDULES`
    lr_drops: tuple[float, ...]  # fractions of `epochs`
    lr_drop_factor: float
    momentum_at_drops: str = field(default=default_of("momentum_at_drops"))  # keep | restart
    last_batch: str = field(default=default_of("last_batch"))  # drop | keep
    optimizer: str = field(default=default_of("optimizer"))  # sgd | adamw
    nesterov: bool = field(default=default_of("nesterov"))
    beta1: float = field(default=default_of("beta1"))
    beta2: float = field(default=default_of("beta2"))
    lr_by: str = field(default=default_of("lr_by"))  # epoch | step
    lr_cooldown: float = field(default=default_of("lr_cooldown"))
    warmup_epochs: int = field(default=default_of("warmup_epochs"))
    clip_norm: float | None = field(default=default_of("clip_norm"))  # None or 0: as they are
    ema: float = field(default=default_of("ema"))  # 0 for none
    sam: float = field(default=default_of("sam"))  # 0 for none
    gradient_accumulation: int = field(default=default_of("gradient_accumulation"))
    precision: str  # fp32 | tf32 | bf16 | fp16
    linear_precision: str = field(default="same")  # same | fp32
    compile: str  # on | off
    cuda_graph: str = field(default="off")  # on | off
    label_smoothing: float = field(default=default_of("label_smoothing"))
    mixup: float = field(default=default_of("mixup"))  # alpha; 0 is off
    cutmix: float = field(default=default_of("cutmix"))  # alpha; 0 is off
    cutout: int = field(default=default_of("cutout"))  # pixels; 0 is off
    class_weights: str = field(default=default_of("class_weights"))  # none | balanced | [w, ...]
    dataset: DatasetSettings
    seed: int

    @property
    def micro_batch_size(self) -> int:
        """Images that pass the network at once in training."""
        return -(-self.batch_size // self.gradient_accumulation)

    @property
    def architecture(self) -> Architecture:
        """The network's shape."""
        return Architecture.of(self.depth, self.widen_factor, self.block, self.family)

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold; `from_dict` is its inverse."""
        values = self.leaves
        values["dataset"], values["seed"] = _plain(self.dataset).copy(), self.seed
        return values

    @property
    def leaves(self) -> dict[str, Any]:
        """All but data and seed, as plain values."""
        values = dict(zip(LEAVES, _leaves_of(self), strict=True))
        values["lr_drops"] = list(self.lr_drops)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrialConfig:
        """The config that `to_dict` wrote; an older version's is trained by what was the only way then."""
        read = {"lr_drops": tuple(values["lr_drops"]), "dataset": dataset_settings(values["dataset"])}
        return cls(**{**LATER_LEAVES, **values, **read})


LEAVES = tuple(
    field.name for field in dataclasses.fields(TrialConfig) if field.name not in ("dataset", "seed")
)
_leaves_of = attrgetter(*LEAVES)
REAL_LEAVES = tuple(
    field.name for field in dataclasses.fields(TrialConfig) if str(field.type).startswith("float")
)


# Leaves that earlier versions did not have, with what every one of their trials was trained by.
LATER_LEAVES: dict[str, Any] = {
    field.name: field.default
    for field in dataclasses.fields(TrialConfig)
    if field.default is not dataclasses.MISSING
}


def captured(asked: str) -> str:
    """What `training.cuda_graph` means where its auto is not resolved (`session/plan/automatic_cuda_graph`): off."""
    return "on" if asked == "on" else "off"


def last_layer(asked: str, precision: str) -> str:
    """What `training.linear_precision` means: auto is fp32, which in fp32 is the same."""
    if asked != "auto":
        return asked
    return "same" if precision == "fp32" else "fp32"


def with_later_leaves(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of a trial's config with all leaves that its version did not have yet."""
    return {**LATER_LEAVES, **values}


def what_fixes_it(values: Mapping[str, Any]) -> str:
    """All that fixes a training but where its files lie, as one text.

    Later keys that say what every earlier version did are left out: the same text then and now.
    """
    leaves, dataset = (
        _without(*each) for each in ((values, LATER_LEAVES), (values["dataset"], LATER_SETTINGS))
    )
    dataset.pop("root", None)
    if "init_from" in leaves:
        path, digest = told_file(leaves["init_from"])
        leaves["init_from"] = digest or path
    if dataset.get("augmentation") not in CROPPING:
        dataset.pop("crop_padding", None)
    return _in_order(leaves | {"dataset": dataset})


# Built once: json.dumps with options builds a new coder at every call.
_in_order = json.JSONEncoder(sort_keys=True).encode


def _without(values: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in later or value != later[name]}


@lru_cache(64)
def _plain(dataset: DatasetSettings) -> dict[str, Any]:
    """The section of a search, which all its trials share."""
    return dataset.model_dump()


# How a network is computed is no hyperparameter: trials that differ only in it are seeds of one configuration.
HOW_COMPUTED = ("compile", "cuda_graph")
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
_FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "float | None": (float, int, type(None)),
    "str": (str,),
    "bool": (bool,),
}
# Leaves that may have no value: of a family whose blocks have names, and what is left off.
_NULLABLE = ("deepening_factor", "clip_norm")


MAX_SEED = 2**31
_SECTION_OF = {
    name: section for section in (ModelSettings, TrainingSettings) for name in section.model_fields
}
_RESOLVED = {
    "precision": PRECISIONS,
    "compile": ("on", "off"),
    "cuda_graph": ("on", "off"),
    "linear_precision": ("same", "fp32"),
}  # what `auto` has become


def leaf_problem(name: str, value: Any) -> str | None:
    """Why a value from a file is none of a trial's leaf `name`, by the rule of the key; None if it is."""
    if name in _RESOLVED and value not in _RESOLVED[name]:
        return f"{name} must be one of {', '.join(_RESOLVED[name])}, but got {spelled(value)}"
    if value is None and name in _NULLABLE:
        return None
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
    values = with_later_leaves(values)
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
    if (values["deepening_factor"] is None) == (values["family"] == DEFAULT_FAMILY):
        return f"deepening_factor must be that of family wrn and no other's, but got {values['deepening_factor']!r}"
    try:
        assert TrialConfig.from_dict(values).architecture  # building it checks depth and block
    except ValidationError as error:
        return (
            f"dataset must be that of a search, but got {values['dataset']!r} ({error.error_count()} wrong)"
        )
    except (ValueError, TypeError) as error:
        return f"must describe a network, but got: {error}"
    return None
