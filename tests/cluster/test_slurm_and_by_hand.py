"""`cluster/slurm.sh` and a cluster by hand, as docs/cluster.md has it: two machines in namespaces, real Ray nodes.

Slurm itself is played: its `srun` reaches the other machine by ssh, with the environment and the folder of the job.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import wrn_search
from tests.cluster.hosts import DEADLINE, Host, TwoHosts, why_not

ROOT = Path(__file__).resolve().parents[2]
SPACE = "search_spaces/digits_quickstart.yaml"
QUICK = ["search.scheduler=none", "search.searcher=random", "model.depth={choice: [10]}"]
REASON = why_not()
pytestmark = [pytest.mark.cluster, pytest.mark.skipif(REASON is not None, reason=str(REASON))]

# `scontrol show hostnames LIST`, for the one list that there is.
SCONTROL = "#!/bin/bash\n[ \"$1 $2 $3\" = 'show hostnames wrn-[head,worker]' ] && printf 'wrn-head\\nwrn-worker\\n'\n"
SRUN = """#!/bin/bash
# Runs a command on the nodes of the job that its options name, as slurm.sh uses them; an unknown option is refused.
nodes=(wrn-head wrn-worker) count=
while [[ $1 == --* ]]; do
    case "$1" in
        --nodelist=*) nodes=("${1#*=}") ;;
        --exclude=*) nodes=($(printf '%s\\n' "${nodes[@]}" | grep -vx "${1#*=}")) ;;
        --nodes=*) count=${1#*=} ;;
        --ntasks=*) [ "${1#*=}" = "$count" ] || exit 90 ;;
        --ntasks-per-node=1) ;;
        *) echo "srun: unrecognized option '$1'" >&2 && exit 91 ;;
    esac
    shift
done
[ -z "$count" ] || [ "$count" = "${#nodes[@]}" ] || exit 92
echo "${nodes[*]}: $*" >> BASE/srun.log
command=$(printf '%q ' "$@") pids=()
for node in "${nodes[@]}"; do
    if [ "$node" = "$(hostname)" ]; then
        "$@" &
    else
        environment=$(mktemp BASE/environment-XXXXXX)
        export -p | grep -vE ' (HOME|TMPDIR|HOSTNAME)=' > "$environment"
        ssh -i BASE/key -o StrictHostKeyChecking=no -o LogLevel=ERROR "root@$node" \\
            ". $environment && cd $(printf %q "$PWD") && exec $command" &
    fi
    pids+=($!)
