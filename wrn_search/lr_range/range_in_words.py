"""A range test in words, as a plot of characters, and as plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wrn_search.lr_range.middle_trial import MiddleTrial
from wrn_search.lr_range.range_test import RangeRun
from wrn_search.lr_range.suggestion import Suggestion, smoothed
from wrn_search.space.axes.network_leaves import SHAPE
from wrn_search.wording import hparams as hparams_text
from wrn_search.wording import plural, short_count

_ROWS = 20  # of the plot
_COLUMNS = 48  # of its widest bar
CANNOT_KNOW = (
    "the test cannot know what weight decay, dropout or augmentation do to the best rate: their effect comes late",
    "nor which rate is best after a whole training with its schedule: often a lower one than falls fastest here",
    "nor what another network, batch size or seed would show: search the interval, and weight_decay beside it",
)


@dataclass(frozen=True)
class RangeTest:
    """All of one test."""

    space: str  # its name
    trial: MiddleTrial
    device: str
    run: RangeRun
    found: Suggestion
    seconds: float


def text_of(test: RangeTest) -> str:
    """What a terminal shows."""
    run, found = test.run, test.found
    others = hparams_text(test.trial.searched, without=SHAPE)
    beside = f"; of the searched keys: {others}" if others else ""
    epochs = len(run.rates) / run.steps_per_epoch
    config = test.trial.config
    lines = [
        f"network     {test.trial.network}{beside} (--set takes another)",
        f"run         {plural(len(run.rates), 'step')} of {run.steps} ({epochs:.2g} epochs), "
        f"{config.batch_size} images each, on {test.device}, seed {config.seed}, {test.seconds:.1f} s",
        f"ended       {_end(test)}",
        "",
        *plot_lines(run),
        "",
        *(f"{label:<12}{text}" for label, text in told(found)),
        "",
        *(f"{'but' if place == 0 else '':<12}{text}" for place, text in enumerate(CANNOT_KNOW)),
    ]
    return "\n".join(lines)


def told(found: Suggestion) -> list[tuple[str, str]]:
    """The suggestion, a line each with its label."""
    lines = []
    if found.steepest is not None and found.lowest is not None:
        lines.append(("steepest", f"the loss falls fastest at learning_rate {short_count(found.steepest)}"))
        lines.append(("lowest", f"it is lowest at {short_count(found.lowest)}"))
    if found.edge is not None:
        lines.append(("edge", f"it diverges from {short_count(found.edge)} on"))
    if found.reason:
        lines.append(("note", found.reason if found.interval else f"no suggestion: {found.reason}"))
    if found.interval is not None:
        lines.append(("search", space_line(found.interval)))
    return lines


def space_line(interval: tuple[float, float]) -> str:
    """As a space file takes it, below `training`."""
    low, high = (f"{value:.1e}" for value in interval)
    return f"learning_rate: {{loguniform: [{low}, {high}]}}"


def plot_lines(run: RangeRun) -> list[str]:
    """The smoothed loss over the rate: a row for each part of the range, its loss as a bar."""
    curve = finite_curve(run)
    if not curve:
        return ["no step had a finite loss"]
    rows = min(_ROWS, len(curve))
    places = [round(row * (len(curve) - 1) / max(1, rows - 1)) for row in range(rows)]
    most = max(curve[place] for place in places)
    lines = ["learning_rate    loss"]
    for place in places:
        bar = "#" * max(1, round(_COLUMNS * curve[place] / most))
        lines.append(f"{run.rates[place]:13.1e}  {curve[place]:6.3f}  {bar}")
    return lines


def finite_curve(run: RangeRun) -> list[float]:
    """The smoothed losses, as far as they are finite."""
    finite = [loss for loss in run.losses if math.isfinite(loss)]
    return smoothed(finite, run.steps)


def values_of(test: RangeTest) -> dict[str, Any]:
    """Plain values for JSON: rates per step, losses in nats (null where not finite), and the suggestion."""
    run, found = test.run, test.found
    return {
        "space": test.space,
        "network": test.trial.network,
        "searched": dict(test.trial.searched),
        "seed": test.trial.config.seed,
        "device": test.device,
        "precision": test.trial.config.precision,
        "steps": run.steps,
        "steps_run": len(run.rates),
        "steps_per_epoch": run.steps_per_epoch,
        "diverged": run.stopped or not math.isfinite(run.losses[-1]),
        "seconds": test.seconds,
        "steepest": found.steepest,
        "lowest": found.lowest,
        "edge": found.edge,
        "interval": None if found.interval is None else list(found.interval),
        "space_file": None if found.interval is None else space_line(found.interval),
        "reason": found.reason,
        "learning_rates": list(run.rates),
        "losses": _finite_or_null(run.losses),
        "smoothed_losses": finite_curve(run),
    }


def _end(test: RangeTest) -> str:
    run = test.run
    if not run.stopped:
        return f"at the highest rate, {short_count(run.rates[-1])}"
    return f"the loss diverged at {short_count(run.rates[-1])}, before --to"


def _finite_or_null(values: Sequence[float]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]
