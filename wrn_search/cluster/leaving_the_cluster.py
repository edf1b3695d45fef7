"""What a machine does that will be taken away: it tells its cluster, and waits until its trials have gone.

Ray calls it draining: no trial is placed on the node any more, and it ends by itself when nothing runs there. A search
follows it (`nodes_joining_and_leaving`).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from wrn_search.cluster.cluster_address import check_answers, head_address, no_answer
from wrn_search.errors import InputError
from wrn_search.ray_tune.ray_authentication import authentication
from wrn_search.ray_tune.ray_environment import ray_environment

SIGTERM = "SIGTERM"  # in the place of a file
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_FOR_THE_CLUSTER = (
    60.0  # in which it may come, where the notice is waited for from the machine's start on
)
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


def notice_of(text: str) -> Path | None:
    """The file whose coming is the notice; None for SIGTERM.

    Raises:
        InputError: it is another signal, or a file that cannot come.
    """
    if text == SIGTERM:
        return None
    if (name := _signal_named(text)) is not None:
        got = f"{text}, which looks like a signal" + ("" if name == SIGTERM else ": only SIGTERM is heard")
        raise InputError.of("--wait-for", f"must be SIGTERM or FILE, but got {got} (a file: ./{text})")
    file = Path(text)
    if not text or file.is_dir():
        got = f"the folder {file}" if text else "an empty name"
        raise InputError.of("--wait-for", f"must be SIGTERM or FILE, but got {got}")
    if not file.parent.is_dir():
        text = f"must be a file in a folder that is there, but got {file}: there is no folder {file.parent}"
        raise InputError.of("--wait-for", text)
    return file


def _signal_named(text: str) -> str | None:
    """The signal that somebody means by `TERM`, `sigusr1` or `15`; None where it is none."""
    names = {each.name for each in signal.Signals}
    if text.isascii() and text.isdecimal():
        return next((each.name for each in signal.Signals if each.value == int(text)), None)
    return next((name for name in (text.upper(), f"SIG{text.upper()}") if name in names), None)


class HeadStays(InputError):
    """The head of a cluster cannot leave it."""


class Leaving:
    """This machine in its cluster, found before the notice comes: telling the cluster takes no time then."""

    def __init__(self, address: str):
        self._address = address
        self._head, self._here = _found(address)

    def tell(self, seconds: float, why: str) -> None:
        """Lets the cluster know that this machine will be taken away in so many seconds; no trial begins here any more.

        Raises:
            InputError: no cluster answers any more, or it does not let this machine go.
        """
        from ray._private.services import find_node_ids

        if not self._here & find_node_ids():  # Ray was started anew here since, or has ended
            self._head, self._here = _found(self._address)
        for node_id in self._here:
            _drain(self._head, node_id, seconds, why)

    def have_gone(self, until: float) -> bool:
        """Waits until Ray has ended on this machine, as it does when its trials have gone; whether before `until`."""
        from ray._private.services import find_node_ids

        while self._here & find_node_ids():
            if time.monotonic() >= until:
                return False
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return True


@contextmanager
def in_the_cluster(
    address: str, patience: float = 0.0, tell: Callable[[str], None] | None = None
) -> Iterator[Leaving]:
    """This machine as a node of a cluster, for as long as the block lasts.

    Args:
        address: of the cluster, HOST:PORT or auto.
        patience: seconds in which the cluster may still come, and this machine join it.
        tell: hears once what is waited for.

    Raises:
        InputError: no cluster answers, this machine is not in it, or it is the head, which must stay.
    """
    end = time.monotonic() + patience
    while True:
        with ExitStack() as connection:
            try:
                connection.enter_context(ray_environment())
                connection.enter_context(authentication(check_answers(address)))
                found = Leaving(address)
            except InputError as error:
                if isinstance(error, HeadStays) or time.monotonic() >= end:
                    raise
                if tell is not None:
                    tell(f"not in the cluster yet, tried again for {patience:g} s: {error}")
                    tell = None
            else:
                yield found
                return
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _found(address: str) -> tuple[str, set[str]]:
    """(HOST:PORT of the head, Ray's names of the nodes that run here).

    Raises:
        InputError: see `in_the_cluster`.
    """
    head = head_address(address)
    try:
        return head, _nodes_here(head)
    except InputError:
        raise
    except (ValueError, RuntimeError) as error:  # no HOST:PORT, or nobody there speaks Ray's language
        raise no_answer(address, error) from None


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
        raise HeadStays.of("leave", text)
    return set(here)


def _drain(head: str, node_id: str, seconds: float, why: str) -> None:
    from ray._raylet import GcsClient  # type: ignore[attr-defined] # compiled
    from ray.core.generated import autoscaler_pb2

    preemption = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
    deadline_ms = int((time.time() + seconds) * 1000)
    accepted, refusal = GcsClient(address=head).drain_node(node_id, preemption, why, deadline_ms)
    if not accepted:
        raise InputError.of("leave", f"the cluster must let this machine go, but got: {refusal}")
