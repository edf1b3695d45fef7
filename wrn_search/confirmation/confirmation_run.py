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

from wrn_search.confirmation.choice_of_finalists import Rule
from wrn_search.confirmation.confirmation_plan import ConfirmationPlan
from wrn_search.confirmation.confirmation_request import ConfirmationRequest, confirmation_request
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.end_reason import EndReason
from wrn_search.images.prepared_data import PreparedData, prepare
from wrn_search.lines_on_stderr import Start, warn
from wrn_search.pretrained.starting_weights import starting_weights
from wrn_search.readings.counted_readings import count_readings, look_at_test_split, look_for_test_split
from wrn_search.readings.tested_trainings import trainable, with_test_images
from wrn_search.results.events_jsonl import Record
from wrn_search.results.s3_copy.copy_of_a_session import copied_again
from wrn_search.session.kind_of_run import Manner
from wrn_search.session.resume import Begun, check_same_split
from wrn_search.session.search_request import check_system
from wrn_search.session.search_result import SearchFailed, SearchResult
from wrn_search.session.search_run import run_trials
from wrn_search.session.start_of_a_session import facts_of
from wrn_search.session.which_ray import check_ray
from wrn_search.space.dataset_section import JoinedSettings
from wrn_search.space.rules.starting_file import RANDOM, where_it_lies_now
from wrn_search.trackers.trackers_of_a_session import finish_trackers


def confirm(
    results: str | Path | Sequence[str | Path],
    *,
    rule: Rule | None = None,
    repeats: int | None = None,
    epochs: int | None = None,
    place: str | Path | None = None,
    only: str | None = None,
    address: str | None = None,
    quiet: bool = False,
) -> SearchResult:
    """Begins a confirmation or goes on with it, to its end; a finished one is only read.

    Raises:
        InputError: see `confirmation_request`; or the images or the test split are not there. Nothing was trained.
        SearchFailed: it could not go on; what is on record stays.
    """
    request = confirmation_request(results, rule or Rule(), repeats, epochs, place, only)
    return run_confirmation(request, address=address, quiet=quiet)


def run_confirmation(
    request: ConfirmationRequest,
    *,
    address: str | None = None,
    quiet: bool = False,
    start: Start | None = None,
) -> SearchResult:
    """The same for a request that was checked.

    Raises:
        InputError, SearchFailed: see `confirm`.
    """
    check_system()
    start = start or Start(quiet)
    if request.is_whole:
        assert request.begun is not None
        return SearchResult(request.directory.path, request.begun, EndReason.FINISHED)
    try:
        check_ray(address)
        start.waits_for(f"the images of {request.space.dataset.name}", unchecked=True)
        data = prepared_data(request)
        manner = Manner(
            begin=partial(_begin, request),
            plan=ConfirmationPlan(request),
            trainable=trainable,
            around=partial(copied_again, request.searches[0].directory)
            if request.is_beside_its_search
            else nullcontext,
            facts=partial(facts_of_both, request),
        )
        begun = Begun(request.begun, {}, {}, read=request.read) if request.begun else None
        return run_trials(request, data, begun, manner, address=address, quiet=quiet, start=start)
    except OSError as error:
        raise SearchFailed(str(error)) from error
    finally:
        finish_trackers()


def prepared_data(request: ConfirmationRequest) -> PreparedData:
    """The search's own split, once all that will be needed is there: the joined images and the test split too.

    Raises:
        InputError: something is missing, or the images are not those that were searched on.
    """
    for told in {each.config.get("init_from", RANDOM) for each in request.finalists} - {RANDOM}:
        starting_weights(where_it_lies_now(told, request.space.model.init_from))  # before anything is trained
    data = prepare(request.space.dataset)
    check_same_split(request.search, data.split_hash)
    if "joined" in request.chosen.kinds:
        warn(look_at_test_split(request.space.dataset, data))
        prepare(JoinedSettings.of(request.space.dataset))
    return data


def look_for_tested_images(request: ConfirmationRequest) -> None:
    """For a plan, by the names of a user's files alone: that a test split is there whose classes are those trained on.

    Raises:
        InputError: it is not so.
    """
    if "joined" in request.chosen.kinds and not request.is_whole:
        look_for_test_split(request.space.dataset)


def facts_of_both(request: ConfirmationRequest, data: PreparedData) -> DataFacts:
    """Of the search's images, but the memory of a retraining is that of the larger kind, its test pass included."""
    if "joined" not in request.chosen.kinds:
        return facts_of(data)
    facts, joined = facts_of(data), facts_of(prepare(JoinedSettings.of(request.space.dataset)))
    return replace(
        with_test_images(facts),
        train_images=max(facts.train_images, joined.train_images),
        stored_bytes=max(facts.stored_bytes, joined.stored_bytes),
    )


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
                for name in ("rule", "top", "per_network", "repeats", "epochs", "winner", "only")
            },
            "trials": [finalist.number for finalist in request.finalists],
            "sources": [finalist.source or chosen.source for finalist in request.finalists],
            "searches": chosen.sources,
        }
    }
    count_readings(request.directory, record, conductor.state, about)
