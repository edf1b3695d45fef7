"""What is expected of a search when it begins: it goes on record, and is held against what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from wrn_search.cluster.living_nodes import LivingNode, nodes_that_train
from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.image_facts import DataFacts
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.forecast.feasible_networks import feasible_space
from wrn_search.forecast.forecast_here import Machines, forecast_of
from wrn_search.hardware.arithmetic_on_offer import gpus_are_simulated
from wrn_search.hardware.machine import Node
from wrn_search.images.prepared_data import PreparedData
from wrn_search.lines_on_stderr import tell, warn
from wrn_search.session.search_request import Request
from wrn_search.user_paths import results_root


def with_feasible_networks(
    request: Request,
    data: PreparedData,
    facts: DataFacts,
    allotment: Allotment,
    nodes: Sequence[Node],
    able: Sequence[LivingNode],
    precision: str,
) -> Request:
    """The request with the networks that are predicted to keep to the constraints of these machines.

    Raises:
        InputError: there is none.
    """
    images = _facts_of(data)
    machines = _machines(nodes, able, allotment, precision)
    found = feasible_space(request.space, images, facts, allotment, machines, precision)
    if found is None:
        return request
    tell(" ".join(found.line.split()))
    return replace(request, space=found.space)


def _facts_of(data: PreparedData) -> DatasetFacts:
    """The images as they are split."""
    images = data.train_images, data.validation_images
    return DatasetFacts(data.num_classes, data.image_shape, images[0], validation_images=images[1])


def prediction_of(
    request: Request,
    data: PreparedData,
    allotment: Allotment,
    nodes: Sequence[Node],
    able: Sequence[LivingNode],
    precision: str,
) -> dict[str, Any] | None:
    """The prediction as plain values; None for a search that is too large to be played.

    Whatever goes wrong with it is one line on stderr: the search needs it for nothing.

    No probe takes a GPU that trials need: there it goes by earlier trials, else by what is assumed.

    Args:
        request: the search.
        data: its images.
        allotment: how many trials run at once.
        nodes: that train.
        able: the same of a cluster, with their names; none where it is this machine.
        precision: resolved.
    """
    machines = _machines(nodes, able, allotment, precision)
    facts = _facts_of(data)
    try:
        expected = forecast_of(request.space, facts, request.rows, allotment, machines)
    except Exception as error:
        warn([f"what the search will take could not be predicted: {error or type(error).__name__}"])
        return None
    return None if expected is None else expected.prediction()


def _machines(
    nodes: Sequence[Node], able: Sequence[LivingNode], allotment: Allotment, precision: str
) -> Machines:
    """Those that train; their CPUs may be probed, their GPUs not."""
    hosts = [node.host for node in nodes_that_train(able, allotment.gpus_per_trial)] or None
    probes = None if allotment.gpus_per_trial and not gpus_are_simulated() else precision
    return Machines(nodes, results_root(), hosts, gpus_are_simulated(), probes)
