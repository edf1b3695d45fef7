"""What a machine does that will be taken away: it tells its cluster, and waits until its trials have gone.

Ray calls it draining: no trial is placed on the node any more, and it ends by itself when nothing runs there. A search
follows it (`nodes_joining_and_leaving`).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wrn_search.cluster.cluster_address import check_answers, head_address, no_answer
from wrn_search.errors import InputError
from wrn_search.ray_tune.ray_authentication import authentication
from wrn_search.ray_tune.ray_environment import ray_environment

SIGTERM = "SIGTERM"  # in the place of a file
SECONDS_BETWEEN_LOOKS = 1.0
_HEAD = "node:__internal_head__"  # a resource that Ray gives to the head node alone


@contextmanager
def sigterm_as_notice() -> Iterator[threading.Event]:
    """Set by SIGTERM, which ends nothing for as long as the block lasts."""
    noticed = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: noticed.set())
    try:
        yield noticed
    finally:
        signal.signal(signal.SIGTERM, before)


def wait_for_notice(noticed: threading.Event, file: Path | None) -> str:
    """Waits for SIGTERM or until a file is there; what it was, in words."""
    while not noticed.is_set():
        if file is not None and file.exists():
            return f"{file} is there"
        noticed.wait(SECONDS_BETWEEN_LOOKS)
    return "SIGTERM came"


def leave(address: str, seconds: float, why: str) -> bool:
    """Lets the trials of this machine go elsewhere after the epoch that runs; whether all went in time.

    Args:
        address: of the cluster, HOST:PORT or auto.
        seconds: until the machine is taken away.
        why: for Ray's own log.

    Raises:
        InputError: no cluster answers, or it does not let this machine go: the head must stay.
    """
    end = time.monotonic() + seconds
    with ray_environment(), authentication(check_answers(address)):
        head = head_address(address)
        try:
            here = _nodes_here(head)
        except InputError:
            raise
        except (ValueError, RuntimeError) as error:  # no HOST:PORT, or nobody there speaks Ray's language
            raise no_answer(address, error) from None
        for node_id in here:
            _drain(head, node_id, seconds, why)
        from ray._private.services import find_node_ids

        while here & find_node_ids():
            if time.monotonic() >= end:
                return False
            time.sleep(SECONDS_BETWEEN_LOOKS)
    return True


def _nodes_here(head: str) -> set[str]:
    """Ray's names of the nodes of the cluster that run on this machine, mostly one.

    Without `ray.init`: what connects to a node ends with it.

    Raises:
        InputError: there is none, or the head is one.
    """
    from ray._private import services
    from ray._private.state import GlobalState

    state = GlobalState()
    state._initialize_global_state(services._get_gcs_client_options(head))
    nodes = {node["NodeID"]: node["Resources"] for node in state.node_table() if node["Alive"]}
    here = services.find_node_ids() & nodes.keys()
    if not here:
        raise InputError.of(
            "leave", f"must be called on a machine of the cluster at {head}, but got another one"
        )
    if any(_HEAD in nodes[node_id] for node_id in here):
        text = "must be called on another machine than the head, where searches run; use stop RESULTS there"
        raise InputError.of("leave", text)
    return set(here)


def _drain(head: str, node_id: str, seconds: float, why: str) -> None:
    from ray._raylet import GcsClient  # type: ignore[attr-defined] # compiled
    from ray.core.generated import autoscaler_pb2

    preemption = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
    deadline_ms = int((time.time() + seconds) * 1000)
    accepted, refusal = GcsClient(address=head).drain_node(node_id, preemption, why, deadline_ms)
    if not accepted:
        raise InputError.of("leave", f"the cluster must let this machine go, but got: {refusal}")
