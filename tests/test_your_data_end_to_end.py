"""`docs/your-data.md` word for word: its commands in the order of the page, in a shell, as a reader would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.house import ROOT
from wrn_search.__main__ import main

PAGE = (ROOT / "docs" / "your-data.md").read_text(encoding="utf-8")
BLOCKS = [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)]
SECONDS = 1800  # of one command on a machine with other work


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that looks like the repository, with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def shell(line: str) -> str:
    """What a command prints on stdout."""
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_each_walk_has_its_four_commands() -> None:
    walks = [[line.split()[3] for line in block] for block in BLOCKS[1:4]]
    assert walks == [["data", "run", "export", "predict"]] * 3


def test_the_pictures_are_seen_as_the_page_says(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The quick part: the pictures, the look at them, and that their space files are taken with the page's options."""
    shell(BLOCKS[0][0])
    assert len(list((here / "pictures/photos").rglob("*.jpg"))) == 300
    for data, run, *_ in BLOCKS[1:4]:
        assert main(data.split()[3:]) == 0
        seen = capsys.readouterr().out
        space, *options = run.split()[4:]
        sets = [word for pair in pairwise(options) if pair[0] == "--set" for word in pair]
        assert main(["check", space, *sets]) == 0
        told = capsys.readouterr().out
        assert "classes       " in told
        if "photos" in data:
            lines = [line for line in PAGE.splitlines() if line.startswith("      sizes ")]
            assert lines[0].strip() in seen
        if "scans" in data:
            assert "300 images" in seen.partition("validation")[2]
            assert "augmentation crop" in told
        if "wild" in data:
            assert "classes       3: circle 250, square 150, triangle 50\n" in told
            assert "5.0 times as many images of circle as of triangle" in told
            assert "dataset.sampling: balanced" in seen


@pytest.mark.slow
@pytest.mark.timeout(4 * SECONDS)
@pytest.mark.parametrize(
    "walk",
    [
        pytest.param(1, id="photos", marks=pytest.mark.exhaustive),
        pytest.param(2, id="scans", marks=pytest.mark.exhaustive),
        pytest.param(3, id="wild"),  # with what follows on the page: the confirmation and its report
    ],
)
def test_every_command_of_a_walk_works_as_written(here: Path, walk: int) -> None:
    blocks = [BLOCKS[0], BLOCKS[walk], *(BLOCKS[4:] if walk == 3 else [])]
    printed = {line: shell(line) for block in blocks for line in block}
    (predicted,) = (text for line, text in printed.items() if " predict " in line)
    assert "probability" in predicted
    if walk == 1:
        assert predicted.count("\n") == 21
    if walk == 3:
        assert re.findall(r"a_(\w+)\.png", predicted) == ["circle", "square", "triangle"]
        assert set(re.findall(r"(circle|square|triangle)  +0\.\d+", predicted))
        (confirmed,) = (text for line, text in printed.items() if " confirm " in line)
        assert re.search(r"Test error \(%\) of each class, mean of 2 seeds", confirmed)
        for name in ("circle", "square", "triangle"):
            told = rf"^  {name} +20 +\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\)$"
            assert re.search(told, confirmed, re.MULTILINE)
        page = Path("results/wild/report.html").read_text(encoding="utf-8")
        assert "Test error of each class" in page
