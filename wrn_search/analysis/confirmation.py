"""What `confirm` left under RESULTS/confirm: its finalists with fresh seeds, beside what the search had seen."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wrn_search.analysis.input_tables.joined_tables import KEY, Material, keyed
from wrn_search.analysis.input_tables.shared_values import Interval
from wrn_search.analysis.input_tables.source_directories import Source, read_source
from wrn_search.analysis.statistics.errors_by_class import ClassError, errors_by_class
from wrn_search.analysis.statistics.fresh_seeds import coverage, fresh_spread
from wrn_search.errors import InputError
from wrn_search.networks.architecture import Architecture
from wrn_search.results.events import KINDS
from wrn_search.results.table_reader import read_tables
from wrn_search.results.trial_selection import FRESH_MEDIAN, Order, Repeat, standing_of
from wrn_search.results.trial_state import FINAL

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "confirm"
# A finalist may be retrained for more epochs, and in the arithmetic of another machine.
_KEY = tuple(leaf for leaf in KEY if leaf not in ("epochs", "precision"))


@dataclass(frozen=True)
class Finalist:
    """A configuration that `confirm` retrained with fresh seeds. Tuples are (median, lowest, highest), percent."""

    network: str
    number: int | None  # of the search's trial
    search_error: float | None  # what the search had seen: the median of its repeats
    val_errors: tuple[float, ...]  # fresh seeds, the search's own split
    val_summary: tuple[float, float, float] | None
    winners_curse: float | None  # median of `val_errors` minus `search_error`
    test_errors: tuple[float, ...]  # retrained on train and validation
    test_summary: tuple[float, float, float] | None
    coverage: float | None  # percent: how surely the range covers the median, 100 (1 - 2^(1-n))
    is_winner: (
        bool  # by the lowest median of `val_errors`, once all are there; in older ones by `search_error`
    )
    trial: int | None = None  # place of the search's trial in `Findings.trials`
    not_completed: int = (
        0  # retrainings that diverged, failed or have not ended: in no error above, but counted
    )
    curse_interval: Interval | None = None  # 95 % of `winners_curse`, for all finalists together
    above_winner: float | None = None  # median of `val_errors` minus the winner's, points
    above_interval: Interval | None = None  # 95 % of it, for all pairs of finalists together
    classes: tuple[ClassError, ...] = ()  # the test errors class by class; none in older confirmations


@dataclass(frozen=True)
class Confirm:
    """What `confirm` found, all its finalists."""

    finalists: tuple[Finalist, ...]  # the winner first
    test_reads: int | None  # how often test files were read, by the manifest
    note: str
    named: bool = False  # the finalists, by the user and not by validation
    by_fresh_median: bool = False  # how the winner is named; older versions took the search's own errors


def confirm_of(material: Material) -> tuple[Confirm | None, tuple[str, ...]]:
    """(what was confirmed, or None where nothing was; notes on what cannot be read)."""
    finalists: list[Finalist] = []
    notes: list[str] = []
    reads: list[int] = []
    lengths: set[int] = set()  # epochs of the retrainings' schedules
    named = found = by_fresh_median = False
    for place, source in enumerate(material.sources):
        folder = source.directory.path / FOLDER
        if not folder.is_dir():
            continue
        try:
            trials = read_tables(folder)[0].to_pandas()
        except InputError as error:
            notes.append(f"{FOLDER}: {error.problems[0].text}")
            continue
        found = True
        confirmation = read_source(folder)
        fresh = confirmation.fact("confirms", "winner") == FRESH_MEDIAN
        by_fresh_median = by_fresh_median or fresh
        finalists += _finalists(trials, material, place, confirmation, fresh)
        named = named or confirmation.fact("confirms", "rule") == "trials"
        lengths |= set(trials["epochs"].dropna().astype(int))
        reads += _test_reads(confirmation)
    if not found:
        return None, tuple(notes)
    note = _note(finalists, lengths, material.max_epochs)
    total = sum(reads) if reads else None
    return Confirm(tuple(finalists), total, note, named, by_fresh_median), tuple(notes)


def _note(finalists: list[Finalist], lengths: set[int], max_epochs: int) -> str:
    """What must be known beside the errors."""
    if not any(finalist.val_errors or finalist.test_errors for finalist in finalists):
        return "No finalist has been retrained yet."
    if lengths == {max_epochs}:
        return ""
    retrained = " or ".join(map(str, sorted(lengths)))
    return (
        f"Retrained for {retrained} epochs, while the search trained for {max_epochs}: "
        "the winner's curse holds both luck and length."
    )


def _finalists(
    trials: pd.DataFrame, material: Material, place: int, confirmation: Source, by_fresh_median: bool
) -> list[Finalist]:
    """One for each retrained configuration, the winner first.

    The manifest of the confirmation names the searches' trials in the order of the choice. Without it, and for those of
    searches that are not read, the order is that of the first retraining, which begins with the winner, too.
    """
    order = _order(material, place, confirmation)
    read = {source for source, _ in order} | {place}
    searched = material.trials[material.trials["source"].isin(read)]
    before = _by_configuration(searched)
    retrained = _by_configuration(trials.sort_values("number"))
    only = confirmation.fact("confirms", "only")
    found = []
    for nth, (key, rows) in enumerate(retrained.items()):
        seen = searched.loc[before.get(key, [])]
        finalist = _finalist(trials.loc[rows], seen, order, material.dataset.chance_error)
        finalist = replace(finalist, classes=_classes(trials.loc[rows], confirmation))
        known = None if finalist.trial is None else _trial(material.trials, finalist.trial)
        chosen = nth if known is None else order.get(known, len(order) or nth)
        found.append((_standing(trials.loc[rows], material.dataset.chance_error, only), chosen, finalist))
    ordered = sorted(found, key=lambda each: each[1])
    is_named = bool(ordered)
    if by_fresh_median:
        repeats = confirmation.fact("confirms", "repeats")
        is_named = len(ordered) >= len(order) and all(
            _has_ended(trials.loc[rows], repeats, only) for rows in retrained.values()
        )
        if is_named:
            ordered.sort(key=lambda each: (each[0] is None, each[0] or (), each[1]))
    return _with_intervals([each for *_, each in ordered], is_named)


def _standing(rows: pd.DataFrame, chance: float | None, only: object) -> Order | None:
    """How its fresh seeds rank, by the rule that `confirm` and `export` rank by."""
    rows = rows.sort_values("number")
    fresh = [
        Repeat(int(row.number), row.status, int(row.epochs_done), row.val_error, row.status == "diverged")
        for row in _on_the_split(rows, only).itertuples()
    ]
    params = int(rows["num_params"].iloc[0])
    found = standing_of(fresh, 100.0 if chance is None else chance, params) if fresh else None
    return found.order if found else None


def _on_the_split(rows: pd.DataFrame, only: object) -> pd.DataFrame:
    """Retrainings on the search's own images: of each finalist the even one of its configurations, if it has two."""
    kinds = (only,) if only in KINDS else KINDS
    known = rows[rows["configuration"].notna()]  # tables of the first version have none
    wanted = [kinds[int(each) % len(kinds)] == "split" for each in known["configuration"]]
    return known.loc[wanted].sort_values("number")


