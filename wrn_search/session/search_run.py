"""A whole search from a space file to its last table: check, prepare, start or resume, hand to Ray Tune, finish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.cluster.node_check import check_nodes
from wrn_search.decisions.budget.most_trials import is_open_ended
from wrn_search.decisions.gpu_packing import Places
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.proposals import Plan
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError
from wrn_search.hardware.arithmetic_on_offer import arithmetic_here
from wrn_search.hardware.detected_cores_and_gpus import local_node
from wrn_search.images.prepared_data import PreparedData, prepare, remarks_on
from wrn_search.lines_on_stderr import tell, warn
from wrn_search.ray_tune.death_of_ray import watched_ray
from wrn_search.ray_tune.exception_texts import last_line
from wrn_search.ray_tune.hand_to_tune import hand_to_tune
from wrn_search.ray_tune.ray_environment import ray_environment
from wrn_search.ray_tune.this_process import check_this_process
from wrn_search.results.events_jsonl import Record, check_nobody_writes
from wrn_search.results.manifest import add_to_manifest
from wrn_search.results.s3_copy.copy_of_a_session import copied, ready_copy
from wrn_search.results.s3_copy.owner import Owner
from wrn_search.session.automatic_compile import resolved_compile
from wrn_search.session.automatic_precision import resolved_precision
from wrn_search.session.ctrl_c import interrupts
from wrn_search.session.files_from_the_record import Observers, mend_files
from wrn_search.session.plan.prediction_at_start import prediction_of, with_feasible_networks
from wrn_search.session.progress_display import Progress, ProgressDisplay, watch_on
from wrn_search.session.resume import Begun, check_same_split, is_whole, resumed_search
from wrn_search.session.search_request import (
    Asked,
    Request,
    SpaceLike,
    allotment_of,
    asked_to_resume,
    check_batch_size,
    check_system,
    memory_of,
    request_of,
)
from wrn_search.session.search_result import SearchFailed, SearchResult
from wrn_search.session.start_of_a_session import Arithmetic, end_session, facts_of, opened_record
from wrn_search.session.warm_start import new_knowledge, read_sources
from wrn_search.session.which_ray import check_ray, nodes_of_a_running_ray, start_own_ray
from wrn_search.space.network_budgets import check_images

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
) -> SearchResult:
    """Runs or resumes a search to its end.

    Args:
        space: a space file's path, its content as a mapping, or a `Space`; with `resume` also the results directory.
        overrides: `KEY=VALUE` each, as with `--set`.
        results: the results directory; default `results/<name>`.
        resume: go on with the search that is there; a finished one is only read.
        retry_failed: with `resume`, also try again the trials that failed.
        address: a Ray cluster's address; default the Ray that this process is connected to, else one of its own.
        quiet: no progress on stderr.

    Raises:
        InputError: bad input or options; then nothing was written.
        SearchFailed: the search could not go on.
    """
    check_system()
    check_this_process()
    if retry_failed and not resume:
        raise InputError.of("--retry-failed", "must come with --resume, but came without it")
    try:
        if resume:
            return _resume(asked_to_resume(space, overrides, results), retry_failed, address, quiet)
        request = request_of(space, overrides, results)
        request.directory.check_new()
        copy = ready_copy(request.address, request.directory, resume=False)
        return _run(request, None, copy, address, quiet)
    except OSError as error:  # a disk that is full, gone or not ours
        raise SearchFailed(str(error)) from error


def _resume(asked: Asked, retry_failed: bool, address: str | None, quiet: bool) -> SearchResult:
    """Goes on with a search, or reads one that is finished."""
    copy = ready_copy(asked.address, asked.directory, resume=True)
    request, begun = resumed_search(asked, retry_failed)
    for change in begun.changes:
        tell(f"changed {change}")
    if is_whole(request, begun):
        with copied(request.directory, copy):  # an earlier session may have ended before its copy was whole
            mend_files(request.directory, begun.state, request.space, begun.read)
        return SearchResult(request.directory.path, begun.state, EndReason(begun.state.ended or "finished"))
    return _run(request, begun, copy, address, quiet)


def _run(
    request: Request, begun: Begun | None, copy: Owner | None, address: str | None, quiet: bool
) -> SearchResult:
    if begun is not None:
        check_nobody_writes(request.directory.events)
    warm_start = request.space.search.warm_start if begun is None else begun.sources
    sources = read_sources(warm_start, request.directory.path)
    check_ray(address)  # before anything is downloaded
    data = prepare(request.space.dataset)
    warn([*remarks_on(request.space.dataset), *data.warnings])
    check_batch_size(request.space, data.train_images)
    check_images(request.space, data.num_classes, data.image_shape)
    if begun is not None:
        check_same_split(begun.state, data.split_hash)

    def learn(record: Record, conductor: Conductor) -> None:
        for known in new_knowledge(sources, conductor.state):
            record.append(known)

    return run_trials(
        request,
        data,
        begun,
        Manner(begin=learn, around=lambda: copied(request.directory, copy)),
        address=address,
        quiet=quiet,
    )


@dataclass(frozen=True)
class Manner:
    """What sets one kind of run, a search or a confirmation, apart from another."""

    begin: Callable[[Record, Conductor], None]  # before the first trial of a session
    plan: Plan | None = None  # what is trained; default what the searcher proposes
    trainable: Callable[[], type[WideResNetTrainable]] | None = None  # its import loads Ray
    around: Callable[[], AbstractContextManager[None]] = nullcontext  # a session, once its record is there
    facts: Callable[[PreparedData], DataFacts] = facts_of


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
        stack.enter_context(ray_environment())
        joined = nodes_of_a_running_ray(address, stack)
        nodes = joined or [local_node()]
        facts = manner.facts(data)
        memory = memory_of(request.space, facts, nodes, state)
        allotment = allotment_of(request, nodes, memory)
        warn(memory.remarks(allotment) if memory else [])
        asked, share = request.space.training, allotment.gpus_per_trial
        directory, dataset = request.directory.path, request.space.dataset
        able = check_nodes(directory, dataset, data.split_hash, share > 0) if joined else []
        machines = [node.arithmetic for node in able if node.arithmetic] or [arithmetic_here()]
        arithmetic = Arithmetic(
            resolved_precision(asked.precision, data.image_shape, share, machines, state),
            resolved_compile(asked.compile, share, machines, state),
        )
        trainable = manner.trainable() if manner.trainable else None
        ray = stack.enter_context(ExitStack())
        if not joined:
            start_own_ray(ray)
        if manner.plan is None and (begun is None or begun.has_another_space):
            machines_told = (data, facts, allotment, nodes, able, arithmetic.precision)
            request = with_feasible_networks(request, *machines_told)
        predicted = None
        if begun is None and manner.plan is None:
            predicted = prediction_of(request, data, allotment, nodes, able, arithmetic.precision)
        record = stack.enter_context(
            opened_record(request, data, nodes, allotment, arithmetic, begun, predicted)
        )
        if begun is not None:
            begun.let_go()
        conductor = Conductor(
            request.space,
            facts,
            allotment,
            record,
            plan=manner.plan,
            places=Places(nodes, allotment),
            **vars(arithmetic),
        )
        manner.begin(record, conductor)
        with manner.around():
            followers = _followers(request, conductor, data, able)
            reason = _session(request, conductor, record, quiet, ray, followers, trainable)
    return SearchResult(request.directory.path, conductor.state, reason)


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
            display = None if quiet else stack.enter_context(_display(request, record, conductor))
            record.forget()

            def tick() -> None:
                observers.tick()
                if display is not None:
                    display.tick()

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
        raise SearchFailed(f"{text}; what is on record stays: go on with --resume") from failure
    return reason


@contextmanager
def _display(request: Request, record: Record, conductor: Conductor) -> Iterator[ProgressDisplay]:
    space, funds = request.space, conductor.funds if conductor.funds.are_limited else None
    progress = Progress(request.rows, space.training.epochs, record.now(), funds, is_open_ended(space))
    for moment, event in record.events:
        progress.apply(moment, event)
    display = ProgressDisplay(progress, record.now, watch=watch_on(conductor))
    record.subscribe(display)
    with display:
        yield display
