"""A machine whose loopback interface is down, as in a fresh network namespace: told at once, by the real command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "search_spaces" / "digits_quickstart.yaml"


def _why_not() -> str | None:
    """Why there can be no such machine here."""
    try:
        tried = subprocess.run(
            ["unshare", "--net", "true"], capture_output=True, text=True, timeout=30, check=False
        )
    except FileNotFoundError:
        return "unshare must be installed (Debian: util-linux)"
    return (
        f"network namespaces must be allowed (root), but: {tried.stderr.strip()}"
        if tried.returncode
        else None
    )


REASON = _why_not()


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
@pytest.mark.parametrize("options", [[], ["--dry-run"]], ids=["search", "dry run"])
def test_it_is_told_within_seconds_and_nothing_is_written(options: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, str(ROOT / "run_search.py"), str(QUICKSTART), *options],
        cwd=tmp_path,
        env=os.environ | {"WRN_SEARCH_DATA": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=30,  # the rule: Ray itself tries for minutes
        check=False,
    )
    assert done.returncode == 2
    rule = "the loopback interface must be up (ip link set lo up): Ray's processes speak through it"
    assert done.stderr == f"{rule}, but got: Network is unreachable (127.0.0.1)\n"
    assert list(tmp_path.iterdir()) == []
