"""Provenance: what made each search, from its files, and how it searched and stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.input_tables.joined_tables import Material, varying
from wrn_search.analysis.input_tables.shared_values import Change, Search
from wrn_search.analysis.input_tables.source_directories import Source, text_of
from wrn_search.space.rules.broken_rule import spelled

if TYPE_CHECKING:
    import pandas as pd

MAX_TEXT = 200_000  # characters of a space file on the page


@dataclass(frozen=True)
class Provenance:
    """What made one search."""

    search: str
    path: str
    search_id: str | None
    space_text: str | None  # the space file as given; to be escaped
    resolved_text: str | None
    versions: dict[str, str | None]
    hardware: dict[str, Any]
    git: dict[str, Any] | None
    command: tuple[str, ...]
    seed: int | None
    created_at: str | None
    wall_hours: float | None  # from the first start of a trial to the last end
    train_hours: float
    devices: tuple[str, ...]
    nodes: tuple[str, ...]
    precision: str | None
    threads: int | None
    class_names: tuple[str, ...] = ()  # by label; none where an older version wrote the manifest
    missing: tuple[str, ...] = field(
        default=()
    )  # files that are not there or cannot be read, with the reason


def searches_of(material: Material) -> tuple[Search, ...]:
    """Each search in the order of the directories."""
    return tuple(
        _search(material, source, material.trials[material.trials["source"] == place])
        for place, source in enumerate(material.sources)
    )


def provenance_of(material: Material) -> tuple[Provenance, ...]:
    """What made each search; what a missing file would have told is None."""
    return tuple(
        _provenance(source, material.trials[material.trials["source"] == place])
        for place, source in enumerate(material.sources)
    )


def name_of(source: Source, trials: pd.DataFrame) -> str:
    """The search's name, else that of its directory."""
    if len(trials):
        return str(trials["search"].iloc[0])
    return source.space.name if source.space is not None else source.directory.path.name


def _search(material: Material, source: Source, trials: pd.DataFrame) -> Search:
    settings = source.space.search if source.space is not None else None
    rungs = source.fact("rungs")
    known = isinstance(rungs, list) and all(type(rung) is int for rung in rungs)
    return Search(
        name=name_of(source, trials),
        path=str(source.directory.path),
        searcher=" then ".join(source.searchers) or None,
        scheduler=" then ".join(source.schedulers) or None,
        repeats=settings.repeats if settings else int(trials["repeat"].max() + 1) if len(trials) else 1,
        adaptive=source.adaptive,
        state=source.state,
        trials=len(trials),
        # A resumed search may have a smaller space than its first trials.
        trials_planned=None if source.trials_planned is None else max(source.trials_planned, len(trials)),
        searched=_searched(material, source, trials),
        rungs=tuple(rungs) if known else (),
        spending=source.spending,
        changes=tuple(
            Change(str(each.get("at", "")), key, spelled(was), spelled(now))
            for each in source.changes
            for key, (was, now) in each["changed"].items()
        ),
    )


def _searched(material: Material, source: Source, trials: pd.DataFrame) -> tuple[str, ...]:
    """Hyperparameters of one search, as far as known; those of all where nothing tells."""
    if source.searched is None:
        return material.hyperparameters
    names = {*source.searched, *varying(trials)}
    return tuple(name for name in material.hyperparameters if name in names)


def _provenance(source: Source, trials: pd.DataFrame) -> Provenance:
    begun, over = trials["started_at"].min(), trials["finished_at"].max()
    wall = (over - begun).total_seconds() / 3600 if begun == begun and over == over else None
    command, seed = source.fact("command"), source.fact("seeds", "search")
    return Provenance(
        search=name_of(source, trials),
        path=str(source.directory.path),
        search_id=_text(source.fact("search_id")) or (source.started.search_id if source.started else None),
        space_text=_short(text_of(source.directory.space_file)),
        resolved_text=_short(text_of(source.directory.resolved)),
        versions={str(k): _text(v) for k, v in _mapping(source.fact("versions")).items()},
        hardware=_mapping(source.fact("hardware")),
        git=_mapping(source.fact("git")) or None,
        command=tuple(str(part) for part in command) if isinstance(command, list) else (),
        seed=seed if type(seed) is int else None,
        created_at=_text(source.fact("created_at")),
        wall_hours=wall if wall is None or wall >= 0 else None,
        train_hours=float(trials["train_seconds"].fillna(0.0).sum()) / 3600,
        devices=_distinct(trials["device"]),
        nodes=_distinct(trials["node"]),
        precision=_text(source.fact("precision")) or next(iter(_distinct(trials["precision"])), None),
        threads=source.fact("threads") if type(source.fact("threads")) is int else None,
        class_names=_texts(source.fact("dataset", "class_names")),
        missing=source.missing,
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _distinct(column: pd.Series) -> tuple[str, ...]:
    return tuple(sorted({value for value in column if isinstance(value, str)}))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_TEXT else text[:MAX_TEXT] + "\n... (cut)"
