"""How the tests are run: by several processes, in the background, and all parts of continuous integration together."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import EACH_ALONE, LONGEST, START_RAY
from tests.faults.harness import made_once

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("install-dev", "test", "test-long KILLS=5", "install-cluster", "check", "test-cluster")
TOGETHER = ("check", "test-cluster")


def test_what_tests_start_hears_ctrl_c_though_their_shell_runs_them_in_the_background() -> None:
    search = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    tests = (
        f"import subprocess, sys\nfrom tests.conftest import pytest_configure\npytest_configure()\n"
        f"subprocess.run([sys.executable, '-c', {search!r}], check=True)"
    )
    command = ["bash", "-c", "trap '' INT; exec \"$@\"", "bash", sys.executable]
    before = subprocess.run([*command, "-c", search], capture_output=True, text=True, check=True)
    done = subprocess.run([*command, "-c", tests], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (before.stdout, done.stdout) == ("False\n", "True\n")


def test_files_that_have_a_rule_are_there() -> None:
    assert [file for file in (*EACH_ALONE, *LONGEST, *START_RAY) if not (ROOT / file).exists()] == []


def test_tests_of_clusters_lie_where_they_are_looked_for() -> None:
    (places,) = re.findall(r"^CLUSTER_TESTS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    marked = [
        path
        for path in (ROOT / "tests").rglob("test_*.py")
        if re.search(r"mark\.cluster\b", path.read_text())
    ]
    found = [path for path in marked if any(path.is_relative_to(ROOT / place) for place in places.split())]
    assert found
    assert found == marked


def test_what_all_processes_need_is_made_by_the_first_that_succeeds(tmp_path: Path) -> None:
    tries: list[bool] = []

    def make(folder: Path) -> None:
        folder.mkdir()
        tries.append((folder / "left").exists())
        (folder / "left").touch()
        if len(tries) == 1:
            raise OSError("of the first one")

    with ThreadPoolExecutor(4) as processes:
        asked = [processes.submit(made_once, tmp_path / "shared", make) for _ in range(4)]
    assert sum(each.exception() is not None for each in asked) == 1
    assert tries == [False, False], "what the first one left is gone"
    assert (tmp_path / "shared" / "left").exists()


@pytest.mark.parametrize("failing", [None, *PARTS])
def test_continuous_integration_fails_with_any_part_and_prints_all_that_they_print(
    failing: str | None, tmp_path: Path
) -> None:
    """The script itself, with programs in the place of `make` and of those that it would install others for."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    make = (
        '#!/bin/sh\necho "begin $*"\ncase "$*" in check) sleep 1 ;; test-cluster) sleep 0.5 ;; esac\necho "end $*"\n'
        f'[ -z "$PYTHONDONTWRITEBYTECODE" ] && [ "$*" != "{failing}" ]\n'
    )
    for name, text in {
        "make": make,
        **dict.fromkeys(("apt-get", "sudo", "chromium", "shellcheck"), "#!/bin/sh\n"),
    }.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    done = subprocess.run(
        [tmp_path / ".ci" / "run"],
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    ran = PARTS if failing in (None, *TOGETHER) else PARTS[: PARTS.index(failing) + 1]
    told = done.stdout.splitlines()
    assert (done.returncode == 0) is (failing is None), done.stderr
    assert [part for part in PARTS if f"begin {part}" in told] == list(ran)
    if failing != "test-cluster":  # what ran beside it then ends at once
        assert [part for part in PARTS if f"end {part}" in told] == list(ran)
