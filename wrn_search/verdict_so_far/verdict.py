"""The verdict while a search runs, as a value: light to import, as a reader of it fits nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Expectation = tuple[float, float, float]  # percent: mean and 95 % interval of another training


@dataclass(frozen=True)
class VerdictSoFar:
    """What the trials so far say of the end; predicted, and not audited.

    Attributes:
        trials: that were fitted.
        winner: name of the network, expected error when it is trained again and its 95 % interval, percent; None where
            no trial has an end.
        leading: (network, probability that no other network has a lower expected error), the likeliest first.
        expected: of the trials that came to their end, by their numbers as text.
    """

    trials: int
    winner: tuple[str, float, float, float] | None
    leading: tuple[tuple[str, float], ...]
    expected: Mapping[str, Expectation] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: `trials`, `winner` (`network`, `expected`, `low`, `high`), `leading` (`network`, `chance`)."""
        named = None
        if self.winner is not None:
            network, expected, low, high = self.winner
            named = {"network": network, "expected": expected, "low": low, "high": high}
        leading = [{"network": network, "chance": chance} for network, chance in self.leading]
        expected_of = {trial: list(values) for trial, values in self.expected.items()}
        return {"trials": self.trials, "winner": named, "leading": leading, "expected": expected_of}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> VerdictSoFar:
        """What `to_dict` wrote.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is something else.
        """
        named = values["winner"]
        winner = None
        if named is not None:
            expected, low, high = (float(named[each]) for each in ("expected", "low", "high"))
            winner = (str(named["network"]), expected, low, high)
        leading = tuple((str(each["network"]), float(each["chance"])) for each in values["leading"])
        expected_of = {
            str(trial): (float(mean), float(low), float(high))
            for trial, (mean, low, high) in values["expected"].items()
        }
        return cls(int(values["trials"]), winner, leading, expected_of)
