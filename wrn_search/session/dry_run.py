"""The plan of a search in words, for `--dry-run`: nothing is started or written."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wrn_search.cluster.living_nodes import LivingNode, nodes_that_train
from wrn_search.cluster.offers_of_nodes import SECONDS_FOR_AN_OFFER, gpu_problems, weakest_text, with_offers
from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.memory_of_the_machine import MachineMemory
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.errors import InputError
from wrn_search.forecast.facts_before_preparation import known_facts
from wrn_search.forecast.feasible_networks import feasible_space
from wrn_search.forecast.forecast_here import Machines, forecast_of
from wrn_search.hardware.arithmetic_on_offer import arithmetic_here, gpus_are_simulated
from wrn_search.hardware.detected_cores_and_gpus import local_node
from wrn_search.hardware.machine import Node
from wrn_search.images.checks_of_settings import check_batches
from wrn_search.networks.parameters_and_macs import num_params
from wrn_search.ray_tune.this_process import check_this_process
from wrn_search.results.s3_copy.copy_of_a_session import looked_at
from wrn_search.results.state_from_events import SearchState
from wrn_search.results.trial_state import FINAL
from wrn_search.session.automatic_compile import resolved_compile
from wrn_search.session.automatic_precision import check_arithmetic, resolved_precision
from wrn_search.session.dry_run_gpu_shares import trial_text
from wrn_search.session.kind_of_run import look_for_tested_images
from wrn_search.session.plan.automatic_cuda_graph import resolved_cuda_graph, with_cuda_graph
from wrn_search.session.plan.measured_objectives import check_energy, offers_of
from wrn_search.session.resume import resumed_search
from wrn_search.session.search_request import (
    Request,
    SpaceLike,
    allotment_of,
    asked_to_resume,
    check_starting_weights,
    memory_of,
    request_of,
)
from wrn_search.session.warm_start import read_sources
from wrn_search.session.which_ray import check_ray
from wrn_search.space.explained.search_in_words import text_of
from wrn_search.space.network_budgets import check_images
from wrn_search.space.rules.across_keys.rules_of_augmentation import check_training_of_images
from wrn_search.space.search_explanation import explanation, network_range
from wrn_search.space.space import Space
from wrn_search.user_paths import results_root
from wrn_search.wording import plural

BYTES_PER_PARAMETER = 8  # weight and momentum, fp32
BYTES_PER_EPOCH = 600  # of a trial: its line in the record, its row in Parquet, its points in TensorBoard
_USUAL_CLASSES = 10  # where only the files can tell
_PRECISION_OF_NODES = (
    "precision     auto: what every node can do, which the search asks when it starts; "
    "the plan reckons with {}"
)


def dry_run(
    space: SpaceLike,
    *,
    overrides: Sequence[str] = (),
    results: str | Path | None = None,
    resume: bool = False,
    retry_failed: bool = False,
    address: str | None = None,
) -> str:
    """The plan of a search in words; looks for the data and the hardware, starts no Ray and writes nothing.

    With `address` the hardware is that of the Ray cluster there; a short process on each of its nodes tells what it can
    compute with, which decides on `precision: auto`.

    Raises:
        InputError: bad input or options, missing data, or a request that this machine cannot meet.
    """
    from wrn_search.images.prepared_data import present_images, remarks_on, size_to_write

    check_this_process()
    plan = _going_on(space, overrides, results, retry_failed) if resume else _new(space, overrides, results)
    request = plan.request
    read_sources(plan.sources, request.directory.path)
    presence, facts = present_images(request.space.dataset)
    check_images(request.space, facts.num_classes, facts.image_shape)
    check_training_of_images(request.space, facts.num_classes, facts.image_shape)
    check_batches(request.space, request.space.dataset.trained_on(facts))
    check_starting_weights(request.space, facts.image_shape)
    look_for_tested_images(request.space)
    check_ray(address)
    machines = _machines(address)
    offer = _offer_of(plan, machines, facts, address)
    nodes, allotment, precision = offer.machines.nodes, offer.allotment, offer.precision
    known = known_facts(request.space, facts)
    feasible = None
    if known is not None and (not resume or plan.has_another_space):
        feasible = feasible_space(request.space, facts, known, allotment, offer.machines, precision)
    if feasible is not None:
        request = replace(request, space=feasible.space)
    trained = with_cuda_graph(request.space, offer.cuda_graph)
    # Of a search that has begun its display tells the rest.
    expected = None if resume else forecast_of(trained, facts, request.rows, allotment, offer.machines)
    lines = [
        text_of(explanation(request.space, rungs_of(request.space), facts)),
        *([feasible.line] if feasible else []),
        f"images        {presence}",
        *([f"prepared      {size.text}"] if (size := size_to_write(request.space.dataset)) else []),
        *(f"warning       {line}" for line in remarks_on(request.space.dataset)),
        *_hardware_lines(trained, facts, nodes, address, allotment, offer.memory, precision),
        *offer.lines,
        *(expected.lines() if expected else []),
        f"results       {request.directory.path} ({plan.where})",
        *([f"copy          {request.address}"] if request.address else []),
        f"disk          {disk_text(request.space, facts, allotment.concurrent, request.rows)}",
        *plan.changes,
        "Dry run: nothing was started or written.",
    ]
    return "\n".join(lines)


@dataclass(frozen=True)
class _Plan:
    """What would be begun, or gone on with."""

    request: Request
    where: str  # what is at the place of the results
    sources: Sequence[str]  # of `search.warm_start`, those that would be read
    state: SearchState | None = None  # of a search that has begun
    changes: Sequence[str] = ()  # lines on what would be different from now on
    has_another_space: bool = (
        False  # of a search that has begun: configurations that could not be proposed before
    )


@dataclass(frozen=True)
class _Offer:
    """What the machines give to each trial, and what they compute in."""

    machines: Machines
    allotment: Allotment
    precision: str
    cuda_graph: str  # on | off
    memory: MachineMemory | None
    lines: Sequence[str]  # on what the nodes of a cluster can compute with


def _offer_of(
    plan: _Plan, machines: Sequence[LivingNode], facts: DatasetFacts, address: str | None
) -> _Offer:
    """Shares, places and precision of the trials of a plan.

    Raises:
        InputError: these machines cannot meet the request.
    """
    request, nodes = plan.request, [machine.offer for machine in machines]
    memory = memory_of(request.space, known_facts(request.space, facts), nodes, plan.state)
    allotment = allotment_of(request, nodes, memory)
    shape, share = facts.image_shape or (0, 0, 0), allotment.gpus_per_trial
    asked = request.space.training.precision
    training = nodes_that_train(machines, share)
    named = offers_of(training)
    offers = [offer for _, offer in named]
    if share and not gpus_are_simulated() and (problems := gpu_problems(training)):
        raise InputError(problems)
    check_arithmetic(request.space.training, share, offers)
    check_energy(request.space.costs, share, named)
    precision = resolved_precision(asked, shape, share, offers, plan.state)
    resolved_compile(request.space.training.compile, share, offers, plan.state)
    cuda_graph = resolved_cuda_graph(request.space, share, offers, plan.state)
    is_resolved_there = address is not None and not (plan.state and plan.state.trials)
    hosts = None if address is None else [node.host for node in training]
    those = Machines(nodes, results_root(), hosts, gpus_are_simulated(), precision)
    lines = _lines_on_nodes(training, asked, precision, share) if is_resolved_there else []
    return _Offer(those, allotment, precision, cuda_graph, memory, lines)


def _new(space: SpaceLike, overrides: Sequence[str], results: str | Path | None) -> _Plan:
    request = request_of(space, overrides, results)
    with looked_at(request.address, request.directory, resume=False) as directory:
        directory.check_new()
    return _Plan(request, "new", request.space.search.warm_start)


def _going_on(
    space: SpaceLike, overrides: Sequence[str], results: str | Path | None, retry_failed: bool
) -> _Plan:
    asked = asked_to_resume(space, overrides, results)
    with looked_at(asked.address, asked.directory, resume=True) as directory:
        request, begun = resumed_search(replace(asked, directory=directory), retry_failed)
    ended = sum(trial.status in FINAL for trial in begun.state.trials.values())
    changes = [f"changed       {change}" for change in begun.changes]
    if retry_failed:
        changes.append(f"tried again   {plural(len(begun.reopened), 'trial')} that failed")
    where = f"{plural(ended, 'trial')} ended there"
    request = replace(request, directory=asked.directory)
    return _Plan(request, where, begun.sources, begun.state, changes, begun.has_another_space)


def _machines(address: str | None) -> list[LivingNode]:
    """The machines that would train, those of a cluster asked what they can compute with."""
    if address is None:
        return [LivingNode("", socket.gethostname(), local_node(), arithmetic_here())]
    from wrn_search.cluster.cluster_address import ray_at

    with ray_at(address) as joined:
        return with_offers(joined)


def _lines_on_nodes(training: Sequence[LivingNode], asked: str, precision: str, share: float) -> list[str]:
    """What the weakest node that trains offers and what follows, or that the nodes decide when the search starts."""
    silent = [node.name for node in training if node.arithmetic is None]
    if silent:
        late = f"; no answer within {SECONDS_FOR_AN_OFFER:g} s from {', '.join(silent)}"
        return [f"{_PRECISION_OF_NODES.format(precision)}{late}"] if asked == "auto" else []
    weakest = weakest_text(training, on_gpus=bool(share) and not gpus_are_simulated())
    follows = f", so auto is {precision} (training.precision)" if asked == "auto" else ""
    return [f"weakest node  {weakest}{follows}"]


def _hardware_lines(
    space: Space,
    facts: DatasetFacts,
    nodes: Sequence[Node],
    address: str | None,
    allotment: Allotment,
    memory: MachineMemory | None,
    precision: str,
) -> list[str]:
    """The machines, how many trials they train at once, and what each gets."""
    each, shares = trial_text(space, nodes, allotment, precision, facts)
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    machines = (
        "this machine" if address is None else f"{plural(len(nodes), 'node')} of the cluster at {address}"
    )
    at_most = allotment.by_memory or (memory is not None and memory.may_wait(allotment))
    return [
        f"hardware      {machines}, {plural(cpus, 'core')} and {plural(gpus, 'GPU')}: "
        f"{plural(allotment.concurrent, 'trial')} at once{' at most' if at_most else ''}, each with {each}"
        f"{memory.text(allotment) if memory else ''}",
        *(f"warning       {line}" for line in (memory.remarks(allotment) if memory else [])),
        *shares,
    ]


def checkpoint_bytes(space: Space, facts: DatasetFacts) -> int:
    """A checkpoint of the largest network of the space, at most."""
    channels = 3 if facts.image_shape is None else facts.image_shape[2]
    _, largest = network_range(space)
    return BYTES_PER_PARAMETER * num_params(largest, facts.num_classes or _USUAL_CLASSES, channels)


def disk_text(space: Space, facts: DatasetFacts, concurrent: int, rows: int) -> str:
    """One line for the plan.

    Args:
        space: the search.
        facts: of its images.
        concurrent: trials at once.
        rows: trials at most.
    """
    best = min(space.search.keep_checkpoints, rows)
    each = checkpoint_bytes(space, facts)
    waiting = max(0, rows - concurrent) if space.waits_at_rungs and rungs_of(space) else 0
    # Each running trial may write its next one beside its last one; what waits at a rung may be the best, too.
    most = (2 * concurrent + max(waiting, best)) * each
    others = f", {waiting} waiting" if waiting else ""
    record = rows * space.training.epochs * BYTES_PER_EPOCH
    return (
        f"checkpoints of {concurrent} running{others} and {best} best trials, {_size(each)} each at most: "
        f"{_size(most)}; record, tables and curves {_size(record)} at most"
    )


def _size(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
