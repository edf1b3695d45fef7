"""A confirmation: the finalists of a search, fixed by validation, retrained with fresh seeds and tested once each.

Every finalist is retrained twice over: on the search's own training images, which tells how lucky the search's
estimate was, and on training and validation images together, for its test error. All of it is a run like a search,
with a record and tables of its own in RESULTS/confirm; what the search wrote is only read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.results.events import Completed, Event, Proposed, Tested, TestOpened
from wrn_search.results.manifest import add_to_manifest
from wrn_search.results.record import Record
from wrn_search.results.state import SearchState
from wrn_search.search.conductor import Conductor
from wrn_search.search.confirmation_request import ConfirmationRequest, confirmation_request
from wrn_search.search.finalists import KINDS, Rule, fresh_seed
from wrn_search.search.request import Begun, check_same_split
from wrn_search.search.run import Manner, SearchFailed, SearchResult, run_trials
from wrn_search.search.searchers import Hparams
from wrn_search.space.datasets import JoinedSettings
from wrn_search.space.errors import InputError
from wrn_search.space.trial_config import TrialConfig
from wrn_search.training.preparation import PreparedData, prepare

if TYPE_CHECKING:
    from wrn_search.search.trainable import WideResNetTrainable


def confirm(
    results: str | Path,
    *,
    rule: Rule | None = None,
    repeats: int | None = None,
    epochs: int | None = None,
    address: str | None = None,
    quiet: bool = False,
) -> SearchResult:
    """Begins a confirmation or goes on with it, to its end; a finished one is only read.

    Raises:
        InputError: see `confirmation_request`; or the images or the test split are not there. Nothing was trained.
        SearchFailed: it could not go on; what is on record stays.
    """
    request = confirmation_request(results, rule or Rule(), repeats, epochs)
    return run_confirmation(request, address=address, quiet=quiet)


def run_confirmation(
    request: ConfirmationRequest, *, address: str | None = None, quiet: bool = False
) -> SearchResult:
    """The same for a request that was checked.

    Raises:
        InputError, SearchFailed: see `confirm`.
    """
    if request.is_whole:
        assert request.begun is not None
        return SearchResult(request.directory.path, request.begun, "finished")
    try:
        data = prepared_data(request)
        manner = Manner(
            begin=partial(_begin, request),
            conductor=partial(ConfirmationConductor, request),
            trainable=_trainable,
        )
        begun = Begun(request.begun, {}) if request.begun else None
        return run_trials(request, data, begun, manner, address=address, quiet=quiet)
    except OSError as error:
        raise SearchFailed(str(error)) from error


def prepared_data(request: ConfirmationRequest) -> PreparedData:
    """The search's own split, once all that will be needed is there: the joined images and the test split too.

    Raises:
        InputError: something is missing, or the images are not those that were searched on.
    """
    from wrn_search.training.test_split import check_test_split

    data = prepare(request.space.dataset)
    check_same_split(request.search, data.split_hash)
    check_test_split(request.space.dataset, data.class_names)
    prepare(JoinedSettings.of(request.space.dataset))
    return data


class ConfirmationConductor(Conductor):
    """Plays the finalists in the order of their places, and lets each network that may meet the test split, once."""

    def __init__(self, request: ConfirmationRequest, *arguments: Any, **options: Any):
        self._request = request
        self._used = {trial.config["seed"]: trial.number for trial in request.search.trials.values()}
        super().__init__(*arguments, **options)

    def met_test_split(self, number: int, told: Mapping[str, Any]) -> bool:
        """Each reading is on record before a file is opened; the number that it gave follows, and ends the trial."""
        if number not in self.live:
            return False
        if "asks" not in told:
            self._record.append(Tested(number, **told))
            self._record.append(Completed(number))
            return False
        self.look_at_clock()
        if self.end_reason not in (None, "finished"):
            self.interrupted(number, f"the confirmation ended: {self.end_reason}")
            return False
        self._record.append(TestOpened(number))
        return True

    def _proposal(self, configuration: int, repeat: int) -> tuple[Hparams, TrialConfig] | None:
        place, kind = divmod(configuration, len(KINDS))
        finalist = self._request.finalists[place]
        used = self._used | {trial.config["seed"]: trial.number for trial in self.state.trials.values()}
        seed = fresh_seed(self.space.search.seed, finalist.configuration, KINDS[kind], repeat, used)
        config = TrialConfig.from_dict(finalist.config)
        dataset = JoinedSettings.of(config.dataset) if KINDS[kind] == "joined" else config.dataset
        config = dataclasses.replace(config, dataset=dataset, seed=seed, epochs=self._request.chosen.epochs)
        return finalist.hparams, config

    def _completed(self, number: int) -> bool:
        """A network that validation cannot see ends with its test error."""
        trial = self.state.trials[number]
        if "joined" in trial.config["dataset"] and trial.tested is None:
            return False
        return super()._completed(number)

    def _learn_proposal(self, event: Proposed) -> None:
        """Nobody searches."""

    def _tell(self, configuration: int) -> None:
        """Nobody searches."""


def _trainable() -> type[WideResNetTrainable]:
    from wrn_search.search.confirmation_trainable import ConfirmationTrainable

    return ConfirmationTrainable


def _begin(request: ConfirmationRequest, record: Record, conductor: Conductor) -> None:
    """The choice goes on record, before anything is trained; from now on the manifest counts each reading."""
    if conductor.state.choice is None:
        record.append(request.chosen)
    chosen = request.chosen
    about = {
        "confirms": {
            "search_id": chosen.source,
            **{name: getattr(chosen, name) for name in ("rule", "top", "repeats", "epochs")},
            "trials": [finalist.number for finalist in request.finalists],
        }
    }

    manifest = request.directory.manifest

    def count(moment: float, event: Event) -> None:
        if isinstance(event, TestOpened):
            add_to_manifest(manifest, {"test_reads": test_reads(conductor.state)})

    try:
        add_to_manifest(manifest, about | {"test_reads": test_reads(conductor.state)})
    except (ValueError, TypeError):
        text = "must be readable, since every reading of the test split is counted in it, but is damaged"
        raise InputError.of("", text, str(manifest)) from None
    record.subscribe(count)


def test_reads(state: SearchState) -> list[dict[str, Any]]:
    """Every reading of the test split, in the order in which they were allowed: trial and Unix seconds."""
    reads = [
        {"trial_id": trial.trial_id, "time": moment}
        for trial in state.trials.values()
        for moment in trial.test_opened
    ]
    return sorted(reads, key=lambda read: read["time"])
