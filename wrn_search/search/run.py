"""A whole search from a space file to its last table: check, prepare, start or resume, hand to Ray Tune, finish."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.results.record import Record
from wrn_search.results.state import FINAL, SearchState
from wrn_search.search.compiling import resolved_compile
from wrn_search.search.conductor import Conductor
from wrn_search.search.copies import copied, ready_copy
from wrn_search.search.facts import facts_of
from wrn_search.search.interrupts import interrupts
from wrn_search.search.nodes import LivingNode, check_nodes
from wrn_search.search.places import Places
from wrn_search.search.precision import resolved_precision
from wrn_search.search.progress import Progress, ProgressDisplay
from wrn_search.search.ray_session import check_answers, is_connected, joined_nodes, own_ray, ray_at
from wrn_search.search.ray_watch import watched_ray
from wrn_search.search.request import (
    Begun,
    Request,
    SpaceLike,
    allotment_of,
    begun_search,
    check_batch_size,
    check_same_split,
    configurations_outside,
    request_of,
)
from wrn_search.search.session import (
    Arithmetic,
    Observers,
    end_session,
    hand_to_tune,
    mend_tables,
    opened_record,
)
from wrn_search.search.sizing import Node, local_node
from wrn_search.search.warm_start import new_knowledge, read_sources
from wrn_search.training.preparation import PreparedData, prepare

if TYPE_CHECKING:
    from ray.tune import Callback

    from wrn_search.search.trainable import WideResNetTrainable


class SearchFailed(RuntimeError):
    """The search could not go on; what is on record stays, and `--resume` continues it."""


@dataclass(frozen=True)
class SearchResult:
    """How a search, or a session of it, ended."""

    directory: Path
    state: SearchState
    reason: str  # finished | exhausted | max_hours | interrupted

    @property
    def exit_status(self) -> int:
        """0 done, 1 there are trials and all failed, 130 interrupted and resumable."""
        if self.reason == "interrupted":
            return 130
        trials = self.state.trials.values()
        return int(bool(trials) and all(trial.status == "failed" for trial in trials))


def run(
    space: SpaceLike,
    *,
    overrides: Sequence[str] = (),
    results: str | Path | None = None,
    resume: bool = False,
    address: str | None = None,
    quiet: bool = False,
) -> SearchResult:
    """Runs or resumes a search to its end.

    Args:
        space: a space file's path, its content as a mapping, or a `Space`.
        overrides: `KEY=VALUE` each, as with `--set`.
        results: the results directory; default `results/<name>`.
        resume: go on with the search that is there; a finished one is only read.
        address: a Ray cluster's address; default the Ray that this process is connected to, else one of its own.
        quiet: no progress on stderr.

    Raises:
        InputError: bad input or options; then nothing was written.
        SearchFailed: the search could not go on.
    """
    request = request_of(space, overrides, results)
    try:
        return _run(request, resume, address, quiet)
    except OSError as error:  # a disk that is full, gone or not ours
        raise SearchFailed(str(error)) from error


def _run(request: Request, resume: bool, address: str | None, quiet: bool) -> SearchResult:
    begun = None
    if not resume:
        request.directory.check_new()
    copy = ready_copy(request, resume)
    if resume:
        begun = begun_search(request)
        request = replace(request, outside=configurations_outside(request.space, begun.state))
        if _is_whole(request, begun):
            with copied(request, copy):  # an earlier session may have ended before its copy was whole
                mend_tables(request.directory, begun.state, request.space)
            return SearchResult(request.directory.path, begun.state, begun.state.ended or "finished")
    sources = read_sources(request.space.search.warm_start, request.directory.path)
    if address is not None:
        check_answers(address)  # before anything is downloaded
    data = prepare(request.space.dataset)
    check_batch_size(request.space, data.train_images)
    if begun is not None:
        check_same_split(begun.state, data.split_hash)

    def learn(record: Record, conductor: Conductor) -> None:
        for known in new_knowledge(sources, conductor.state):
            conductor.knows(known)

    return run_trials(
        request,
        data,
        begun,
        Manner(begin=learn, around=lambda: copied(request, copy)),
        address=address,
        quiet=quiet,
    )


@dataclass(frozen=True)
class Manner:
    """What sets one kind of run, a search or a confirmation, apart from another."""

    begin: Callable[[Record, Conductor], None]  # before the first trial of a session
    conductor: Callable[..., Conductor] = Conductor
    trainable: Callable[[], type[WideResNetTrainable]] | None = None  # its import loads Ray
    around: Callable[[], AbstractContextManager[None]] = nullcontext  # a session, once its record is there


def run_trials(
    request: Request,
    data: PreparedData,
    begun: Begun | None,
    manner: Manner,
    *,
    address: str | None,
    quiet: bool,
) -> SearchResult:
    """One session, from Ray's start to the last table.

    Raises:
        InputError: the nodes cannot give what is asked for; then nothing was written.
        SearchFailed: the search could not go on.
    """
    state = begun.state if begun else None
    with ExitStack() as stack:
        joined = _nodes_of_a_running_ray(address, stack)
        nodes = joined or [local_node()]
        allotment = allotment_of(request, nodes)
        able = check_nodes(request.directory.path, request.space.dataset, data.split_hash) if joined else []
        asked, share = request.space.training, allotment.gpus_per_trial
        arithmetic = Arithmetic(
            resolved_precision(asked.precision, data.image_shape, share, state),
            resolved_compile(asked.compile, share, state),
        )
        record = stack.enter_context(opened_record(request, data, nodes, allotment, arithmetic, begun))
        conductor = manner.conductor(
            request.space,
            facts_of(data),
            allotment,
            record,
            places=Places(nodes, allotment),
            **vars(arithmetic),
        )
        manner.begin(record, conductor)
        trainable = manner.trainable() if manner.trainable else None
        with manner.around():
            followers = _followers(request, conductor, data, able)
            reason = _session(request, conductor, record, quiet, followers, trainable)
    return SearchResult(request.directory.path, conductor.state, reason)


def _is_whole(request: Request, begun: Begun) -> bool:
    """Whether a search has all the trials that are asked for, each at its end."""
    state = begun.state
    if any(trial.status not in FINAL for trial in state.trials.values()):
        return False
    if state.ended == "exhausted" and not begun.has_another_space:
        return True
    return state.ended == "finished" and len(state.trials) >= request.rows


def _nodes_of_a_running_ray(address: str | None, stack: ExitStack) -> list[Node]:
    """Nodes of the cluster at `address`, or of the Ray that a notebook has started; none means a Ray of our own."""
    if address is not None:
        return stack.enter_context(ray_at(address))
    return joined_nodes() if "ray" in sys.modules and is_connected() else []


def _followers(
    request: Request, conductor: Conductor, data: PreparedData, able: Sequence[LivingNode]
) -> list[Callback]:
    """What lets a search in a running Ray, whose nodes are `able`, follow that Ray's nodes."""
    if not able:
        return []
    from wrn_search.search.joining import FollowNodes

    return [FollowNodes(conductor, request.directory.manifest, data.split_hash, able)]


