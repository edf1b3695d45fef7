"""A whole search from a space file to its last table: check, prepare, start or resume, hand to Ray Tune, finish."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.decisions.gpu_packing import Places
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError
from wrn_search.images.checks_of_settings import check_batches
from wrn_search.images.prepared_data import PreparedData, prepare, remarks_on
from wrn_search.lines_on_stderr import Start, tell, warn
from wrn_search.ray_tune.death_of_ray import watched_ray
from wrn_search.ray_tune.exception_texts import last_line
from wrn_search.ray_tune.hand_to_tune import hand_to_tune
from wrn_search.ray_tune.ray_environment import ray_environment
from wrn_search.ray_tune.this_process import check_this_process
from wrn_search.results.events_jsonl import Record, check_nobody_writes
from wrn_search.results.manifest import add_to_manifest
from wrn_search.results.s3_copy.copy_of_a_session import copied, ready_copy
from wrn_search.results.s3_copy.owner import Owner
from wrn_search.session.ctrl_c import interrupts
from wrn_search.session.files_from_the_record import Observers, mend_files
from wrn_search.session.kind_of_run import Manner, manner_of, remarks_on_tested_images
from wrn_search.session.plan.automatic_cuda_graph import with_cuda_graph
from wrn_search.session.plan.machines_of_a_session import machines_for
from wrn_search.session.plan.prediction_at_start import prediction_of, with_feasible_networks
from wrn_search.session.resume import Begun, check_same_split, is_whole, resumed_search
from wrn_search.session.search_request import (
    Asked,
    Request,
    SpaceLike,
    asked_to_resume,
    check_starting_weights,
    check_system,
    request_of,
)
from wrn_search.session.search_result import SearchFailed, SearchResult
from wrn_search.session.start_of_a_session import end_session, opened_record, tell_what_is_written
from wrn_search.session.warm_start import read_sources
from wrn_search.session.watching.callbacks import EventCallback, checked
from wrn_search.session.watching.end_hook import run_end_hook
from wrn_search.session.watching.session_watchers import watched
from wrn_search.session.which_ray import check_ray, nodes_of_a_running_ray, start_own_ray
from wrn_search.space.network_budgets import check_images
from wrn_search.space.rules.across_keys.rules_of_augmentation import check_training_of_images
from wrn_search.trackers.trackers_of_a_session import finish_trackers

if TYPE_CHECKING:
    from ray.tune import Callback

    from wrn_search.ray_tune.trainable import WideResNetTrainable


def run(
    space: SpaceLike,
    *,
    overrides: Sequence[str] = (),
    results: str | Path | None = None,
    resume: bool = False,
    retry_failed: bool = False,
    address: str | None = None,
    quiet: bool = False,
    start: Start | None = None,
    runs_on_end: bool = True,
    callbacks: Iterable[EventCallback] = (),
) -> SearchResult:
    """Runs or resumes a search to its end.

    Args:
        space: a space file's path, its content as a mapping, or a `Space`; with `resume` also the results directory.
        overrides: `KEY=VALUE` each, as with `--set`.
        results: the results directory; default `results/<name>`.
        resume: go on with the search that is there; a finished one is only read.
        retry_failed: with `resume`, also try again the trials that failed.
        address: a Ray cluster's address; default the Ray that this process is connected to, else one of its own.
        quiet: no progress, on stderr or below a notebook's cell.
        start: tells what the start waits for; default one that begins now.
        callbacks: each is called with every `SearchEvent` of this session, after it is on record; one that raises is
            told of once and called no more, and `StopSearch` stops the search as Ctrl-C would.
        runs_on_end: whether `on_end` of the space is run here, and its trackers brought to their end; False where the
            caller does both, after a report.

    Raises:
        InputError: bad input or options; then nothing was written.
        SearchFailed: the search could not go on.
    """
    check_system()
    check_this_process()
    if retry_failed and not resume:
        raise InputError.of("--retry-failed", "must come with --resume, but came without it")
    heard = checked(callbacks)
    start = start or Start(quiet)
    try:
        if resume:
            start.waits_for("the record to be read", unchecked=True)
            asked = asked_to_resume(space, overrides, results)
            result = _resume(asked, retry_failed, address, quiet, start, heard)
        else:
            request = replace(request_of(space, overrides, results), callbacks=heard)
            request.directory.check_new()
            copy = ready_copy(request.address, request.directory, resume=False)
            result = _run(request, None, copy, address, quiet, start)
    except SearchFailed as error:
        run_end_hook(error.result if runs_on_end else None, str(error))
        raise
    except OSError as error:  # a disk that is full, gone or not ours
        raise SearchFailed(str(error)) from error
    finally:
        if runs_on_end:
            finish_trackers()
    run_end_hook(result if runs_on_end else None)
    return result


def _resume(
    asked: Asked,
    retry_failed: bool,
    address: str | None,
    quiet: bool,
    start: Start,
    heard: tuple[EventCallback, ...],
) -> SearchResult:
    """Goes on with a search, or reads one that is finished."""
    copy = ready_copy(asked.address, asked.directory, resume=True)
    request, begun = resumed_search(asked, retry_failed)
    for change in begun.changes:
        tell(f"changed {change}")
    if is_whole(request, begun):
        with copied(request.directory, copy):  # an earlier session may have ended before its copy was whole
            mend_files(request.directory, begun.state, request.space, begun.read)
        return SearchResult(request.directory.path, begun.state, EndReason(begun.state.ended or "finished"))
    return _run(replace(request, callbacks=heard), begun, copy, address, quiet, start)


def _run(
    request: Request,
    begun: Begun | None,
    copy: Owner | None,
    address: str | None,
    quiet: bool,
    start: Start,
) -> SearchResult:
    if begun is not None:
        check_nobody_writes(request.directory.events)
    warm_start = request.space.search.warm_start if begun is None else begun.sources
    sources = read_sources(warm_start, request.directory.path)
    check_ray(address)  # before anything is downloaded
    start.waits_for(f"the images of {request.space.dataset.name}", unchecked=True)
    tell_what_is_written(request.space.dataset, quiet)
    data = prepare(request.space.dataset)
    warn([*remarks_on(request.space.dataset), *data.warnings])
    warn(remarks_on_tested_images(request, data))
    check_batches(request.space, data.train_images)
    check_images(request.space, data.num_classes, data.image_shape)
    check_training_of_images(request.space, data.num_classes, data.image_shape)
    check_starting_weights(request.space, data.image_shape)
    if begun is not None:
        check_same_split(begun.state, data.split_hash)
    return run_trials(
        request, data, begun, manner_of(request, sources, copy), address=address, quiet=quiet, start=start
    )


def run_trials(
    request: Request,
    data: PreparedData,
    begun: Begun | None,
    manner: Manner,
    *,
    address: str | None,
    quiet: bool,
    start: Start,
) -> SearchResult:
    """One session, from Ray's start to the last table.

    Raises:
        InputError: the nodes cannot give what is asked for; then nothing was written.
        SearchFailed: the search could not go on.
    """
    with ExitStack() as stack:
        start.waits_for("Ray", unchecked=True)
        stack.enter_context(ray_environment())
        joined = nodes_of_a_running_ray(address, stack)
        facts = manner.facts(data)
        on = machines_for(request, data, facts, joined, begun.state if begun else None)
        trainable = manner.trainable() if manner.trainable else None
        ray = stack.enter_context(ExitStack())
        start.waits_for("Ray")
        if not joined:
            start_own_ray(ray)
        start.waits_for("the forecast of what the search will take")
        if manner.plan is None and (begun is None or begun.has_another_space):
            told = (data, facts, on.allotment, on.nodes, on.able, on.arithmetic.precision)
            request = with_feasible_networks(request, *told)
        trained = replace(request, space=with_cuda_graph(request.space, on.arithmetic.cuda_graph))
        predicted = None
        if begun is None and manner.plan is None:
            predicted = prediction_of(trained, data, on.allotment, on.nodes, on.able, on.arithmetic.precision)
        record = stack.enter_context(
            opened_record(request, data, on.nodes, on.allotment, on.arithmetic, begun, predicted)
        )
        if begun is not None:
            begun.let_go()
        conductor = Conductor(
            trained.space,
            facts,
            on.allotment,
            record,
            plan=manner.plan,
            places=Places(on.nodes, on.allotment),
            precision=on.arithmetic.precision,
            compile=on.arithmetic.compile,
        )
        manner.begin(record, conductor)
        with manner.around():
            followers = _followers(request, conductor, data, on.able)
            reason = _session(request, conductor, record, quiet, ray, followers, trainable)
    return SearchResult(request.directory.path, conductor.state, reason, request.on_end)


def _followers(
    request: Request, conductor: Conductor, data: PreparedData, able: Sequence[LivingNode]
) -> list[Callback]:
    """What lets a search in a running Ray, whose nodes are `able`, follow that Ray's nodes."""
    if not able:
        return []
    from wrn_search.cluster.nodes_joining_and_leaving import FollowNodes

    return [FollowNodes(conductor, request.directory.manifest, data.split_hash, able)]


