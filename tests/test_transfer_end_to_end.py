"""docs/transfer.md: its worked example, command by command; and how another file is refused afterwards."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, run

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs" / "transfer.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The fenced blocks of a kind."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_worked_example_and_what_refuses_another_file(tmp_path: Path) -> None:
    for text in (*blocks("yaml"), *blocks("python")):
        (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
    (commands,) = blocks("sh")
    for line in commands.splitlines():
        _, *words = shlex.split(line)
        done = run(*words, cwd=tmp_path, WRN_SEARCH_RESULTS="results")
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        if "check" in words:
            assert "the last layer begins anew" in done.stdout
        if "rerun" in words:
            assert "came out again, bit for bit" in done.stdout
    import wrn_search

    trials, _ = wrn_search.read(tmp_path / "results/parity", tmp_path / "results/parity_random")
    digest = re.search(r"@sha256:([0-9a-f]{64})$", trials["init_from"][0])
    assert digest is not None
    assert set(trials["init_from"][2:]) == {"random"}
    assert list(trials["freeze"]) == ["stem, group1"] * 2 + ["none"] * 2

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "digits.pt").rename(tmp_path / "elsewhere/digits.pt")
    gone = run("-m", "wrn_search", "rerun", "results/parity", "--trial", "0", cwd=tmp_path)
    assert gone.returncode == 2
    assert "model.init_from: must be a file that can be read" in gone.stderr
    moved = ("--set", "model.init_from=elsewhere/digits.pt", "--resume")
    assert run("-m", "wrn_search", "run", "parity.yaml", *moved, cwd=tmp_path).returncode == 0
    (tmp_path / "digits.pt").write_bytes(
        (tmp_path / "results/digits_first/checkpoints").glob("*.pt").__next__().read_bytes()
    )
    for words in (("run", "parity.yaml", "--resume"), ("rerun", "results/parity", "--trial", "0")):
        other = run("-m", "wrn_search", *words, cwd=tmp_path)
        assert other.returncode == 2, other.stdout
        assert "model.init_from" in other.stderr
        assert len(other.stderr.strip().splitlines()) == 1, other.stderr
    told = run("-m", "wrn_search", "check", "parity.yaml", "--json", cwd=tmp_path)
    assert json.loads(told.stdout)["init_from"]["source"] == "a trial's checkpoint"
