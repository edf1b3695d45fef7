"""The smallest and the largest network of a space as trainings: by them the pace of all its trials is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wrn_search.networks.architecture import Architecture
from wrn_search.space.domains import is_domain
from wrn_search.space.search_explanation import network_range
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig


def ends_of(space: Space, precision: str) -> Sequence[TrialConfig]:
    """The trainings of the smallest and the largest network."""
    smallest, largest = network_range(space)
    configs = []
    for network in dict.fromkeys((smallest, largest)):
        hparams = {name: _value(name, domain, network) for name, domain in space.hyperparameters.items()}
        configs.append(space.trial_config(hparams, 0, precision=precision, compile="off"))
    return configs


def _value(name: str, domain: Any, network: Architecture) -> Any:
    """A hyperparameter of a network, or the first of a domain that does not change its speed by much."""
    own = {
        "family": network.family,
        "depth": network.depth,
        "widen_factor": network.widen_factor,
        "block": network.block,
    }
    if name in own:
        return own[name]
    if name == "deepening_factor":
        return len(network.kernels)
    assert is_domain(domain)
    if name == "dropout":  # a number of it draws masks, whichever it is
        return domain.options[-1] if hasattr(domain, "options") else domain.high
    return domain.options[0] if hasattr(domain, "options") else domain.low
