"""The last verdict of a search in its results directory, for those who ask how it stands: fitting one takes seconds.

`verdict.json` holds the verdict so far while the search runs, and that of the report once one is made.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from wrn_search.results.atomic_files import atomic_write_text
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.verdict_so_far.verdict import VerdictSoFar


def write_verdict(directory: ResultsDirectory, verdict: VerdictSoFar | Mapping[str, Any]) -> None:
    """Writes the verdict so far, or what a report says; where it cannot be written the old one stands."""
    values = verdict.to_dict() if isinstance(verdict, VerdictSoFar) else dict(verdict)
    kind = "so_far" if isinstance(verdict, VerdictSoFar) else "report"
    with suppress(OSError):
        text = json.dumps({"kind": kind, "at": round(time.time(), 3), **values}, indent=2)
        atomic_write_text(directory.verdict, text + "\n")


def read_verdict(directory: ResultsDirectory) -> dict[str, Any] | None:
    """What is there; None where nothing is that this version can read."""
    try:
        values = json.loads(directory.verdict.read_bytes())
        if values["kind"] == "so_far":
            VerdictSoFar.from_dict(values)
        elif not all(isinstance(each, str) for each in values["sentences"]):
            return None
        float(values["at"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return dict(values)
