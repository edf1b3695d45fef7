"""What a command says when something cannot be read or written: which of the two, and which file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from wrn_search.cli.exit_status import exit_status


def test_a_file_that_cannot_be_read_is_not_the_output(tmp_path, capsys) -> None:
    missing = tmp_path / "missing.json"
    assert exit_status(lambda: len(missing.read_bytes())) == 1
    assert capsys.readouterr().err == (
        f"a file could not be read or written: [Errno 2] No such file or directory: '{missing}'\n"
    )


def test_an_output_that_cannot_be_written_is_told_as_such() -> None:
    code = "from wrn_search.cli.exit_status import exit_status, show\nimport sys\n"
    code += "sys.exit(exit_status(lambda: show('x' * 100_000) or 0))"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        "the output could not be written: [Errno 28] No space left on device\n",
    )
