"""Beside the paper: the published error of each of our networks, and every difference in how it came about."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.confirmation import Confirm
from wrn_search.analysis.input_tables.configurations import Configuration, estimate_of
from wrn_search.analysis.input_tables.joined_tables import Material
from wrn_search.analysis.input_tables.shared_values import Estimate
from wrn_search.datasets.svhn import SVHN_DATASET
from wrn_search.paper.published_tables import Published, published

if TYPE_CHECKING:
    import pandas as pd

_CIFAR = {
    "epochs": 200,
    "batch_size": 128,
    "learning_rate": 0.1,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "weight_decay_on": "all",
    "lr_schedule": "step",
    "lr_drops": (0.3, 0.6, 0.8),
    "lr_drop_factor": 0.2,
    "precision": "fp32",
    "augmentation": "flip_crop",
    "images": 50_000,
}
_SVHN = _CIFAR | {
    "epochs": 160,
    "learning_rate": 0.01,
    "lr_drops": (0.5, 0.75),
    "lr_drop_factor": 0.1,
    "augmentation": "none",
    "images": 73_257 + SVHN_DATASET.facts.extra_images,
}
RECIPES: dict[str, Mapping[str, Any]] = {"cifar10": _CIFAR, "cifar100": _CIFAR, "svhn": _SVHN}
_LEAVES = tuple(name for name in _CIFAR if name not in ("augmentation", "images", "lr_drops"))
# The authors corrected fan-out to fan-in in September 2016, between the two versions of the paper that brought these.
_FAN_OUT_TABLES = ("table 2", "table 3", "table 4")


@dataclass(frozen=True)
class PaperRow:
    """One network of ours beside the paper's."""

    network: str
    table: str  # `table 4`
    dropout: bool | None  # of the paper's row; None where it has none to tell
    paper_error: float  # test error, percent
    statistic: str  # `median of 5`, ...
    ours: Estimate
    our_test_error: float | None  # median of `confirm`'s retrained ones, percent; None without
    differences: tuple[str, ...]  # each difference of recipe, in words


@dataclass(frozen=True)
class Paper:
    """Our networks that stand in the paper's tables."""

    rows: tuple[PaperRow, ...]
    note: str  # why there are none, or how to read them


def paper_of(
    material: Material,
    configurations: Sequence[Configuration],
    seed_deviation: float | None,
    confirm: Confirm | None,
) -> Paper:
    """Every row of the paper's tables whose network a search has trained to the end on the same data set."""
    dataset = material.dataset.name
    if dataset not in RECIPES:
        return Paper((), f"The paper has no results on {dataset}.")
    best = _best_of_each_network(configurations, material.dataset.chance_error)
    tested = _confirmed(confirm, material)
    rows = []
    for theirs in published():
        ours = best.get(theirs.network)
        if theirs.dataset == dataset and ours is not None:
            trial = material.trials.loc[ours.trial]
            rows.append(
                PaperRow(
                    network=theirs.network,
                    table=theirs.table,
                    dropout=None if theirs.dropout is None else theirs.dropout > 0,
                    paper_error=theirs.error,
                    statistic=theirs.statistic,
                    ours=estimate_of(ours, material, seed_deviation),
                    our_test_error=tested.get(ours.number),
                    differences=_differences(theirs, trial, material, len(ours.completed)),
                )
            )
    if not rows:
        return Paper((), "None of these networks was trained to its end and stands in the paper's tables.")
    return Paper(
        tuple(rows), "Ours are validation errors of a search, theirs test errors: read the differences first."
    )


def _best_of_each_network(
    configurations: Sequence[Configuration], chance: float | None
) -> dict[str, Configuration]:
    found: dict[str, Configuration] = {}
    for c in sorted(configurations, key=lambda c: (statistics.median(c.values(chance)), c.number)):
        found.setdefault(c.network, c)
    return found


def _confirmed(confirm: Confirm | None, material: Material) -> dict[int, float]:
    """Configuration -> median test error of its retrained networks."""
    return {
        int(material.trials["configuration"][finalist.trial]): finalist.test_summary[0]
        for finalist in (confirm.finalists if confirm else ())
        if finalist.trial is not None and finalist.test_summary is not None
    }


def _differences(theirs: Published, trial: pd.Series, material: Material, n: int) -> tuple[str, ...]:
    """Each difference as `what: ours, the paper's`."""
    recipe, dataset = RECIPES[theirs.dataset], material.dataset
    held_out = f"{dataset.validation_images:,}" if dataset.validation_images else "held-out"
    said = [
        f"error: on {held_out} validation images, on the test split that the authors watched",
        f"statistic: {f'median of {n} seeds' if n > 1 else 'one seed, the best of a search'}, {theirs.statistic}",
    ]
    if dataset.train_images is None or dataset.train_images != recipe["images"]:
        ours = "not known" if dataset.train_images is None else f"{dataset.train_images:,}"
        said.append(f"training images: {ours}, {recipe['images']:,}")
    if (dropout := float(trial["dropout"])) != theirs.dropout and theirs.dropout is not None:
        said.append(f"dropout: {dropout:.3g}, {theirs.dropout:g}")
    said += [
        f"{name}: {_shown(trial[name])}, {_shown(recipe[name])}"
        for name in _LEAVES
        if not _same(trial[name], recipe[name])
    ]
    drops = trial["lr_drops"]
    if drops is not None and tuple(float(drop) for drop in drops) != recipe["lr_drops"]:
        said.append(f"lr_drops: {_shown(tuple(drops))}, {_shown(recipe['lr_drops'])}")
    for name, own, paper in (
        ("preprocessing", dataset.preprocessing, theirs.preprocessing),
        ("augmentation", dataset.augmentation, recipe["augmentation"]),
    ):
        if own != paper:
            said.append(f"{name}: {own or 'not known'}, {paper}")
    if recipe["augmentation"] == dataset.augmentation == "flip_crop":
        said.append("crop: a window drawn for each image, one for all images of a batch")
    said.append(_init(theirs, str(trial["init"])))
    said.append("linear layer: begins normal with deviation sqrt(2 / inputs), uniform up to 1 / sqrt(inputs)")
    said.append(f"source of the images: {_source(material, int(trial['source']))}, the authors' Torch files")
    said.append(
        "batch norm: weights begin at 1 and momentum is kept at drops, drawn from U(0, 1) and restarted"
    )
    return tuple(text for text in said if text)


def _init(theirs: Published, ours: str) -> str:
    if theirs.table in _FAN_OUT_TABLES:
        return f"init: {ours}, fan_out or fan_in (not recorded: the authors changed it meanwhile)"
    return "" if ours == "fan_in" else f"init: {ours}, fan_in"


def _source(material: Material, source: int) -> str:
    space = material.sources[source].space
    root = space.dataset.root if space is not None else None
    return f"torchvision's files under {root}" if root else "torchvision's files"


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, str):
        return bool(ours == theirs)
    return abs(float(ours) - theirs) <= 1e-9 * max(1.0, abs(theirs)) if ours is not None else False


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "/".join(f"{item:g}" for item in value)
    return value if isinstance(value, str) else f"{value:.4g}"
