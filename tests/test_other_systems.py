"""What works where Python has no modules of Unix, as on Windows: reading and reporting, not searching."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden" / "before_the_rooms"
UNIX = ("fcntl", "resource", "termios", "pwd", "grp", "syslog")
# No Windows here: a process whose Python lacks what Windows' lacks, before anything of ours is imported.
_WITHOUT = f"""
import os, signal, sys
sys.modules.update(dict.fromkeys({UNIX}))
for name in ("SIGHUP", "SIGALRM", "SIGUSR1", "setitimer", "getitimer"):
    delattr(signal, name)
for name in ("sysconf", "fchmod", "getuid", "sched_getaffinity"):
    delattr(os, name)
"""


def without_unix(code: str) -> subprocess.CompletedProcess[str]:
    """What a program prints in such a process."""
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT + code], capture_output=True, text=True, check=False
    )


def command(*arguments: str) -> str:
    return f"from wrn_search.__main__ import main\nsys.exit(main({list(arguments)!r}))"


def test_results_are_read() -> None:
    code = f"import wrn_search\nprint(len(wrn_search.read({str(GOLDEN / 'finished')!r})[0]))"
    done = without_unix(code)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", str(GOLDEN / "finished"), "--json"),
        ("describe", "--depth", "28", "--widen-factor", "10"),
        ("check", str(GOLDEN / "finished" / "search.yaml")),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_that_reads_works(arguments) -> None:
    done = without_unix(command(*arguments))
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_what_a_winner_needs_is_imported() -> None:
    done = without_unix("import wrn_search.winner.export, wrn_search.winner.predict")
    assert done.returncode == 0, done.stderr


def test_a_search_says_where_it_runs(tmp_path) -> None:
    (tmp_path / "space.yaml").write_text("name: small\ndataset: {name: digits}\n")
    results = str(tmp_path / "results")
    arguments = [str(tmp_path / "space.yaml"), "--results", results]
    code = f"from wrn_search.cli.search import main\nsys.exit(main({arguments!r}))"
    done = without_unix(code)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("a search must run on Linux or macOS, but got ")
    assert [path.name for path in tmp_path.iterdir()] == ["space.yaml"]
