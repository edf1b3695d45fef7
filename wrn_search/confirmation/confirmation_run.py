"""A confirmation: the finalists of searches, fixed by validation, retrained with fresh seeds and tested once each.

Every finalist is retrained twice over: on the search's own training images, which tells how lucky the search's
estimate was, and on training and validation images together, for its test error. All of it is a run like a search,
with a record and tables of its own in RESULTS/confirm; what the searches wrote is only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.confirmation.choice_of_finalists import Rule
from wrn_search.confirmation.confirmation_plan import ConfirmationPlan
from wrn_search.confirmation.confirmation_request import ConfirmationRequest, confirmation_request
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError
from wrn_search.images.prepared_data import PreparedData, prepare
from wrn_search.lines_on_stderr import warn
from wrn_search.memory.tensor_sizes import MOST_EVALUATED
from wrn_search.results.events import Event, TestOpened
from wrn_search.results.events_jsonl import Record
from wrn_search.results.manifest import add_to_manifest
from wrn_search.results.s3_copy.copy_of_a_session import copied_again
from wrn_search.results.state_from_events import SearchState
from wrn_search.session.resume import Begun, check_same_split
from wrn_search.session.search_request import check_system
from wrn_search.session.search_result import SearchFailed, SearchResult
from wrn_search.session.search_run import Manner, run_trials
from wrn_search.session.start_of_a_session import facts_of
from wrn_search.session.which_ray import check_ray
from wrn_search.space.dataset_section import JoinedSettings

if TYPE_CHECKING:
    from wrn_search.ray_tune.trainable import WideResNetTrainable


def confirm(
    results: str | Path | Sequence[str | Path],
    *,
    rule: Rule | None = None,
    repeats: int | None = None,
    epochs: int | None = None,
    place: str | Path | None = None,
    address: str | None = None,
    quiet: bool = False,
) -> SearchResult:
    """Begins a confirmation or goes on with it, to its end; a finished one is only read.

    Raises:
        InputError: see `confirmation_request`; or the images or the test split are not there. Nothing was trained.
        SearchFailed: it could not go on; what is on record stays.
    """
    request = confirmation_request(results, rule or Rule(), repeats, epochs, place)
    return run_confirmation(request, address=address, quiet=quiet)


def run_confirmation(
    request: ConfirmationRequest, *, address: str | None = None, quiet: bool = False
) -> SearchResult:
    """The same for a request that was checked.

    Raises:
        InputError, SearchFailed: see `confirm`.
    """
    check_system()
    if request.is_whole:
        assert request.begun is not None
        return SearchResult(request.directory.path, request.begun, EndReason.FINISHED)
    try:
        check_ray(address)
        data = prepared_data(request)
        manner = Manner(
            begin=partial(_begin, request),
            plan=ConfirmationPlan(request),
            trainable=_trainable,
            around=partial(copied_again, request.searches[0].directory)
            if request.is_beside_its_search
            else nullcontext,
            facts=partial(facts_of_both, request),
        )
        begun = Begun(request.begun, {}, {}, read=request.read) if request.begun else None
        return run_trials(request, data, begun, manner, address=address, quiet=quiet)
    except OSError as error:
        raise SearchFailed(str(error)) from error


def prepared_data(request: ConfirmationRequest) -> PreparedData:
    """The search's own split, once all that will be needed is there: the joined images and the test split too.

    Raises:
        InputError: something is missing, or the images are not those that were searched on.
    """
    from wrn_search.images.held_out_test_images import checked_test_split

    data = prepare(request.space.dataset)
    check_same_split(request.search, data.split_hash)
    warn(checked_test_split(request.space.dataset, data))
    prepare(JoinedSettings.of(request.space.dataset))
    return data


def facts_of_both(request: ConfirmationRequest, data: PreparedData) -> DataFacts:
    """Of the search's images, but the memory of a retraining is that of the larger kind, its test pass included."""
    facts, joined = facts_of(data), facts_of(prepare(JoinedSettings.of(request.space.dataset)))
    return replace(
        facts,
        train_images=max(facts.train_images, joined.train_images),
        stored_bytes=max(facts.stored_bytes, joined.stored_bytes),
        test_images=MOST_EVALUATED,  # how many there are is not asked before they may be read
    )


def _trainable() -> type[WideResNetTrainable]:
    from wrn_search.confirmation.confirmation_trainable import ConfirmationTrainable

    return ConfirmationTrainable


def _begin(request: ConfirmationRequest, record: Record, conductor: Conductor) -> None:
    """The choice goes on record, and how the winner will be named, before anything is trained.

    From now on the manifest counts each reading of the test split.
    """
    if conductor.state.choice is None:
        record.append(request.chosen)
    chosen = request.chosen
    about = {
        "confirms": {
            "search_id": chosen.source,
            **{
                name: getattr(chosen, name)
                for name in ("rule", "top", "per_network", "repeats", "epochs", "winner")
            },
            "trials": [finalist.number for finalist in request.finalists],
            "sources": [finalist.source or chosen.source for finalist in request.finalists],
            "searches": chosen.sources,
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
