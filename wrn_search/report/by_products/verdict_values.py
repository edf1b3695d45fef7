"""The verdict of a report as plain values: a short part of what `report --json` prints."""

from __future__ import annotations

from typing import Any

from wrn_search.analysis.all_findings import Findings, to_json

_KEYS = ("verdicts", "best", "smallest_equivalent")


def verdict_values(findings: Findings) -> dict[str, Any]:
    """`sentences`, the first lines of the page, and what `report --json` has under `_KEYS`."""
    values = to_json(findings)
    return {"sentences": list(findings.answer.sentences), **{key: values[key] for key in _KEYS}}
