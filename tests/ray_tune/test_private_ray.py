"""A private Ray: who may speak to it, and what it leaves behind in the user's home and process."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a notebook would do, and what it would find afterwards. A trial process takes part: it listens, too.
PROGRAM = """
import json, logging, os, signal, sys, time, traceback
from pathlib import Path
import psutil
from wrn_search.hardware.machine import Node
from wrn_search.ray_tune.private_ray import own_ray
import ray  # read before we say how it should be
class Heard(list):
    def stream(self, name):
        import io
        heard = self
        class Stream(io.StringIO):
            def write(self, text):
                heard.append(f"{name}: {text}")
                return len(text)
        return Stream()
heard = Heard()
stdout, stderr = sys.stdout, sys.stderr
sys.excepthook = lambda *error: traceback.print_exception(*error, file=stderr)
sys.stdout, sys.stderr = heard.stream("stdout"), heard.stream("stderr")
levels = [logging.getLogger(name).level for name in ("ray", "ray.tune.tune")]
before = dict(os.environ), signal.getsignal(signal.SIGTERM)
from ray._private import parameter, services, utils
utils.get_dashboard_dependency_error = lambda: None  # as with `pip install ray[default]`
def what_starts_ray():
    return utils.get_dashboard_dependency_error, services.start_api_server, parameter.RayParams
started_by = what_starts_ray()
with own_ray(Node(cpus=1, gpus=0)):
    import ray
    from ray._raylet import GcsClient

    @ray.remote
    def seen():
        return dict(os.environ)

    @ray.remote(max_retries=0)
    def dies():
        os._exit(1)

    there = ray.get(seen.remote())
    from wrn_search.ray_tune.fault_note import _tail_on_its_node
    log = Path.home().parent / "worker.err"
    log.write_text("what it said")
    of_a_node = _tail_on_its_node(ray.get_runtime_context().get_node_id(), log)
    of_nobody = _tail_on_its_node("f" * 56, log)
    log.unlink()
    try:
        ray.get(dies.remote())
    except ray.exceptions.WorkerCrashedError:
        pass  # and Ray tells it, in colours, some time later
    end = time.monotonic() + 60
    while not any("(raylet)" in told for told in heard) and time.monotonic() < end:
        time.sleep(0.1)
    ours = psutil.Process()
    servers, agents, listening = [], [], []
    for process in [ours, *ours.children(recursive=True)]:
        try:
            command = process.cmdline()
            servers += [word for word in command if word.endswith(("/dashboard/dashboard.py", "monitor.py"))]
            agents += [word.split() for word in command if word.startswith("--dashboard_agent_command=")]
            if process.name() == "raylet":
                starts_workers = process.environ().get("RAY_prestart_worker_first_driver")
            for connection in process.net_connections():
                if connection.status == psutil.CONN_LISTEN:
                    listening.append((process.name(), connection.laddr.ip))
        except psutil.NoSuchProcess:
            pass  # it has ended meanwhile
    address = ray.get_runtime_context().gcs_address
    stranger = ["-c", f"from ray._raylet import GcsClient; GcsClient(address={address!r})"]
    import subprocess
    clean = {name: value for name, value in os.environ.items() if "AUTH" not in name}
    strangers = subprocess.run([sys.executable, *stranger], env=clean, capture_output=True, text=True)
changed = {name for name in {*os.environ, *before[0]} if os.environ.get(name) != before[0].get(name)}
print(json.dumps({
    "listening": listening,
    "servers": servers,
    "agents": agents,
    "starts_workers": starts_workers,
    "started_as_before": what_starts_ray() == started_by,
    "logs": [of_a_node, of_nobody],
    "trial_mode": there.get("RAY_AUTH_MODE"),
    "stranger": strangers.stderr,
    "changed": sorted(changed),
    "sigterm": signal.getsignal(signal.SIGTERM) == before[1],
    "levels": levels == [logging.getLogger(name).level for name in ("ray", "ray.tune.tune")],
    "heard": heard,
    "home": sorted(str(path) for path in Path.home().rglob("*") if path.is_file()),
}), file=stdout)
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process sees of its private Ray, and after it."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TUNE_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=kept | {"HOME": str(home), "RAY_AUTH_MODE": "disabled", "TUNE_GLOBAL_CHECKPOINT_S": "10"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_it_listens_on_loopback_only(seen) -> None:
    assert {"gcs_server", "raylet"} <= {name for name, _ in seen["listening"]}

    def is_loopback(text: str) -> bool:
        address = ipaddress.ip_address(text)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback

    assert [each for each in seen["listening"] if not is_loopback(each[1])] == []


def test_what_only_clusters_need_is_not_started(seen) -> None:
    """Servers of dashboard and jobs, the autoscaler's monitor, who forwards logs: seconds of every search."""
    assert seen["servers"] == []
    (agent,) = seen["agents"]  # as where `ray[default]` is not installed
    assert "--minimal" in agent
    assert seen["started_as_before"]


def test_no_processes_wait_for_tasks_that_never_come(seen) -> None:
    """Ray would start one at each core."""
    assert seen["starts_workers"] == "0"


def test_other_users_of_the_machine_cannot_speak_to_it(seen) -> None:
    assert seen["trial_mode"] == "token"
    assert "AuthenticationError" in seen["stranger"]


def test_the_log_of_a_process_that_died_on_another_node_is_had_from_there(seen) -> None:
    there, gone = seen["logs"]
    assert there == "what it said"
    assert gone.startswith("(it cannot be had: ")


def test_it_leaves_no_token_in_the_home(seen) -> None:
    """With one there, `ray start --head` would demand it, and nodes and searches of a cluster would be refused."""
    assert seen["home"] == []


def test_the_environment_is_as_before(seen) -> None:
    assert seen["changed"] == []


def test_sigterm_ends_the_process_as_before(seen) -> None:
    assert seen["sigterm"]


def test_the_levels_of_ray_s_loggers_are_as_before(seen) -> None:
    assert seen["levels"]


def test_what_ray_says_goes_to_stderr_and_is_plain(seen) -> None:
    """Stdout is for results."""
    (told,) = (each for each in seen["heard"] if "(raylet)" in each)
    assert told.startswith("stderr: (raylet) A worker died")
    assert not any(each.startswith("stdout") or "\x1b" in each for each in seen["heard"])
