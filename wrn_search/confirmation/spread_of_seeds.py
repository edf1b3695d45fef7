"""The errors of one finalist's seeds: their median, their range, and how surely the range covers the median."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from wrn_search.analysis.statistics.fresh_seeds import coverage


@dataclass(frozen=True)
class Spread:
    """Errors of the seeds of one finalist, in percent."""

    errors: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """None while no seed has one."""
        return statistics.median(self.errors) if self.errors else None

    @property
    def text(self) -> str:
        """`1.33 (1.00 to 2.00)`, with n where it is not what was asked for."""
        if not self.errors:
            return "-"
        return f"{statistics.median(self.errors):.2f} ({min(self.errors):.2f} to {max(self.errors):.2f})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "n": len(self.errors),
            "median": self.median,
            "min": min(self.errors, default=None),
            "max": max(self.errors, default=None),
            "coverage": coverage(len(self.errors)),
            "errors": list(self.errors),
        }
