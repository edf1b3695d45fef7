"""The plan of a confirmation: the finalists in the order of their places, each kind of retraining with fresh seeds."""

from __future__ import annotations

import dataclasses

from wrn_search.confirmation.confirmation_request import ConfirmationRequest
from wrn_search.confirmation.finalist import fresh_seed
from wrn_search.results.events import Event
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import TrialState
from wrn_search.schedulers.scheduler import New
from wrn_search.searchers.searcher import Hparams
from wrn_search.space.dataset_section import JoinedSettings
from wrn_search.space.rules.starting_file import where_it_lies_now
from wrn_search.space.trial_config import TrialConfig


class ConfirmationPlan:
    """What the conductor follows in a confirmation. Networks that saw all images may meet the test split, once each.

    Args:
        request: the confirmation.
    """

    enumerates = False
    outside = 0
    curves = None

    def __init__(self, request: ConfirmationRequest):
        self._request = request
        self.reads_test_split = "joined" in request.chosen.kinds
        searched = [trial for search in request.searches for trial in search.state.trials.values()]
        self._used = {trial.config["seed"]: trial.number for trial in searched}

    def is_anchor(self, configuration: int) -> bool:
        """None: no retraining is stopped."""
        return False

    def propose(
        self, state: SearchState, configuration: int, repeat: int
    ) -> tuple[Hparams, TrialConfig] | None:
        """The next retraining: of one finalist, of one kind, with a seed that no trial has had."""
        place, kind = self._request.chosen.finalist_at(configuration)
        finalist, search_seed = self._request.finalists[place - 1], self._request.space.search.seed
        used = self._used | {trial.config["seed"]: trial.number for trial in state.trials.values()}
        seed = fresh_seed(search_seed, finalist.configuration, kind, repeat, used)
        config = TrialConfig.from_dict(finalist.config)
        dataset = JoinedSettings.of(config.dataset) if kind == "joined" else config.dataset
        config = dataclasses.replace(
            config,
            dataset=dataset,
            seed=seed,
            epochs=self._request.chosen.epochs,
            init_from=where_it_lies_now(config.init_from, self._request.space.model.init_from),
        )
        return finalist.hparams, config

    def new(self, configuration: int, repeat: int) -> New:
        """Always due: nothing waits."""
        return New(True, lambda: None)

    def learn(self, event: Event, state: SearchState) -> None:
        """Nobody searches."""

    def rests(self, configuration: int, state: SearchState) -> None:
        """None does: nothing is stopped."""

    def ends_with_last_epoch(self, trial: TrialState) -> bool:
        """A network that validation cannot see ends with its test error."""
        return "joined" not in trial.config["dataset"] or trial.tested is not None
