"""No token in the user's home, where it would lock the user's own cluster out: not from a search, not from our tests.

Ray 2.60 makes `~/.ray/auth_token` at the first `ray.init` that starts a Ray in its default mode. From then on
`ray start --head` demands it and `ray start --address` does not show it, so nodes of a cluster that worked before are
refused.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.cluster.hosts import why_not

ROOT = Path(__file__).resolve().parents[2]
RAY = Path(sysconfig.get_path("scripts")) / "ray"
# In namespaces: a cluster as Ray starts it by itself, of two nodes, and its word on who is in.
CLUSTER = f"""
set -e
ip link set lo up
echo "127.0.0.1 localhost $(hostname)" > "$HOME/hosts" && mount --bind "$HOME/hosts" /etc/hosts  # no name server here
mkdir -p /tmp/ray && mount -t tmpfs tmpfs /tmp/ray && mount -t tmpfs tmpfs /dev/shm
cluster() {{
    options="--num-cpus=1 --node-ip-address=127.0.0.1 --disable-usage-stats"
    {RAY} start --head --port=7391 --include-dashboard=false $options
    {RAY} start --address=127.0.0.1:7391 $options
    for _ in $(seq 30); do  # a node is told some seconds after it has come
        {RAY} status --address 127.0.0.1:7391 > "$HOME/status-$1"
        [ "$(grep -c ' node_' "$HOME/status-$1")" != 2 ] || break
        sleep 1
    done
    {RAY} stop --force
}}
search="{sys.executable} {ROOT}/run_search.py {ROOT}/search_spaces/digits_quickstart.yaml --set search.trials=1 \
    --set search.scheduler=none --set search.searcher=random --quiet"
cluster before
$search --set training.epochs=1 --results $HOME/ended
cluster after
$search --set training.epochs=500 --results $HOME/killed & pid=$!
until [ -e $HOME/killed/events.jsonl ] && grep -q '"reported"' $HOME/killed/events.jsonl; do sleep 0.2; done
kill -9 $pid
wait $pid || true
cluster "after a kill"
"""


def test_a_ray_of_our_tests_leaves_none(tmp_path: Path) -> None:
    """A developer's own cluster works as it did before `make test`."""
    program = (
        "import ray; ray.init(address='local', num_cpus=1, include_dashboard=False, log_to_driver=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.cluster
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_a_cluster_without_a_token_works_after_searches_as_before(tmp_path: Path) -> None:
    spaces = ["--net", "--mount", "--pid", "--ipc", "--fork", "--mount-proc", "--kill-child"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        ["unshare", *spaces, "bash", "-c", CLUSTER],
        env=kept | {"HOME": str(tmp_path), "TMPDIR": "/tmp"},
        capture_output=True,
        text=True,
        timeout=1200,  # seconds on quiet cores: a minute
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for moment in ("before", "after", "after a kill"):
        status = (tmp_path / f"status-{moment}").read_text()
        assert status.count(" node_") == 2, (moment, status)
    assert list(tmp_path.glob(".ray/*")) == []