done
status=0
for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
exit $status
"""


@pytest.fixture(scope="module")
def hosts() -> Iterator[TwoHosts]:
    """Two machines, Slurm's programs, and the project on storage that both see."""
    base = Path(tempfile.mkdtemp(prefix="wrn-cluster-", dir="/var/tmp"))
    hosts = None
    try:
        hosts = TwoHosts(base)
        programs = base / "slurm"
        programs.mkdir()
        for name, text in {"srun": SRUN, "scontrol": SCONTROL}.items():
            (programs / name).write_text(text.replace("BASE", str(base)))
            (programs / name).chmod(0o755)
        for name in ("wrn_search", "search_spaces", "cluster"):
            shutil.copytree(
                ROOT / name, base / "project" / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        for path in [ROOT / "run_search.py", *ROOT.glob("requirements*.txt")]:
            shutil.copy(path, base / "project")
        yield hosts
    finally:
        if hosts is not None:
            hosts.close()
        shutil.rmtree(base)


def _end_of_job(hosts: TwoHosts) -> None:
    """Slurm ends all that a job has left on its nodes."""
    for host in (hosts.head, hosts.worker):
        host.run("ray", "stop", "--force")


def _set(*values: str) -> list[str]:
    return [part for value in [*QUICK, *values] for part in ("--set", value)]


def _job(hosts: TwoHosts, number: int, *arguments: str) -> subprocess.Popen[str]:
    """`sbatch cluster/slurm.sh ...`, begun on the first node of the job."""
    path = f"{hosts.base}/slurm:{hosts.head.environment.get('PATH', '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')}"
    variables = {
        "SLURM_SUBMIT_DIR": f"{hosts.base}/project",
        "SLURM_JOB_ID": str(number),
        "SLURM_JOB_NODELIST": "wrn-[head,worker]",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_CPUS_PER_TASK": "1",
        "WRN_SEARCH_RESULTS": f"{hosts.shared}/slurm",
        "PATH": path,
    }
    settings = [f"{name}={value}" for name, value in variables.items()]
    script = f"{hosts.base}/project/cluster/slurm.sh"
    return hosts.head.begin("env", *settings, "bash", script, *arguments, output=_output(hosts, number))


def _output(hosts: TwoHosts, number: int) -> Path:
    """Where a job's words go: Ray's processes, which outlive the script, write there, too."""
    return hosts.base / f"wrn-search-{number}.out"


def _ended(hosts: TwoHosts, job: subprocess.Popen[str], number: int) -> tuple[int, str]:
    """Status and words of a job, once its script has ended and Slurm has cleared its nodes."""
    try:
        status = job.wait(timeout=DEADLINE)
    finally:
        job.kill()
        _end_of_job(hosts)
    return status, _output(hosts, number).read_text()


def _both_trained(results: Path, trials: int, epochs: int) -> None:
    table, rows = wrn_search.read(results)
    assert table["status"].tolist() == ["completed"] * trials
    assert set(table["node"]) == {"wrn-head", "wrn-worker"}
    assert sorted(zip(rows["trial_id"], rows["epoch"], strict=True)) == [
        (trial, epoch) for trial in sorted(table["trial_id"]) for epoch in range(1, epochs + 1)
    ]


def test_a_job_of_slurm_searches_on_its_nodes_stops_before_its_end_and_goes_on(hosts: TwoHosts) -> None:
    results = hosts.shared / "slurm" / "digits_quickstart"
    asked = [SPACE, *_set("search.trials=6", "training.epochs=8")]
    job = _job(hosts, 4711, *asked)
    end = time.monotonic() + DEADLINE
    while not (
        (results / "events.jsonl").exists() and '"reported"' in (results / "events.jsonl").read_text()
    ):
        assert job.poll() is None, _output(hosts, 4711).read_text()
        assert time.monotonic() < end
        time.sleep(0.2)
    (script,) = [
        int(pid)
        for pid, command in re.findall(
            r"^ *(\d+) (.*)$", hosts.head.run("ps", "ax", "-o", "pid,args").stdout, re.M
        )
        if command.startswith("bash ") and "slurm.sh" in command
    ]
    hosts.head.run("kill", f"-{signal.SIGTERM.value}", str(script))  # --signal=B:TERM@60
    status, output = _ended(hosts, job, 4711)
    assert status == 130, output
    assert "--resume" in output

    job = _job(hosts, 4712, *asked, "--resume")
    status, output = _ended(hosts, job, 4712)
    assert status == 0, output
    assert f"Results: {results}" in output
    _both_trained(results, 6, 8)
    ran = (hosts.base / "srun.log").read_text().splitlines()
    assert [
        line.partition(" --num-cpus")[0].partition(" --node-ip")[0] for line in ran if "ray start" in line
    ] == [
        "wrn-head: ray start --head",
        f"wrn-worker: ray start --address={hosts.addresses['head']}:24711",
        "wrn-head: ray start --head",
        f"wrn-worker: ray start --address={hosts.addresses['head']}:24712",
    ]


def _commands_by_hand() -> list[str]:
    """The lines of docs/cluster.md, without their remarks."""
    section = (ROOT / "docs" / "cluster.md").read_text().partition("\n## By hand\n")[2].partition("\n## ")[0]
    block = section.partition("\n```sh\n")[2].partition("\n```\n")[0]
    return [line.partition(" #")[0].strip() for line in block.splitlines()]


def _shell(host: Host, hosts: TwoHosts, *lines: str) -> str:
    return host.run("bash", "-ec", "\n".join(["cd " + str(hosts.base / "project"), *lines])).stdout


def test_a_cluster_by_hand_as_the_page_says(hosts: TwoHosts) -> None:
    install, head, other, search = (
        line.replace("/shared/wrn-search", str(hosts.shared / "hand")).replace(
            "FIRST", hosts.addresses["head"]
        )
        for line in _commands_by_hand()
    )
    for host, start in ((hosts.head, head), (hosts.worker, other)):
        _shell(host, hosts, install, start)
    small = search.replace("search_spaces/cifar_width_depth.yaml", SPACE)
    # All the cores of a node for a trial: the next one must take the other node, however soon this one ends.
    cores = f"resources.cpus_per_trial={hosts.head.run('nproc').stdout.strip()}"
    options = " ".join(f"'{part}'" for part in _set("search.trials=4", "training.epochs=3", cores))
    environment = ". ~/.wrn-search/env.sh"
    try:
        output = _shell(
            hosts.worker, hosts, environment, f"{small} {options}"
        )  # on any machine: not the head
    finally:
        _end_of_job(hosts)
    results = hosts.shared / "hand" / "results" / "digits_quickstart"
    assert f"Results: {results}" in output
    _both_trained(results, 4, 3)
