"""What `confirm` left under RESULTS/confirm: its finalists with fresh seeds, beside what the search had seen."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.analysis.background import Confirm, Finalist
from wrn_search.analysis.material import Material
from wrn_search.analysis.sources import read_source
from wrn_search.results.reader import read_tables
from wrn_search.space.architecture import Architecture
from wrn_search.space.errors import InputError
from wrn_search.space.trial_config import LEAVES

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "confirm"
# A finalist is retrained at its own length, in the arithmetic of the machine.
_KEY = tuple(leaf for leaf in LEAVES if leaf not in ("epochs", "precision", "compile", "lr_drops"))


def confirm_of(material: Material) -> tuple[Confirm | None, tuple[str, ...]]:
    """(what was confirmed, or None where nothing was; notes on what cannot be read)."""
    finalists: list[Finalist] = []
    notes: list[str] = []
    reads: list[int] = []
    found = False
    for place, source in enumerate(material.sources):
        folder = source.directory.path / FOLDER
        if not folder.is_dir():
            continue
        try:
            trials = read_tables(folder)[0].to_pandas()
        except InputError as error:
            notes.append(f"{folder.name}: {error.problems[0].text}")
            continue
        found = True
        finalists += _finalists(trials, material.completed[material.completed["source"] == place])
        reads += _test_reads(folder, source.manifest)
    if not found:
        return None, tuple(notes)
    note = "" if finalists else "No finalist has ended yet."
    return Confirm(tuple(finalists), sum(reads) if reads else None, note), tuple(notes)


def _finalists(trials: pd.DataFrame, searched: pd.DataFrame) -> list[Finalist]:
    """One for each retrained configuration, the lowest search error first; that one is the winner."""
    ended = trials[trials["status"] == "completed"]
    finalists = []
    for _, rows in ended.groupby(list(_KEY), dropna=False, sort=False):
        same = searched
        for leaf in _KEY:
            value = rows[leaf].iloc[0]
            same = same[(same[leaf] == value) | (same[leaf].isna() & (value != value))]
        first = rows.iloc[0]
        search_error = statistics.median(same["val_error"]) if len(same) else None
        tested = rows[rows["test_error"].notna()]
        fresh = rows[rows["test_error"].isna() & rows["val_error"].notna()]
        val, test = fresh["val_error"].tolist(), tested["test_error"].tolist()
        finalists.append(
            Finalist(
                network=Architecture.of(
                    int(first["depth"]), float(first["widen_factor"]), first["block"]
                ).name,
                number=int(same["number"].iloc[0]) if len(same) else None,
                search_error=search_error,
                val_errors=tuple(val),
                val_summary=_summary(val),
                winners_curse=statistics.fmean(val) - search_error
                if val and search_error is not None
                else None,
                test_errors=tuple(test),
                test_summary=_summary(test),
                coverage=100 * (1 - 2.0 ** (1 - len(test or val))) if test or val else None,
                is_winner=False,
            )
        )
    return _with_winner(finalists)


def _with_winner(finalists: list[Finalist]) -> list[Finalist]:
    """The winner is the one that the search's validation named, whatever the test split said."""
    ordered = sorted(finalists, key=lambda f: (f.search_error is None, f.search_error or 0.0, f.network))
    return [
        Finalist(**{**vars(f), "is_winner": place == 0 and f.search_error is not None})
        for place, f in enumerate(ordered)
    ]


def _summary(values: list[float]) -> tuple[float, float, float] | None:
    """(median, lowest, highest)."""
    return (statistics.median(values), min(values), max(values)) if values else None


def _test_reads(folder: Path, manifest: dict[str, Any]) -> list[int]:
    """How often test files were read, by the manifest of `confirm`, else of the search."""
    for told in (read_source(folder).manifest, manifest):
        reads = told.get("test_reads")
        if type(reads) is int:
            return [reads]
        if isinstance(reads, list):
            return [len(reads)]
    return []
