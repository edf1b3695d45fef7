"""Clusters of Ray with and without a token, and a driver with the right one, another one or none.

The head nodes live in namespaces of their own, so that nothing here meets another Ray of this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from wrn_search.cluster.cluster_token import _without_warnings_of_a_refusal

ROOT = Path(__file__).resolve().parents[2]
OURS, OTHER = "a" * 64, "b" * 64
ADDRESS = "127.0.0.1:7391"
# Ray's head, then what is asked of it; all ends with the namespace.
HEAD = f"""
ip link set lo up
mkdir -p /tmp/ray && mount -t tmpfs tmpfs /tmp/ray
"$@" > $HOME/ray.log 2>&1 || {{ cat $HOME/ray.log >&2; exit 9; }}
exec {sys.executable} -c "$PROGRAM"
"""
PROGRAM = f"""
import json, os
from pathlib import Path
from wrn_search.cluster.cluster_address import check_answers, ray_at
from wrn_search.errors import InputError
home, told = Path.home(), {{}}
def ask(case, file=None, address={ADDRESS!r}, run=False, **variables):
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS"):
        os.environ.pop(name, None)
    os.environ.update(variables)
    (home / ".ray").mkdir(exist_ok=True)
    (home / ".ray" / "auth_token").unlink(missing_ok=True)
    if file:
        (home / ".ray" / "auth_token").write_text(file)
    try:
        told[case] = check_answers(address)
        if run:  # seconds: the code is shipped
            with ray_at(address) as nodes:
                import ray
                told[case] = ray.get(ray.remote(lambda: len(nodes)).remote(), timeout=60)
    except InputError as error:
        told[case] = str(error)
ask("none")
ask("ours, a file", file={OURS!r})
ask("ours, found", file={OURS!r}, address="auto", run=True, RAY_ADDRESS={ADDRESS!r})
ask("another, a variable", RAY_AUTH_TOKEN={OTHER!r}, file={OURS!r})
ask("another, a file", file={OTHER!r})
ask("switched off", RAY_AUTH_MODE="disabled", RAY_AUTH_TOKEN={OURS!r})
print(json.dumps(told))
"""
WHY_NOT = "root must run the test, with unshare and ip: it makes namespaces"


def _answers(home: Path, head: Mapping[str, str]) -> dict[str, str | int]:
    """case -> the cluster's RAY_AUTH_MODE, on how many nodes a driver ran, or what it said."""
    ray = Path(sysconfig.get_path("scripts")) / "ray"
    start = [str(ray), "start", "--head", "--port=7391", "--num-cpus=1", "--include-dashboard=false"]
    variables = [f"{name}={value}" for name, value in head.items()]
    spaces = ["--net", "--mount", "--pid", "--ipc", "--fork", "--mount-proc", "--kill-child"]
    started = ["env", *variables, *start, "--node-ip-address=127.0.0.1", "--disable-usage-stats"]
    done = subprocess.run(
        ["unshare", *spaces, "bash", "-c", HEAD, "bash", *started],
        cwd=ROOT,
        env=os.environ | {"HOME": str(home), "PROGRAM": PROGRAM, "PYTHONPATH": str(ROOT), "TMPDIR": "/tmp"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Unauthenticated" not in done.stderr, "a token that was only tried"
    answers: dict[str, str | int] = json.loads(done.stdout.splitlines()[-1])
    return answers


def _namespaces() -> bool:
    tried = [
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--ipc",
        "--fork",
        "--mount-proc",
        "ip",
        "link",
        "set",
        "lo",
        "up",
    ]
    try:
        return subprocess.run(tried, capture_output=True, timeout=30, check=False).returncode == 0
    except FileNotFoundError:
        return False


needs_namespaces = pytest.mark.skipif(not _namespaces(), reason=WHY_NOT)


@pytest.mark.slow  # as the next one; the quick tests together must take less than ten minutes
@needs_namespaces
def test_a_cluster_without_a_token_takes_every_driver(tmp_path: Path) -> None:
    """Above all one in whose home an earlier Ray has left a token."""
    answers = _answers(tmp_path, {"RAY_AUTH_MODE": "disabled"})
    assert answers.pop("ours, found") == 1
    assert set(answers.values()) == {"disabled"}, answers


@needs_namespaces
def test_a_cluster_with_a_token_takes_who_has_it_and_is_not_blamed_on_the_address(tmp_path: Path) -> None:
    answers = _answers(tmp_path, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": OURS})
    rule = f"--address: the Ray cluster at {ADDRESS} must be shown its authentication token, but got"
    how = "; set RAY_AUTH_TOKEN to it, or RAY_AUTH_TOKEN_PATH to a file that holds it (docs/cluster.md)"
    assert answers == {
        "none": f"{rule} none{how}",
        "ours, a file": "token",
        "ours, found": 1,
        "another, a variable": f"{rule} another one from RAY_AUTH_TOKEN{how}",
        "another, a file": f"{rule} another one from ~/.ray/auth_token{how}",
        "switched off": "token",  # the cluster decides
    }


def test_other_words_of_ray_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    refusal = b"[2026-11-26 20:31:22,678 W 1 3] gcs_client.cc:210: Failed: Unauthenticated: RPC\n"
    with _without_warnings_of_a_refusal():
        os.write(2, b"before\n" + refusal + b"after\n")
        print("of Python", file=sys.stderr, flush=True)
    os.write(2, b"later\n")
    assert capfd.readouterr().err.replace("of Python\n", "") == "before\nafter\nlater\n"
