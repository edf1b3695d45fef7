"""The one training that stands for a space: its network in the middle, and the middle of every other domain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from wrn_search.networks.architecture import Architecture
from wrn_search.networks.network_names import exact_name
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.axes.listed_points import ListedPoints
from wrn_search.space.domains import Choice, Domain, IntRange, LogUniform, Scalar
from wrn_search.space.section_keys import default_of
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig

_RATE = "learning_rate"
_T = TypeVar("_T")


@dataclass(frozen=True)
class MiddleTrial:
    """What is trained."""

    config: TrialConfig
    searched: Hparams  # what was taken of each searched hyperparameter; without the learning rate

    @property
    def network(self) -> str:
        """Its name, as it can be given."""
        return exact_name(self.config.architecture)


def middle_trial(space: Space, num_classes: int, in_channels: int, seed: int, precision: str) -> MiddleTrial:
    """The configuration in the middle of a space.

    Where networks are listed, or left by constraints, the one with the median of the parameters; else the middle of
    each key's values: of a choice among numbers the median, of texts the key's default, of an interval the middle, of
    `loguniform` the geometric mean. A key that does not apply then has its default.

    Args:
        space: whose keys that are set are taken as they are.
        num_classes: of its images.
        in_channels: of its images.
        seed: of the trial.
        precision: resolved.
    """

    def parameters(network: Architecture) -> int:
        return num_params(network, num_classes, in_channels)

    def config_of(hparams: Hparams) -> TrialConfig:
        return space.trial_config(dict(hparams), seed, precision=precision, compile="off")

    axes = space.axes
    if isinstance(axes, ListedPoints):
        points = sorted(axes.points, key=lambda point: parameters(config_of(point).architecture))
        hparams = _median(points)
    else:
        hparams = {name: middle(name, domain) for name, domain in space.hyperparameters.items()}
        if space.networks:
            hparams |= space.shape_of(_median(sorted(space.networks, key=parameters)))
        hparams = axes.applied(hparams)
    told = {name: value for name, value in hparams.items() if value is not None and name != _RATE}
    return MiddleTrial(config_of(hparams), told)


def middle(name: str, domain: Domain) -> Scalar:
    """The middle of a key's domain, on its own scale."""
    match domain:
        case Choice(options) if all(isinstance(option, int | float) for option in options):
            return _median(sorted(options, key=float))
        case Choice(options):
            usual = default_of(name)
            return usual if usual in options else options[0]
        case IntRange(low, high, _, True):
            return round(math.sqrt(low * high))
        case IntRange():
            return _median(domain.values)
        case LogUniform(low, high):
            return math.exp((math.log(low) + math.log(high)) / 2)
        case _:
            return (domain.low + domain.high) / 2


def _median(ordered: Sequence[_T]) -> _T:
    """The value in the middle; of two the lower one."""
    return ordered[(len(ordered) - 1) // 2]
