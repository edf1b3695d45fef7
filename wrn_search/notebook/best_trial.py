"""The best trial of a search, as one value."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wrn_search.wording import shown, two_significant


@dataclass(frozen=True, repr=False)
class BestTrial:
    """The configuration with the lowest median validation error at full epochs, and the trial at that median.

    Attributes:
        search, number, trial_id, name: of the trial.
        network, depth, widen_factor, num_params, macs: its network.
        hparams: what was searched.
        val_error: median of its completed seeds, in percent; `lowest` and `highest` are their range.
        n: completed seeds.
        expected, expected_low, expected_high: of another training of it, in percent, by the curve model; None where
            that tells nothing. It is more than `val_error`, as the best of many was lucky.
    """

    search: str
    number: int
    trial_id: str
    name: str
    network: str
    depth: int
    widen_factor: float
    num_params: int
    macs: int
    hparams: Mapping[str, Any]
    val_error: float
    lowest: float
    highest: float
    n: int
    expected: float | None
    expected_low: float | None
    expected_high: float | None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> BestTrial:
        """From `best` of `report --json`."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})

    def __repr__(self) -> str:
        return f"BestTrial({self.name}, {'; '.join(self._facts())})"

    def _repr_html_(self) -> str:
        facts = "".join(f"<li>{html.escape(fact)}</li>" for fact in self._facts())
        values = ", ".join(f"{name} {shown(value)}" for name, value in self.hparams.items())
        return f"<b>{html.escape(self.name)}</b><ul>{facts}<li>{html.escape(values)}</li></ul>"

    def _facts(self) -> list[str]:
        of = f" (median of {self.n})" if self.n > 1 else ""
        facts = [f"{self.network}, {self.num_params:,} parameters", f"{self.val_error:.2f} %{of}"]
        if self.expected is not None and self.expected_low is not None and self.expected_high is not None:
            mean, low, high = map(two_significant, (self.expected, self.expected_low, self.expected_high))
            facts.append(f"expected when retrained {mean} % ({low} to {high})")
        return facts
