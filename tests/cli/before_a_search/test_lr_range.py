"""`lr-range`: tested for real on the digits; bad options all at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wrn_search.__main__ import main
from wrn_search.space.space_file import space_from_text

SPACE = """
name: rates
dataset: {name: digits, validation: 300}
model: {depth: 10, widen_factor: {choice: [0.5, 1]}}
training: {batch_size: 64, learning_rate: {loguniform: [1.0e-5, 100]}, weight_decay: 1.0e-4}
"""
OPTIONS = ("--threads", "1", "--device", "cpu", "--steps", "120")


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A space file in a folder that is the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "rates.yaml"
    path.write_text(SPACE)
    return path


def test_on_the_digits_a_rate_that_works_lies_within_and_one_that_does_not_outside(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lr-range", str(space), *OPTIONS, "--json", "--output", "pages/range.html"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)

    low, high = found["interval"]
    # 0.1 reads 98 % of them (search_spaces/digits_quickstart.yaml), 1e-4 hardly moves, at 10 the loss explodes.
    assert 1e-3 < low < 0.1 < high < 10
    assert low < found["steepest"] < found["lowest"] < (found["edge"] or 10)
    assert (found["network"], found["searched"], found["seed"]) == ("WRN-10-0.5", {"widen_factor": 0.5}, 0)
    assert len(found["losses"]) == len(found["learning_rates"]) == found["steps_run"] <= 120
    pasted = space_from_text(f"training:\n  {found['space_file']}\n", "s.yaml")
    assert pasted.hyperparameters["learning_rate"].to_document() == {"loguniform": [low, high]}
    page = Path("pages/range.html").read_text()
    assert "WRN-10-0.5" in page
    assert found["space_file"] in page
    assert "Page: pages/range.html" in told.err
    assert sorted(path.name for path in space.parent.iterdir()) == ["pages", "rates.yaml"]  # no results

    assert (
        main(["lr-range", str(space), *OPTIONS, "--json", "--set", "model.widen_factor=1", "--seed", "3"])
        == 0
    )
    other = json.loads(capsys.readouterr().out)
    assert (other["network"], other["seed"]) == ("WRN-10-1", 3)
    assert other["losses"] != found["losses"]


def test_in_words_the_same_seed_gives_the_same_rows(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = ["lr-range", str(space), "--threads", "1", "--device", "cpu", "--epochs", "2", "--to", "0.5"]
    shown = []
    for _ in range(2):
        assert main(short) == 0
        shown.append([line for line in capsys.readouterr().out.splitlines() if not line.startswith("run ")])
    assert shown[0] == shown[1]
    assert shown[0][0].startswith("network     WRN-10-0.5 (--set takes another)")
    assert any("weight decay" in line for line in shown[0])
    assert sum(line.count("###") > 0 for line in shown[0]) >= 15


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (
            [
                "--from",
                "0",
                "--to",
                "nan",
                "--steps",
                "3",
                "--seed",
                "-1",
                "--threads",
                "0",
                "--output",
                "x.png",
            ],
            [
                "--from: must be a learning rate of 1e-12 to 1e+06, but got 0.0",
                "--to: must be a learning rate of 1e-12 to 1e+06, but got .nan",
                "--steps: must be a whole number from 20 to 1000000, but got 3",
                "--seed: must be a whole number from 0 to 2147483647, but got -1",
                "--threads: must be 1 to 1024, but got 0",
                "--output: must name a file that ends in .html, but got x.png",
            ],
        ),
        (["--from", "0.1", "--to", "0.5"], ["--to: must be at least ten times --from (0.1), but got 0.5"]),
        (["--epochs", "0.01"], ["--epochs: must make 20 to 1000000 steps, but 0.01 make 0"]),
        (["--epochs", "-1"], ["--epochs: must be a number above 0, at most 1000000, but got -1.0"]),
        (["--set", "training.batch_size=4096"], ["--set: training.batch_size: "]),
        (["--set", "model.depth=17"], ["--set: model.depth: "]),
        (["--output", ""], ["--output: must not be empty, but got ''"]),
    ],
    ids=lambda part: " ".join(part)[:30],
)
def test_bad_options_are_told(
    options: list[str], lines: list[str], space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lr-range", str(space), "--device", "cpu", *options]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    for line, beginning in zip(told.err.splitlines(), lines, strict=True):
        assert line.startswith(beginning)
