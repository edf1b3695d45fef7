"""The HParams tab of TensorBoard: its columns, and the messages that fill its rows.

The messages are built here: TensorBoard's own `hparams.summary` needs TensorFlow, and torch's `add_hparams` makes an
extra run of every trial (both at 2.21).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import STATUSES
from wrn_search.space.domains import Choice, Domain, Scalar, Uniform
from wrn_search.space.every_space_of_a_search import ever_searched
from wrn_search.space.space import Space


def hparams_searched(state: SearchState, space: Space | None) -> dict[str, Domain]:
    """The columns of the tab: all that was ever searched, also where a resumed search fixed it; by name.

    Args:
        state: of the search.
        space: its present one, if that is known.
    """
    trials = state.trials.values()
    tried = {
        name: [trial.value_of(name) for trial in trials if not trial.leaves_out(name)]
        for name in state.searched
    }
    return ever_searched(space.hyperparameters if space else {}, state.replaced, tried)


def standing(state: SearchState) -> dict[str, Domain]:
    """Columns that say how a trial stands, to filter by: errors are compared at equal epochs only."""
    return {"status": Choice(tuple(sorted(STATUSES))), "epochs_done": Uniform(0, state.max_epochs)}


def hparam_info(name: str, domain: Domain) -> api_pb2.HParamInfo:
    """A column of the HParams tab: its type, and the values that can be filtered by."""
    info = api_pb2.HParamInfo(name=name, differs=True, type=api_pb2.DATA_TYPE_FLOAT64)
    if isinstance(domain, Choice):
        info.type = _data_type(domain.options)
        info.domain_discrete.extend(domain.options)
    else:
        info.domain_interval.min_value, info.domain_interval.max_value = domain.low, domain.high
    return info


def _data_type(options: Sequence[Scalar]) -> Any:
    """The protobuf's type that holds all options."""
    if all(isinstance(option, bool) for option in options):
        return api_pb2.DATA_TYPE_BOOL
    if all(isinstance(option, int | float) for option in options):
        return api_pb2.DATA_TYPE_FLOAT64
    return api_pb2.DATA_TYPE_STRING


def set_value(target: Any, value: Any) -> None:
    """Fills a protobuf `Value` with a hyperparameter, typed; lists are shown as text."""
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    else:
        target.string_value = value if isinstance(value, str) else json.dumps(value)


def hparams_summary(tag: str, message: HParamsPluginData) -> Summary:
    """A summary that carries nothing but a message to the HParams plugin."""
    value = Summary.Value(
        tag=tag, metadata=metadata.create_summary_metadata(message), tensor=metadata.NULL_TENSOR
    )
    return Summary(value=[value])
