"""What is expected of a search when it begins: it goes on record, and is held against what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wrn_search.cluster.living_nodes import LivingNode
from wrn_search.datasets.dataset import DatasetFacts
from wrn_search.decisions.trials_at_once import Allotment
from wrn_search.forecast.forecast_here import Machines, forecast_of
from wrn_search.hardware.arithmetic_on_offer import gpus_are_simulated
from wrn_search.hardware.machine import Node
from wrn_search.images.prepared_data import PreparedData
from wrn_search.session.search_request import Request
from wrn_search.user_paths import results_root


def prediction_of(
    request: Request,
    data: PreparedData,
    allotment: Allotment,
    nodes: Sequence[Node],
    able: Sequence[LivingNode],
    precision: str,
) -> dict[str, Any] | None:
    """The prediction as plain values; None for a search that is too large to be played.

    No probe takes a GPU that trials need: there it goes by earlier trials, else by what is assumed.

    Args:
        request: the search.
        data: its images.
        allotment: how many trials run at once.
        nodes: that train.
        able: the same of a cluster, with their names; none where it is this machine.
        precision: resolved.
    """
    hosts = [node.host for node in able] or None
    probes = None if allotment.gpus_per_trial else precision
    machines = Machines(nodes, results_root(), hosts, gpus_are_simulated(), probes)
    facts = DatasetFacts(data.num_classes, data.image_shape, data.train_images + data.validation_images)
    expected = forecast_of(request.space, facts, request.rows, allotment, machines)
    return None if expected is None else expected.prediction()
