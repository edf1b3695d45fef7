"""What the conductor answers when it is asked for a trial to train."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum

from wrn_search.decisions.gpu_packing import Grant
from wrn_search.results.trial_state import TrialState
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


def assignment_of(trial: TrialState, grant: Grant, root: str | None) -> Assignment:
    """A trial of the record with its place; `root` is where its images lie now.

    Where they lie may change between sessions; what they are may not.
    """
    config = TrialConfig.from_dict(trial.config)
    config = dataclasses.replace(config, dataset=config.dataset.model_copy(update={"root": root}))
    return Assignment(trial.number, trial.trial_id, config, trial.epochs_done, grant)
