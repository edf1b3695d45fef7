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
from wrn_search.space.sections.crop_padding import BEFORE
from wrn_search.space.sections.recipes import RECIPES as PRESETS
from wrn_search.space.sections.training_keys import RecipeOfThePaper, TrainingSettings
from wrn_search.space.trial_config import LATER_LEAVES

if TYPE_CHECKING:
    import pandas as pd

_COMPARED = (
    *("epochs", "batch_size", "learning_rate", "momentum", "weight_decay", "weight_decay_on", "lr_schedule"),
    *("lr_drops", "lr_drop_factor"),
)


def _recipe(preset: str, augmentation: str, images: int) -> dict[str, Any]:
    """What of the authors' recipe is compared; their training images are all of the split."""
    values = {name: PRESETS[preset][f"training.{name}"] for name in _COMPARED}
    told = {"precision": "fp32", "augmentation": augmentation, "images": images}
    return values | {"lr_drops": tuple(values["lr_drops"])} | told


_CIFAR = _recipe("paper_cifar", "flip_crop", 50_000)
_SVHN = _recipe("paper_svhn", "none", 73_257 + SVHN_DATASET.facts.extra_images)
RECIPES: dict[str, Mapping[str, Any]] = {"cifar10": _CIFAR, "cifar100": _CIFAR, "svhn": _SVHN}
_LEAVES = tuple(name for name in _CIFAR if name not in ("augmentation", "images", "lr_drops"))
# Of today's recipes: off in the paper's.
_TODAY = (
    *(name for name in TrainingSettings.model_fields if name not in RecipeOfThePaper.model_fields),
    *("linear_precision", "init_from", "freeze"),
)
_OFF = {"clip_norm": "none", "nesterov": "true"}  # in words, where the default is none that tells
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
                    differences=recipe_differences(theirs, trial, material, len(ours.completed)),
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


def recipe_differences(theirs: Published, trial: pd.Series, material: Material, n: int) -> tuple[str, ...]:
    """Each difference as `what: ours, the paper's`, of a trial whose configuration has n seeds."""
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
        ("preprocessing", _spelt(dataset.preprocessing), theirs.preprocessing),
        ("augmentation", _spelt(dataset.augmentation), recipe["augmentation"]),
    ):
        if own != paper:
            said.append(f"{name}: {own or 'not known'}, {paper}")
    if recipe["augmentation"] == _spelt(dataset.augmentation) and dataset.crop_padding not in (None, BEFORE):
        said.append(f"crop_padding: {dataset.crop_padding} pixels, {BEFORE}")
    if dataset.sampling == "balanced":
        said.append("sampling: each class equally often in an epoch, each image once")
    if recipe["augmentation"] == dataset.augmentation == "flip_crop":
        said.append("crop: a window drawn for each image, one for all images of a batch")
    said.append(_init(theirs, str(trial["init"])))
    if trial["linear_init"] != "uniform":
        said.append(
            "linear layer: begins normal with deviation sqrt(2 / inputs), uniform up to 1 / sqrt(inputs)"
        )
    if trial["last_batch"] != "drop":
        said.append("last batch of an epoch: a smaller one is kept, dropped")
    said += _of_today(trial)
    said.append(f"source of the images: {_source(material, int(trial['source']))}, the authors' Torch files")
    said.append(_norms_and_momentum(str(trial["bn_weight"]), str(trial["momentum_at_drops"])))
    return tuple(text for text in said if text)


def _of_today(trial: pd.Series) -> list[str]:
    """Keys of today's recipes that are not off: the authors had none of them."""
    on = {name: trial[name] for name in _TODAY if trial[name] is not None}
    return [
        f"{name}: {str(ours).lower() if name == 'nesterov' else _shown(ours)}, {_off(name)}"
        for name, ours in on.items()
        if ours == ours and ours != LATER_LEAVES[name]  # NaN is null
    ]


def _off(name: str) -> str:
    return _OFF.get(name) or _shown(LATER_LEAVES[name])


def _norms_and_momentum(bn_weight: str, momentum_at_drops: str) -> str:
    if (bn_weight, momentum_at_drops) == ("one", "keep"):
        return (
            "batch norm: weights begin at 1 and momentum is kept at drops, drawn from U(0, 1) and restarted"
        )
    if bn_weight == "one":
        return "batch norm: weights begin at 1, drawn from U(0, 1)"
    return "momentum: kept at drops, restarted" if momentum_at_drops == "keep" else ""


def _spelt(name: str | None) -> str | None:
    """As the paper's are named here: its own mean and deviation, and its crop of a batch, are the paper's."""
    return {"meanstd_cifar10": "meanstd", "flip_crop_batch": "flip_crop"}.get(name or "", name)


def _init(theirs: Published, ours: str) -> str:
    if theirs.table in _FAN_OUT_TABLES:
        return f"init: {ours}, fan_out or fan_in (not recorded: the authors changed it meanwhile)"
    return "" if ours == "fan_in" else f"init: {ours}, fan_in"


_FILES = {
    "folder": "image files",
    "parquet": "Parquet files",
    "huggingface": "Arrow files",
}  # of other data sets torchvision's


def _source(material: Material, source: int) -> str:
    space = material.sources[source].space
    root = space.dataset.root if space is not None else None
    files = _FILES.get(space.dataset.name if space is not None else "", "torchvision's files")
    return f"{files} under {root}" if root else files


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, str):
        return bool(ours == theirs)
    return abs(float(ours) - theirs) <= 1e-9 * max(1.0, abs(theirs)) if ours is not None else False


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "/".join(f"{item:g}" for item in value)
    return value if isinstance(value, str) else f"{value:.4g}"
