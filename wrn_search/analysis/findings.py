"""Findings: everything that the report says, as one frozen value, from one or several results directories.

`findings_of` reads; `to_json` gives the numbers for `report --json`. The page draws this value and computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrn_search.analysis.background import Confirm, Counts, Paper, Provenance, Reason
from wrn_search.analysis.details import Curves, Edf, Importance, Rungs, Slice
from wrn_search.analysis.quantities import Answer, CellMap, Dataset, IsoParams, Pareto, Search, Trial


@dataclass(frozen=True)
class Findings:
    """What one or several searches over the same images found; its parts: `quantities`, `details`, `background`."""

    title: str  # the searches' names
    searches: tuple[Search, ...]
    dataset: Dataset
    max_epochs: int
    trials: tuple[Trial, ...]  # all rows of all searches, directory by directory, by number
    counts: Counts
    answer: Answer
    error_map: CellMap
    time_map: CellMap
    iso_params: IsoParams
    pareto: Pareto
    slices: tuple[Slice, ...]  # dropout and weight decay first
    importance: Importance
    curves: Curves
    rungs: Rungs
    edf: Edf
    failures: tuple[Reason, ...]  # the most frequent first
    paper: Paper
    confirm: Confirm | None
    provenance: tuple[Provenance, ...]  # one a search
    notes: tuple[str, ...]  # what is missing or unfinished, a sentence each


def findings_of(*directories: Path | str) -> Findings:
    """The findings of results directories, which may be running, dead or half-written.

    Raises:
        InputError: no readable results, no trial at all, or searches whose errors cannot be compared (other data,
            split, epochs or precision).
    """
    raise NotImplementedError


def to_json(findings: Findings) -> dict[str, Any]:
    """The findings as plain values for JSON: documented keys `best`, `smallest_equivalent`, `cells`, `iso_params`,
    `pareto`, `importance`, `rungs`, `counts` and `provenance`, and every other part under its own name.
    """
    raise NotImplementedError