def _has_ended(rows: pd.DataFrame, repeats: object, only: object) -> bool:
    split = _on_the_split(rows, only)
    enough = len(split) >= repeats if type(repeats) is int else True
    return enough and bool(split["status"].isin(FINAL).all())


def _with_intervals(ordered: list[Finalist], is_named: bool) -> list[Finalist]:
    """The winner marked, and what the spread of all fresh seeds says."""
    spread = fresh_spread([each.val_errors for each in ordered])
    found = []
    for nth, each in enumerate(ordered):
        curse = above = above_interval = None
        median = each.val_summary[0] if each.val_summary else None
        if spread and median is not None and each.search_error is not None:
            low, high = spread.of_median(median, len(each.val_errors))
            curse = low - each.search_error, high - each.search_error
        best = ordered[0].val_summary
        if is_named and nth and median is not None and best is not None:
            above = median - best[0]
            if spread:
                above_interval = spread.of_difference(above, len(each.val_errors), len(ordered[0].val_errors))
        found.append(
            replace(
                each,
                is_winner=is_named and nth == 0,
                curse_interval=curse,
                above_winner=above,
                above_interval=above_interval,
            )
        )
    return found


def _order(material: Material, place: int, confirmation: Source) -> dict[tuple[int, int], int]:
    """(source, number) of each finalist's trial -> its place in the choice, as far as the manifest tells.

    Versions that knew one search alone name no searches: then it is the one that holds the confirmation.
    """
    numbers, searches = confirmation.fact("confirms", "trials"), confirmation.fact("confirms", "sources")
    if not isinstance(numbers, list):
        return {}
    ids = {each.started.search_id: at for at, each in enumerate(material.sources) if each.started is not None}
    if not isinstance(searches, list) or len(searches) != len(numbers):
        return {(place, number): nth for nth, number in enumerate(numbers)}
    told = [(ids.get(search), number) for search, number in zip(searches, numbers, strict=True)]
    return {(source, number): nth for nth, (source, number) in enumerate(told) if source is not None}


