"""What `recipe`, `protocol` and the names of an optimiser and a data set fill in where the space file says nothing.

A filled value is a default: any key overrides it, in the file or by `--set`. The order is the file, `protocol`,
the optimiser's own rates, `recipe`, the data set's own recipe, the key's default.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

# The authors' code: models/, train.lua, augmentation.lua and scripts/ of szagoruyko/wide-residual-networks.
_PAPER: dict[str, Any] = {
    "model.init": "fan_in",  # since September 2016; fan_out in the first version of the paper
    "model.bn_weight": "uniform",
    "model.linear_init": "uniform",
    "training.batch_size": 128,
    "training.momentum": 0.9,
    "training.weight_decay": 5e-4,
    "training.weight_decay_on": "all",
    "training.lr_schedule": "step",
    "training.momentum_at_drops": "restart",
    "training.last_batch": "drop",
}
_SCHEDULE_OF_SVHN: dict[str, Any] = {
    "training.epochs": 160,
    "training.learning_rate": 0.01,
    "training.lr_drops": [0.5, 0.75],  # at the start of epochs 80 and 120
    "training.lr_drop_factor": 0.1,
}
RECIPES: dict[str, dict[str, Any]] = {
    # Section 3: tables 5, 6 and 9. Tables 2 to 4 have `dataset.preprocessing: zca`.
    "paper_cifar": _PAPER
    | {
        "dataset.preprocessing": "meanstd_cifar10",
        "dataset.augmentation": "flip_crop_batch",
        "training.epochs": 200,
        "training.learning_rate": 0.1,
        "training.lr_drops": [0.3, 0.6, 0.8],  # at the start of epochs 60, 120 and 160
        "training.lr_drop_factor": 0.2,
    },
    "paper_svhn": _PAPER
    | _SCHEDULE_OF_SVHN
    | {
        "dataset.name": "svhn",
        "dataset.preprocessing": "divide255",
        "dataset.augmentation": "none",
    },
    # Section 3.4: the recipe of fb.resnet.torch, whose weights begin and whose momentum goes on in other ways.
    "paper_imagenet": {
        "dataset.name": "imagenet",  # whose own defaults are the recipe's colours, crops and constants
        "model.init": "fan_out",
        "model.bn_weight": "one",
        "model.linear_init": "uniform",
        "training.epochs": 100,
        "training.batch_size": 256,
        "training.learning_rate": 0.1,
        "training.momentum": 0.9,
        "training.weight_decay": 1e-4,
        "training.weight_decay_on": "all",
        "training.lr_schedule": "step",
        "training.lr_drops": [0.31, 0.61, 0.91],  # after 30, 60 and 90 finished epochs
        "training.lr_drop_factor": 0.1,
        "training.momentum_at_drops": "keep",
        "training.last_batch": "keep",
    },
}
# What an optimiser's name alone fills in, also where a recipe says otherwise: its rates are those of another one.
_OF_OPTIMISERS: dict[str, dict[str, Any]] = {
    "adamw": {"training.learning_rate": 0.001, "training.weight_decay": 0.01}  # torch's
}
# What a data set's name alone fills in, where its own section does not (`datasets/`).
_OF_DATA_SETS: dict[str, dict[str, Any]] = {"svhn": _SCHEDULE_OF_SVHN}
# Nothing is stopped and nobody learns from a test error, so a list of networks is trained as it stands.
PROTOCOLS: dict[str, dict[str, Any]] = {
    "search": {},
    "test_each": {"search.searcher": "grid", "search.scheduler": "none"},
}


def filled(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A space file's document with what its recipe, protocol and data set fill in, and those keys with their values.

    Names that do not exist fill in nothing; the rules of their keys tell of them.
    """
    whole: dict[str, Any] = copy.deepcopy(dict(document))
    added: dict[str, Any] = {}
    training = whole.get("training")
    for values in (
        _named(PROTOCOLS, whole.get("protocol")),
        _named(_OF_OPTIMISERS, training.get("optimizer") if isinstance(training, dict) else None),
        _named(RECIPES, whole.get("recipe")),
    ):
        added |= _put(whole, values)
    dataset = whole.get("dataset")
    added |= _put(whole, _named(_OF_DATA_SETS, dataset.get("name") if isinstance(dataset, dict) else None))
    return whole, added


def rates_of(optimizer: Any) -> dict[str, Any]:
    """Keys of `training` that an optimiser's name alone fills in, with their values."""
    return {path.partition(".")[2]: value for path, value in _named(_OF_OPTIMISERS, optimizer).items()}


def preset(path: str, recipe: str | None, data_set: str) -> tuple[Any, ...]:
    """What a recipe and a data set's name may have filled in at `section.key`."""
    tables = (_named(RECIPES, recipe), _named(_OF_DATA_SETS, data_set))
    return tuple(values[path] for values in tables if path in values)


def _named(table: Mapping[str, dict[str, Any]], name: Any) -> dict[str, Any]:
    return table.get(name, {}) if isinstance(name, str) else {}


def _put(document: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Fills in the values whose keys are not there, or null where that is the default, and returns them."""
    added = {}
    for path, value in values.items():
        section, _, key = path.partition(".")
        keys = document.setdefault(section, {})
        if document[section] is None:
            keys = document[section] = {}
        if isinstance(keys, dict) and (key not in keys or (keys[key] is None and section == "dataset")):
            keys[key] = added[path] = copy.deepcopy(value)
    return added
