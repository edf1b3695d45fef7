"""What a session trains on: the machines, what each trial gets of them, and what they compute in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.cluster.living_nodes import LivingNode, nodes_that_train
from wrn_search.cluster.node_check import check_nodes
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.hardware.detected_cores_and_gpus import local_node
from wrn_search.hardware.machine import Node
from wrn_search.images.on_disk.stays_mapped import stays_mapped
from wrn_search.images.prepared_data import PreparedData
from wrn_search.lines_on_stderr import warn
from wrn_search.results.state_from_events import SearchState
from wrn_search.session.automatic_compile import resolved_compile
from wrn_search.session.automatic_precision import check_arithmetic, resolved_precision
from wrn_search.session.plan.automatic_cuda_graph import resolved_cuda_graph
from wrn_search.session.plan.measured_objectives import check_energy, offers_of
from wrn_search.session.search_request import Request, allotment_of, memory_of
from wrn_search.session.start_of_a_session import Arithmetic


@dataclass(frozen=True)
class SessionMachines:
    """The machines of one session."""

    nodes: Sequence[Node]
    able: Sequence[LivingNode]  # of a running Ray, those that were looked at; none on this machine alone
    allotment: Allotment
    arithmetic: Arithmetic


def machines_for(
    request: Request, data: PreparedData, facts: DataFacts, joined: Sequence[Node], state: SearchState | None
) -> SessionMachines:
    """The nodes of a running Ray, or this machine, held against what is asked for.

    Raises:
        InputError: they cannot give it.
    """
    nodes = joined or [local_node()]
    memory = memory_of(request.space, facts, nodes, state)
    allotment = allotment_of(request, nodes, memory)
    warn(memory.remarks(allotment) if memory else [])
    asked, share = request.space.training, allotment.gpus_per_trial
    directory, dataset = request.directory.path, request.space.dataset
    weights = request.space.model.init_from
    able = check_nodes(directory, dataset, data.split_hash, share > 0, weights) if joined else []
    training = nodes_that_train(able, share)  # the head may be a small machine: it decides nothing
    offers = offers_of(training)
    machines = [offer for _, offer in offers]
    check_arithmetic(asked, share, machines)
    check_energy(request.space.costs, share, offers)
    arithmetic = Arithmetic(
        resolved_precision(asked.precision, data.image_shape, share, machines, state),
        resolved_compile(asked.compile, share, machines, state),
        resolved_cuda_graph(
            request.space, share, machines, state, images_on_gpu=not stays_mapped(data.directory)
        ),
    )
    return SessionMachines(nodes, able, allotment, arithmetic)