def _trial(trials: pd.DataFrame, row: int) -> tuple[int, int]:
    return int(trials.at[row, "source"]), int(trials.at[row, "number"])


def _by_configuration(rows: pd.DataFrame) -> dict[tuple[object, ...], list[int]]:
    """Index of the rows of each set of hyperparameters, in their order."""
    found: dict[tuple[object, ...], list[int]] = {}
    for row in rows[list(_KEY)].itertuples(name=None):
        found.setdefault(tuple(keyed(value) for value in row[1:]), []).append(row[0])
    return found


def _finalist(
    rows: pd.DataFrame, searched: pd.DataFrame, order: dict[tuple[int, int], int], chance: float | None
) -> Finalist:
    """Retrainings with a test error had all images to train on; the others the search's own split."""
    first, full = rows.iloc[0], rows[rows["status"] == "completed"]
    test = full["test_error"].dropna().tolist()
    val = full.loc[full["test_error"].isna(), "val_error"].dropna().tolist()
    seen = searched.loc[searched["status"] == "completed", "val_error"].tolist()
    seen += [] if chance is None else [chance] * int((searched["status"] == "diverged").sum())
    search_error = statistics.median(seen) if seen else None
    places = sorted(searched.index, key=lambda row: order.get(_trial(searched, row), len(order)))
    return Finalist(
        network=Architecture.of(
            int(first["depth"]), float(first["widen_factor"]), first["block"], first["family"]
        ).name,
        number=int(searched.at[places[0], "number"]) if places else None,
        search_error=search_error,
        val_errors=tuple(val),
        val_summary=_summary(val),
        winners_curse=statistics.median(val) - search_error if val and search_error is not None else None,
        test_errors=tuple(test),
        test_summary=_summary(test),
        coverage=coverage(len(test or val)) if test or val else None,
        is_winner=False,
        trial=int(places[0]) if places else None,
        not_completed=len(rows) - len(full),
    )


def _classes(rows: pd.DataFrame, confirmation: Source) -> tuple[ClassError, ...]:
    """Of completed retrainings with a test error."""
    names = confirmation.fact("dataset", "class_names")
    full = rows[(rows["status"] == "completed") & rows["test_images_by_class"].notna()]
    counted = [
        {"images": list(images), "wrong": list(wrong)}
        for images, wrong in zip(full["test_images_by_class"], full["test_wrong_by_class"], strict=True)
    ]
    return errors_by_class(list(map(str, names)) if isinstance(names, list) else [], counted)


def _summary(values: list[float]) -> tuple[float, float, float] | None:
    """(median, lowest, highest)."""
    return (statistics.median(values), min(values), max(values)) if values else None


def _test_reads(confirmation: Source) -> list[int]:
    """How often test files were read: the manifest has an entry for each time."""
    reads = confirmation.fact("test_reads")
    return [len(reads)] if isinstance(reads, list) else []
