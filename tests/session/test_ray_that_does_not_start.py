"""A Ray that cannot start, by the real command: nothing is promised, and nothing left that stands in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_is_on_record_and_the_same_command_starts_again(tmp_path: Path) -> None:
    """As on a machine whose shared memory is too small; Ray's own variable makes it so."""
    place = tmp_path / "t"
    place.mkdir()
    variables = {"WRN_SEARCH_DATA": str(tmp_path / "data"), "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES": "1"}
    command = [
        sys.executable,
        str(ROOT / "run_search.py"),
        str(ROOT / "search_spaces/digits_quickstart.yaml"),
    ]
    done = subprocess.run(
        command,
        cwd=place,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("the search failed: Ray did not start: ")
    assert "--resume" not in done.stderr
    assert list(place.iterdir()) == []
