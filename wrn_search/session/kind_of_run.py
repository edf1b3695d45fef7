"""What sets one kind of run apart from another: a search, a list of networks that are each tested, a confirmation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.proposals import Plan
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.images.prepared_data import PreparedData
from wrn_search.readings.counted_readings import count_readings, look_at_test_split, look_for_test_split
from wrn_search.readings.tested_trainings import trainable, with_test_images
from wrn_search.results.events_jsonl import Record
from wrn_search.results.s3_copy.copy_of_a_session import copied
from wrn_search.results.s3_copy.owner import Owner
from wrn_search.results.state_from_events import SearchState
from wrn_search.session.search_request import Request
from wrn_search.session.start_of_a_session import facts_of
from wrn_search.session.warm_start import learning_from
from wrn_search.space.space import Space

if TYPE_CHECKING:
    from wrn_search.ray_tune.trainable import WideResNetTrainable


@dataclass(frozen=True)
class Manner:
    """What sets one kind of run, a search or a confirmation, apart from another."""

    begin: Callable[[Record, Conductor], None]  # before the first trial of a session
    plan: Plan | None = None  # what is trained; default what the searcher proposes
    trainable: Callable[[], type[WideResNetTrainable]] | None = None  # its import loads Ray
    around: Callable[[], AbstractContextManager[None]] = nullcontext  # a session, once its record is there
    facts: Callable[[PreparedData], DataFacts] = facts_of


def manner_of(request: Request, sources: Sequence[SearchState], copy: Owner | None) -> Manner:
    """Of a search, which learns from others' `sources`, or of `protocol: test_each`, whose readings are counted."""
    learn = learning_from(sources)
    search = Manner(begin=learn, around=lambda: copied(request.directory, copy))
    if not request.space.tests_each:
        return search

    def learn_and_count(record: Record, conductor: Conductor) -> None:
        learn(record, conductor)
        count_readings(request.directory, record, conductor.state, {"protocol": request.space.protocol})

    return replace(
        search,
        begin=learn_and_count,
        trainable=trainable,
        facts=lambda data: with_test_images(facts_of(data)),
    )


def remarks_on_tested_images(request: Request, data: PreparedData) -> list[str]:
    """What a look at the test split says, before anything is trained; nothing where no protocol reads it.

    Raises:
        InputError: it is not there, or not as it must be.
    """
    return look_at_test_split(request.space.dataset, data) if request.space.tests_each else []


def look_for_tested_images(space: Space) -> None:
    """The same for a plan, by the names of a user's files alone: nothing is downloaded or prepared.

    Raises:
        InputError: there is no test split, or it has other classes.
    """
    if space.tests_each:
        look_for_test_split(space.dataset)
