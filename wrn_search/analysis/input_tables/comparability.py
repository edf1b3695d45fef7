"""Which searches may be told together: errors are compared on the same images, at equal epochs, in one arithmetic."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.input_tables.shared_values import Dataset
from wrn_search.analysis.input_tables.source_directories import Source
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.stratified_split import same_split
from wrn_search.errors import Problem

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = {
    "dataset": "one data set",
    "epochs": "equal epochs (rule 2 of an honest search)",
    "precision": "one precision",
}
_SETTINGS = ("extra", "validation", "preprocessing", "augmentation", "train_images")


def incomparable(trials: pd.DataFrame, sources: tuple[Source, ...]) -> list[Problem]:
    """Why the errors of these trials cannot be ranked together; empty if they can."""
    problems = _copies(sources)
    for name, rule in _COLUMNS.items():
        values = {
            source: sorted(set(rows.dropna()), key=str) for source, rows in trials.groupby("source")[name]
        }
        problems += _differences(name, rule, _by_value(values, sources))
    for name, rule, told in _told_by_files(sources):
        problems += _differences(name, rule, told)
    return problems


def dataset_of(trials: pd.DataFrame, sources: tuple[Source, ...]) -> Dataset:
    """The images of these trials, by the manifest, else by the space, else by what is known of the name."""
    name = str(trials["dataset"].iloc[0])
    facts = DATASETS[name].facts if name in DATASETS else None
    settings = next((source.space.dataset for source in sources if source.space is not None), None)
    started = next((source.started for source in sources if source.started is not None), None)
    classes = _first(sources, "num_classes", int) or (facts.num_classes if facts else None)
    chance = started.chance_error if started else (100 * (1 - 1 / classes) if classes else None)
    shape = _first(sources, "image_shape", list) or (facts.image_shape if facts else None)
    return Dataset(
        name=name,
        validation_images=_first(sources, "validation_images", int)
        or (settings.validation if settings else None),
        train_images=_first(sources, "train_images", int),
        num_classes=classes,
        image_shape=(shape[0], shape[1], shape[2]) if shape and len(shape) == 3 else None,
        chance_error=chance,
        split_hash=started.split_hash or None if started else None,
        preprocessing=settings.preprocessing if settings else None,
        augmentation=settings.augmentation if settings else None,
    )


def _copies(sources: tuple[Source, ...]) -> list[Problem]:
    """Trials that are read twice would be counted twice, as if they were other seeds."""
    ids: dict[str, Source] = {}
    problems = []
    for source in sources:
        if source.started is None:
            continue
        first = ids.setdefault(source.started.search_id, source)
        if first is not source:
            text = f"every search must be named once, but this is a copy of {first.directory.path}"
            problems.append(Problem("", text, str(source.directory.path)))
    return problems


def _first(sources: tuple[Source, ...], key: str, kind: type) -> Any:
    """The first source's fact about the data set that is of this type."""
    facts = (source.fact("dataset", key) for source in sources)
    return next((fact for fact in facts if isinstance(fact, kind) and not isinstance(fact, bool)), None)


def _told_by_files(sources: tuple[Source, ...]) -> Iterator[tuple[str, str, dict[Hashable, list[str]]]]:
    """(what, rule, value -> directories) of what only the files beside the tables tell."""
    split: dict[Hashable, list[str]] = {}
    settings: dict[str, dict[Hashable, list[str]]] = {name: {} for name in _SETTINGS}
    for source in sources:
        path = str(source.directory.path)
        if source.started is not None and source.started.split_hash:
            hashed = source.started.split_hash
            # A record of before the pixels were hashed is not known to be of others.
            known = (old for old in split if same_split(str(old), hashed) or same_split(hashed, str(old)))
            split.setdefault(next(known, hashed), []).append(path)
        if source.space is not None:
            for name in _SETTINGS:
                settings[name].setdefault(getattr(source.space.dataset, name), []).append(path)
    # A split that differs follows from settings that differ: the cause is named alone.
    differing = {name: told for name, told in settings.items() if len(told) > 1}
    for name, told in differing.items():
        yield f"dataset.{name}", f"one dataset.{name}", told
    if not differing:
        yield "split", "the same validation images (hash of the split)", split


def _by_value(values: dict[Any, list[Hashable]], sources: tuple[Source, ...]) -> dict[Hashable, list[str]]:
    told: dict[Hashable, list[str]] = {}
    for source, found in values.items():
        for value in found:
            told.setdefault(value, []).append(str(sources[source].directory.path))
    return told


def _differences(name: str, rule: str, told: dict[Hashable, list[str]]) -> list[Problem]:
    if len(told) < 2:
        return []
    got = "; ".join(f"{value} in {', '.join(paths)}" for value, paths in told.items())
    several = len({path for paths in told.values() for path in paths}) > 1
    hint = "; report them one by one" if several else ""
    return [Problem(name, f"trials that are compared must have {rule}, but got {got}{hint}")]
