"""Processes in which Ray would fail with words that help nobody: told before anything is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [str(ROOT / "run_search.py"), str(ROOT / "search_spaces" / "digits_quickstart.yaml")]


def _ends(arguments: list[str], place: Path, **variables: str) -> str:
    """What the command says when it ends with status 2."""
    done = subprocess.run(
        arguments,
        cwd=place,
        env=os.environ | {"WRN_SEARCH_DATA": str(place / "data")} | variables,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    return done.stderr


@pytest.mark.parametrize("options", [[], ["--dry-run"]], ids=["search", "dry run"])
def test_a_working_directory_that_was_deleted(options: list[str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    script = f'mkdir "{gone}" && cd "{gone}" && rmdir "{gone}" && exec "$@"'
    told = _ends(["bash", "-c", script, "bash", sys.executable, *COMMAND, *options], tmp_path)
    assert told.startswith("the working directory must exist: results go there")
    assert str(gone) in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "variables", "came"),
    [(["-OO"], {}, "python -OO"), ([], {"PYTHONOPTIMIZE": "2"}, "PYTHONOPTIMIZE=2")],
)
def test_a_python_without_docstrings(options, variables, came, tmp_path: Path) -> None:
    told = _ends([sys.executable, *options, *COMMAND], tmp_path, **variables)
    assert told.startswith("Python must keep its docstrings, which Ray Tune reads when it is imported")
    assert f"but got {came};" in told
    assert list(tmp_path.iterdir()) == []
