"""Which Ray a session uses: the cluster at an address, the one that a notebook has started, or one of its own."""

from __future__ import annotations

import sys
from contextlib import ExitStack

from wrn_search.cluster.cluster_address import check_answers, ray_at
from wrn_search.cluster.living_nodes import is_connected, joined_nodes
from wrn_search.hardware.detected_cores_and_gpus import local_node
from wrn_search.hardware.machine import Node
from wrn_search.ray_tune.exception_texts import last_line
from wrn_search.ray_tune.private_ray import check_own_ray, own_ray
from wrn_search.ray_tune.this_process import check_this_process
from wrn_search.ray_tune.trial_imports import package_in_a_running_ray
from wrn_search.session.search_result import SearchFailed


def check_ray(address: str | None) -> None:
    """Sees to it that there is a Ray at the address, or that one of our own can start here.

    Raises:
        InputError: there is none, or it cannot.
    """
    check_this_process()
    if address is not None:
        check_answers(address)
    elif not _is_running():
        check_own_ray()


def _is_running() -> bool:
    """Whether this process (a notebook) has started a Ray, or is connected to one."""
    return "ray" in sys.modules and is_connected()


def nodes_of_a_running_ray(address: str | None, stack: ExitStack) -> list[Node]:
    """Nodes of the cluster at `address`, or of the Ray that a notebook has started; none means a Ray of our own."""
    if address is not None:
        return [node.offer for node in stack.enter_context(ray_at(address))]
    if not _is_running():
        return []
    stack.enter_context(package_in_a_running_ray())
    return joined_nodes()


def start_own_ray(stack: ExitStack) -> None:
    """Before anything is on record: a session that never began leaves nothing behind.

    Raises:
        SearchFailed: it does not start.
    """
    try:
        stack.enter_context(own_ray(local_node()))
    except Exception as error:
        text = f"Ray did not start: {last_line(error)}; nothing was trained or put on record"
        raise SearchFailed(text) from error
