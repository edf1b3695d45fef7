"""Numbers and trials in words, the same wherever the answer is told."""

from __future__ import annotations

from collections.abc import Mapping

from wrn_search.analysis.quantities import Interval, Value


def percent(error: float) -> str:
    """`5.12 %`."""
    return f"{error:.2f} %"


def points(change: float) -> str:
    """`+0.20 points`: a difference of two errors."""
    return f"{change:+.2f} points"


def interval(ends: Interval) -> str:
    """`95 % interval -0.10 to +0.30`."""
    return f"95 % interval {ends[0]:+.2f} to {ends[1]:+.2f}"


def count(number: int, thing: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def size(num_params: int) -> str:
    """`36.5 M parameters`."""
    if num_params >= 1_000_000:
        return f"{num_params / 1e6:.1f} M parameters"
    return f"{num_params:,} parameters"


def hparams(values: Mapping[str, Value], without: tuple[str, ...] = ()) -> str:
    """`dropout 0.31, weight_decay 0.0004`; empty if there are none."""
    shown = {name: value for name, value in values.items() if name not in without}
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in shown.items()
    )