def _session(
    request: Request,
    conductor: Conductor,
    record: Record,
    quiet: bool,
    followers: Sequence[Callback],
    trainable: type[WideResNetTrainable] | None = None,
) -> str:
    """Runs trials until the conductor has no more. Whatever ends it, the tables are written. Returns the reason.

    Starts a Ray of its own unless there are followers of a running one.

    Raises:
        SearchFailed: Ray, the disk or a bug ended it.
    """
    observers = Observers(request.directory, record, conductor)
    failure: Exception | None = None
    try:
        with ExitStack() as stack:
            if not followers:
                stack.enter_context(own_ray(local_node()))
                stack.enter_context(watched_ray(conductor.ray_ended))
            stack.enter_context(interrupts(conductor.interrupt))  # after Ray, which takes SIGTERM for itself
            display = stack.enter_context(_display(request, record, quiet))
            hand_to_tune(request.directory, conductor, display, trainable, followers)
        reason = conductor.end_reason or "failed"
    except KeyboardInterrupt:
        reason = "failed" if conductor.end_reason == "failed" else "interrupted"
    except Exception as error:
        reason, failure = "failed", error
    try:
        end_session(conductor, record, observers, reason)
    except OSError as error:
        reason, failure = "failed", failure or error
    if reason == "failed":
        # What ended the trials, before what that led to: tables that find no room either.
        text = conductor.failure or (_cause(failure) if failure else "Ray Tune ended before the search did")
        raise SearchFailed(f"{text}; what is on record stays: go on with --resume") from failure
    return reason


@contextmanager
def _display(request: Request, record: Record, quiet: bool) -> Iterator[ProgressDisplay | None]:
    if quiet:
        yield None
        return
    progress = Progress(request.rows, request.space.training.epochs, began=time.time())
    for moment, event in record.events:
        progress.apply(moment, event)
    display = ProgressDisplay(progress)
    record.subscribe(display)
    with display:
        yield display


def _cause(error: BaseException) -> str:
    """The innermost reason in one line; Tune wraps errors in the text of their traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