def _session(
    request: Request,
    conductor: Conductor,
    record: Record,
    quiet: bool,
    ray: ExitStack,
    followers: Sequence[Callback],
    trainable: type[WideResNetTrainable] | None = None,
) -> EndReason:
    """Runs trials until the conductor has no more. Whatever ends it, the tables are written. Returns the reason.

    Args:
        ray: ends the Ray of this session's own, if there is one: trials must not train on when their end is recorded.

    Raises:
        SearchFailed: Ray, the disk or a bug ended it.
    """
    observers = Observers(request.directory, record, conductor)
    failure: Exception | None = None
    try:
        with ray, ExitStack() as stack:
            if not followers:
                stack.enter_context(watched_ray(conductor.ray_ended))
            stack.enter_context(interrupts(conductor.interrupt))  # after Ray, which takes SIGTERM for itself
            look = stack.enter_context(watched(request, record, conductor, quiet))
            record.forget()

            def tick() -> None:
                observers.tick()
                look()

            hand_to_tune(request.directory, conductor, tick, trainable, followers)
        reason = conductor.end_reason or EndReason.FAILED
    except KeyboardInterrupt:
        failed = conductor.end_reason is EndReason.FAILED
        reason = EndReason.FAILED if failed else EndReason.INTERRUPTED
    except Exception as error:
        reason, failure = EndReason.FAILED, error
    try:
        end_session(conductor, record, observers, reason)
        with suppress(ValueError):  # one that cannot be read; the record says the same
            add_to_manifest(request.directory.manifest, {"spent": conductor.state.spent})
    except OSError as error:
        reason, failure = EndReason.FAILED, failure or error
    if reason is EndReason.FAILED:
        # What ended the trials, before what that led to: tables that find no room either.
        text = conductor.failure or (
            last_line(failure) if failure else "Ray Tune ended before the search did"
        )
        left = SearchResult(request.directory.path, conductor.state, reason, request.on_end)
        raise SearchFailed(f"{text}; what is on record stays: go on with --resume", left) from failure
    return reason
