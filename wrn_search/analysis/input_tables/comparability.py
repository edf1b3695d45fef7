"""Which searches may be told together: errors are compared on the same images, at equal epochs, in one arithmetic."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.input_tables.shared_values import Dataset
from wrn_search.analysis.input_tables.source_directories import Source
from wrn_search.datasets.dataset_table import DATASETS
from wrn_search.datasets.stratified_split import same_split
from wrn_search.errors import Problem
from wrn_search.results.state_from_events import SearchState
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.space.sections.crop_padding import CROPPING

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = {
    "dataset": "one data set",
    "epochs": "equal epochs (rule 2 of an honest search)",
    "precision": "one precision",
    "linear_precision": "one precision of the last layer",
}
_SETTINGS = (
    "extra",
    "validation",
    "preprocessing",
    "augmentation",
    "train_images",
    "sampling",
    "crop_padding",
)


@dataclass(frozen=True)
class Compared:
    """What of a search must be as it is in the others."""

    path: str
    search_id: str | None  # None, like an empty hash or no settings, where nothing tells
    values: Mapping[str, Sequence[Hashable]]  # dataset, epochs, precision -> each that its trials have
    split_hash: str
    settings: Mapping[str, Hashable] | None  # of its data set


def settings_of(dataset: DatasetSettings, image_shape: Any) -> dict[str, Hashable]:
    """What decides on which images errors are counted, and how they are prepared.

    Args:
        dataset: of a search.
        image_shape: height, width and channels as its record tells them, if it does.
    """
    settings: dict[str, Hashable] = {name: getattr(dataset, name) for name in _SETTINGS[:-1]}
    padding: Hashable = dataset.crop_padding
    if isinstance(image_shape, Sequence) and len(image_shape) == 3:
        padding = dataset.padding_of((int(image_shape[0]), int(image_shape[1]), int(image_shape[2])))
    return settings | {_SETTINGS[-1]: padding if dataset.augmentation in CROPPING else None}


def image_shape_on_record(state: SearchState) -> Any:
    """Height, width and channels of a search's images, as its sessions told them; None where none did."""
    told = [session.details.get("dataset") for _, session in state.sessions]
    return next((each.get("image_shape") for each in told if isinstance(each, dict)), None)


def differences(searches: Sequence[Compared], command: str = "report") -> list[Problem]:
    """Why the errors of these searches cannot be ranked together; empty if they can. `command` can take them apart."""
    problems = _copies(searches)
    for name, rule in _COLUMNS.items():
        told: dict[Hashable, list[str]] = {}
        for search in searches:
            for value in search.values[name]:
                told.setdefault(value, []).append(search.path)
        problems += _differences(name, rule, told, command)
    for name, rule, told in _told_by_files(searches):
        problems += _differences(name, rule, told, command)
    return problems


def incomparable(trials: pd.DataFrame, sources: tuple[Source, ...]) -> list[Problem]:
    """The same of the joined trials of results directories."""
    return differences(compared_of(trials, sources))


def compared_of(trials: pd.DataFrame, sources: tuple[Source, ...]) -> list[Compared]:
    """What of each results directory must be as it is in the others."""
    values: dict[str, dict[Any, Iterable[Any]]] = {
        name: {place: set(rows.dropna()) for place, rows in trials.groupby("source")[name]}
        for name in _COLUMNS
    }
    return [
        Compared(
            path=str(source.directory.path),
            search_id=source.started.search_id if source.started else None,
            values={name: sorted(values[name].get(place, ()), key=str) for name in _COLUMNS},
            split_hash=source.started.split_hash if source.started else "",
            settings=settings_of(source.space.dataset, source.fact("dataset", "image_shape"))
            if source.space is not None
            else None,
        )
        for place, source in enumerate(sources)
    ]


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
        or (settings.held_out(settings.facts) if settings else None),
        train_images=_first(sources, "train_images", int),
        num_classes=classes,
        image_shape=(shape[0], shape[1], shape[2]) if shape and len(shape) == 3 else None,
        chance_error=chance,
        split_hash=started.split_hash or None if started else None,
        preprocessing=settings.preprocessing if settings else None,
        augmentation=settings.augmentation if settings else None,
        sampling=settings.sampling if settings else None,
        crop_padding=_pixels(settings_of(settings, shape)["crop_padding"]) if settings else None,
    )


def _pixels(padding: Hashable) -> int | None:
    """None for `auto` of images whose size nobody knows, and where nothing is cropped."""
    return padding if isinstance(padding, int) else None


def _copies(searches: Sequence[Compared]) -> list[Problem]:
    """Trials that are read twice would be counted twice, as if they were other seeds."""
    ids: dict[str, Compared] = {}
    problems = []
    for search in searches:
        if search.search_id is None:
            continue
        first = ids.setdefault(search.search_id, search)
        if first is not search:
            text = f"every search must be named once, but this is a copy of {first.path}"
            problems.append(Problem("", text, search.path))
    return problems


def _first(sources: tuple[Source, ...], key: str, kind: type) -> Any:
    """The first source's fact about the data set that is of this type."""
    facts = (source.fact("dataset", key) for source in sources)
    return next((fact for fact in facts if isinstance(fact, kind) and not isinstance(fact, bool)), None)


def _told_by_files(
    searches: Sequence[Compared],
) -> Iterator[tuple[str, str, dict[Hashable, list[str]]]]:
    """(what, rule, value -> directories) of what only the files beside the tables tell."""
    split: dict[Hashable, list[str]] = {}
    settings: dict[str, dict[Hashable, list[str]]] = {name: {} for name in _SETTINGS}
    for search in searches:
        if hashed := search.split_hash:
            # A record of before the pixels were hashed is not known to be of others.
            known = (old for old in split if same_split(str(old), hashed) or same_split(hashed, str(old)))
            split.setdefault(next(known, hashed), []).append(search.path)
        for name, value in (search.settings or {}).items():
            settings[name].setdefault(value, []).append(search.path)
    # A split that differs follows from settings that differ: the cause is named alone.
    differing = {name: told for name, told in settings.items() if len(told) > 1}
    for name, told in differing.items():
        yield f"dataset.{name}", f"one dataset.{name}", told
    if not differing:
        yield "split", "the same validation images (hash of the split)", split


def _differences(name: str, rule: str, told: dict[Hashable, list[str]], command: str) -> list[Problem]:
    if len(told) < 2:
        return []
    got = "; ".join(f"{value} in {', '.join(paths)}" for value, paths in told.items())
    several = len({path for paths in told.values() for path in paths}) > 1
    hint = f"; {command} them one by one" if several else ""
    return [Problem(name, f"trials that are compared must have {rule}, but got {got}{hint}")]
