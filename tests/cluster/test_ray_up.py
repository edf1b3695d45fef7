"""`cluster/local.yaml` as a user runs it: `ray up`, `ray submit`, `ray job submit` and `ray down`, over real ssh."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import wrn_search
from tests.cluster.hosts import TwoHosts, why_not

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = "cluster/local.yaml"
SPACE = "search_spaces/digits_quickstart.yaml"
QUICK = ["training.epochs=3", "search.scheduler=none", "search.searcher=random", "model.widen_factor=1"]

REASON = why_not()
pytestmark = [pytest.mark.cluster, pytest.mark.skipif(REASON is not None, reason=str(REASON))]


@pytest.fixture(scope="module")
def hosts() -> Iterator[TwoHosts]:
    """The laptop with the project, and two machines, not yet a cluster."""
    base = Path(tempfile.mkdtemp(prefix="wrn-cluster-", dir="/var/tmp"))
    hosts = None
    try:
        hosts = TwoHosts(base)
        _project(hosts)
        yield hosts
    finally:
        if hosts is not None:
            hosts.close()
        shutil.rmtree(base)


@pytest.fixture(scope="module")
def cluster(hosts: TwoHosts) -> Iterator[TwoHosts]:
    """The same after `ray up`, once both machines are in; `ray down` at the end."""
    _ray(hosts, "up", "-y", CLUSTER)
    end = time.monotonic() + 600
    while "2 local.cluster.node" not in (status := _ray(hosts, "exec", CLUSTER, "ray status").stdout):
        assert time.monotonic() < end, status
        time.sleep(1)
    yield hosts
    _ray(hosts, "down", "-y", CLUSTER)
    # `ray down` stops the head; workers end once they have missed it for a minute.
    end = time.monotonic() + 600
    while any("raylet" in host.run("ps", "ax").stdout for host in (hosts.head, hosts.worker)):
        assert time.monotonic() < end, "Ray runs on after ray down"
        time.sleep(1)


def _project(hosts: TwoHosts) -> None:
    """The project's files on the laptop, with the lines that are marked EDIT edited."""
    project = hosts.laptop.home / "project"
    for name in ("wrn_search", "search_spaces", "cluster"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [ROOT / "run_search.py", *ROOT.glob("requirements*.txt"), ROOT / ".gitignore"]:
        shutil.copy(path, project)
    file = project / CLUSTER
    text = file.read_text()
    for shipped, edited in {
        "head_ip: 192.0.2.10 ": f"head_ip: {hosts.addresses['head']} ",
        "worker_ips: [192.0.2.11, 192.0.2.12] ": f"worker_ips: [{hosts.addresses['worker']}] ",
        "ssh_user: researcher ": "ssh_user: root ",
        "ssh_private_key: ~/.ssh/id_ed25519 ": f"ssh_private_key: {hosts.key} ",
        "--results /shared/wrn-search/results": f"--results {hosts.shared}/results",
    }.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, edited)
    file.write_text(text)


def _ray(hosts: TwoHosts, *command: str, check: bool = True):
    return hosts.laptop.run("ray", *command, cwd=hosts.laptop.home / "project", check=check)


def _set(*values: str) -> list[str]:
    """The options that set values."""
    return [part for value in [*QUICK, *values] for part in ("--set", value)]


def _submit(hosts: TwoHosts, *options: str, check: bool = True):
    return _ray(hosts, "submit", CLUSTER, "run_search.py", SPACE, "--address", "auto", *options, check=check)


def test_without_a_cluster_the_command_says_what_to_start(hosts: TwoHosts) -> None:
    """Before `cluster` is asked for: no Ray runs where the laptop can see it."""
    began = time.monotonic()
    done = hosts.laptop.run(
        "python", "run_search.py", SPACE, "--address", "auto", cwd=hosts.laptop.home / "project", check=False
    )
    assert (
        time.monotonic() - began < 60
    )  # 15 s where other tests leave it a core; Ray itself tries for minutes
    assert done.returncode == 2
    assert done.stderr.startswith(
        "--address: a Ray cluster must answer at auto (start one with `ray start --head` or "
    )
    assert len(done.stderr.splitlines()) == 1


def test_a_search_runs_on_both_machines(cluster: TwoHosts) -> None:
    # `ray submit` joins its arguments unquoted: what the remote shell would take for itself has quotes of its own.
    # All the cores of a node for a trial: the next one must take the other node, however soon this one ends.
    cores = cluster.head.run("nproc").stdout.strip()
    done = _submit(
        cluster,
        *_set("search.trials=4", "'model.depth={choice: [10]}'", f"resources.cpus_per_trial={cores}"),
        *_set("training.epochs=6"),
    )
    results = cluster.shared / "results" / "digits_quickstart"
    assert f"Results: {results}" in done.stdout
    trials, epochs = wrn_search.read(results)
    assert trials["status"].tolist() == ["completed"] * 4
    assert set(trials["depth"]) == {10}
    assert set(trials["node"]) == {"wrn-head", "wrn-worker"}
    assert epochs.groupby("trial_id")["epoch"].apply(list).tolist() == [[1, 2, 3, 4, 5, 6]] * 4
    for host in (cluster.head, cluster.worker):  # each prepared the images, once
        assert len(list((host.home / ".cache/wrn-search/prepared").glob("digits-[!s]*/meta.json"))) == 1


def test_a_job_runs_with_the_working_directory_that_it_brings(cluster: TwoHosts) -> None:
    script = ["python", "run_search.py", SPACE, "--address", "auto"]
    script += _set("search.trials=2", "model.depth={choice: [10]}", "name=job")
    brought = ["--address", "http://127.0.0.1:8265", "--working-dir", ".", "--"]
    done = _ray(cluster, "job", "submit", *brought, *script)
    assert "succeeded" in done.stdout
    trials, _ = wrn_search.read(cluster.shared / "results" / "job")
    assert trials["status"].tolist() == ["completed"] * 2

    lost = _ray(cluster, "job", "submit", *brought, *script, "--results", "results/lost", check=False)
    assert lost.returncode == 1
    assert (
        "--results: must be a directory that outlives the job, but got Ray's scratch for it (" in lost.stdout
    )


def test_storage_that_a_node_cannot_use_is_told_with_its_name(cluster: TwoHosts) -> None:
    rule = (
        "--results: must be a directory on storage that all nodes share and can write, but got on wrn-worker"
    )
    own = _submit(cluster, *_set(), "--results", "/dev/shm/own/out", check=False)
    assert own.returncode != 0
    assert (
        f"{rule} ({cluster.addresses['worker']}): the driver's files are not in /dev/shm/own/out"
        in own.stdout
    )
    assert cluster.head.run("ls", "/dev/shm").stdout == ""  # nothing is left of the attempt

    shared = str(cluster.shared)
    cluster.worker.run("mount", "--bind", "-o", "ro", shared, shared)
    try:
        locked = _submit(cluster, *_set(), "--results", f"{shared}/locked", check=False)
    finally:
        cluster.worker.run("umount", shared)
    assert f"{rule} ({cluster.addresses['worker']}): Read-only file system ({shared}/locked)" in locked.stdout
    assert not (cluster.shared / "locked").exists()
