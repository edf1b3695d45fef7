"""What the conductor answers when it is asked for a trial to train."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum

from wrn_search.decisions.gpu_packing import Grant
from wrn_search.results.trial_state import TrialState
from wrn_search.space.rules.starting_file import where_it_lies_now
from wrn_search.space.space import Space
from wrn_search.space.trial_config import TrialConfig


@dataclass(frozen=True)
class Assignment:
    """A trial to train now."""

    number: int
    trial_id: str
    config: TrialConfig
    epochs_done: int  # on record
    grant: Grant  # its cores and its share of a GPU


class NoTrial(Enum):
    """Why there is no trial to train now."""

    WAIT = "as many trials run as may"
    DONE = "no further trial will come"


def assignment_of(trial: TrialState, grant: Grant, space: Space) -> Assignment:
    """A trial of the record with its place.

    Where files lie may change between sessions; what they are may not.

    Args:
        trial: of the record.
        grant: its place.
        space: tells where images and starting weights lie now.
    """
    config, root = trial.trial_config, space.dataset.root
    init_from = where_it_lies_now(config.init_from, space.model.init_from)
    if (config.dataset.root, config.init_from) != (root, init_from):
        dataset = config.dataset.model_copy(update={"root": root})
        config = dataclasses.replace(config, dataset=dataset, init_from=init_from)
    return Assignment(trial.number, trial.trial_id, config, trial.epochs_done, grant)
