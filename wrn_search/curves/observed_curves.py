"""ObservedCurves: what the curve model is told of trials, as plain frozen values, checked once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Scale = Literal["linear", "log2", "log10", "blocks", "categorical"]
Status = Literal["completed", "stopped", "running", "failed", "diverged"]

DEPTH, WIDTH = "depth", "widen_factor"
# On which scale a hyperparameter acts evenly; `blocks` is log2(depth - 4), so that a doubling doubles the blocks.
SCALES: dict[str, Scale] = {
    DEPTH: "blocks",
    WIDTH: "log2",
    "dropout": "linear",
    "weight_decay": "log10",
    "learning_rate": "log10",
    "batch_size": "log2",
    "momentum": "linear",
}


@dataclass(frozen=True)
class CurveTrial:
    """One training: what was set, and the validation images wrong at each epoch seen."""

    trial: str  # unique in its table
    configuration: str  # repeats share it, also across searches
    hyperparameters: Mapping[str, float | str]  # all that vary in the table; a text where categorical
    epochs: tuple[int, ...]  # rising, from 1; those on record
    wrong: tuple[float, ...]  # of the table's `images`, at each of `epochs`; need not be whole
    status: Status
    search: str = ""
    repeat: int = 0
    anchor: bool = False  # drawn before any result, never stopped


def _nothing(cell: tuple[float, float]) -> Mapping[str, float | str]:
    return {}


@dataclass(frozen=True)
class ObservedCurves:
    """Trials of one data set and split, trained for equally many epochs at most.

    Attributes:
        trials: in any order.
        images: n, what the wrong ones are counted on.
        last_epoch: the end; errors are compared there.
        scales: of each hyperparameter that the trials name; `SCALES` where not given, else linear or categorical.
        rungs: epochs at which trials were stopped, or could have been; may be empty.
        chance_error: percent, of always answering the most frequent class; None where unknown.
        held: cell (depth, widen_factor) -> what cannot be chosen there, since it does not apply, and its value.

    Raises:
        ValueError: a rule that does not hold, with what came.
    """

    trials: tuple[CurveTrial, ...]
    images: float
    last_epoch: int
    scales: Mapping[str, Scale] = field(default_factory=dict)
    rungs: tuple[int, ...] = ()
    chance_error: float | None = None
    held: Callable[[tuple[float, float]], Mapping[str, float | str]] = field(default=_nothing, compare=False)

    def __post_init__(self) -> None:
        _must(bool(self.trials), "there must be at least one trial", len(self.trials))
        _must(self.images > 0 and math.isfinite(self.images), "`images` must be above 0", self.images)
        _must(self.last_epoch >= 1, "`last_epoch` must be at least 1", self.last_epoch)
        names = {each.trial for each in self.trials}
        _must(len(names) == len(self.trials), "every trial must have a name of its own", len(names))
        keys = set(self.trials[0].hyperparameters)
        for trial in self.trials:
            _check_trial(trial, self.images, self.last_epoch)
            _must(
                set(trial.hyperparameters) == keys,
                f"trial {trial.trial} must have the hyperparameters {sorted(keys)}",
                sorted(trial.hyperparameters),
            )
        for name in keys:
            _check_values(name, self.scale(name), [each.hyperparameters[name] for each in self.trials])

    def scale(self, name: str) -> Scale:
        """On which scale a hyperparameter acts."""
        if any(isinstance(each.hyperparameters[name], str) for each in self.trials):
            return "categorical"
        return self.scales.get(name, SCALES.get(name, "linear"))


def on_scale(value: float, scale: Scale) -> float:
    """A value on the scale of its hyperparameter: log2(depth - 4), log2(k), log10(wd), or as it is."""
    if scale == "linear":
        return value
    if scale == "log10":
        return math.log10(value)
    return math.log2(value - 4 if scale == "blocks" else value)


def _check_trial(trial: CurveTrial, images: float, last_epoch: int) -> None:
    epochs, wrong, name = trial.epochs, trial.wrong, trial.trial
    _must(
        len(epochs) == len(wrong), f"trial {name} must have a count for each epoch", (len(epochs), len(wrong))
    )
    rising = all(a < b for a, b in itertools.pairwise(epochs))
    _must(rising and all(1 <= each <= last_epoch for each in epochs), f"epochs of {name} must rise", epochs)
    _must(all(0 <= each <= images for each in wrong), f"counts of {name} must lie in [0, {images}]", wrong)


def _check_values(name: str, scale: Scale, values: list[float | str]) -> None:
    if scale == "categorical":
        return
    lowest = {"linear": -math.inf, "blocks": 4.0}.get(scale, 0.0)
    for value in values:
        good = not isinstance(value, str) and math.isfinite(value) and value > lowest
        _must(good, f"`{name}` must be finite and above {lowest:g} on its scale ({scale})", value)


def _must(holds: bool, rule: str, got: object) -> None:
    if not holds:
        raise ValueError(f"{rule}, but got {got}")
