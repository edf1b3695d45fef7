"""Reports of results directories in every state, as files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.analysis.planted import Plan, plant
from tests.cli import commands
from tests.report.hostile import HOSTILE
from tests.report.html.test_page import Reading
from wrn_search.__main__ import main
from wrn_search.cli import search
from wrn_search.errors import InputError
from wrn_search.report.html.write_report_file import write_report
from wrn_search.results.atomic_files import temporary_path
from wrn_search.results.trial_state import COUNTS_AS_CHANCE

pytestmark = pytest.mark.usefixtures("few_draws")

SMALL = {"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}}


def text_of(page: Path) -> str:
    """What a reader sees."""
    return Reading(page.read_text(encoding="utf-8")).text


def test_the_page_of_one_directory_lies_in_it(tmp_path: Path) -> None:
    results = plant(tmp_path / "planted", Plan())
    page = write_report([results])
    assert page == results / "report.html"
    assert "Winner" in text_of(page)
    assert [path.name for path in results.iterdir() if path.name.startswith(".")] == []
    first = page.read_bytes()
    assert write_report([results]).read_bytes()[:1000] == first[:1000]  # written again without asking


def test_several_directories_need_a_name_and_are_read_as_one(tmp_path: Path) -> None:
    both = [plant(tmp_path / name, Plan(name=name, seed=seed)) for seed, name in enumerate(("one", "two"))]
    with pytest.raises(InputError, match=r"--output.*several results"):
        write_report(both)
    text = text_of(write_report(both, tmp_path / "new" / "both.html"))
    assert "one + two" in text
    assert "32 trials" in text


def ended(status: str, error: str | None = None) -> dict[int, tuple[str, str | None]]:
    """All trials of `SMALL` ended like this."""
    return dict.fromkeys(range(4), (status, error))


ONE = {"searcher": "random", "scheduler": "none", "trials": 1}
ADAPTIVE = {"searcher": "tpe", "scheduler": "asha", "trials": 20}
HALF = {2: ("running", None), 3: ("interrupted", "killed")}
BAD = {1: ("failed", HOSTILE), 2: ("failed", "\x00\x1b]0;x\x07 \ud7ff")}
# state -> (what was planted, what the page must say)
STATES: dict[str, tuple[Plan, str]] = {
    "one trial": (Plan(model={"depth": 16, "widen_factor": 2}, search=ONE), "1 trial"),
    "all failed": (Plan(model=SMALL, ends=ended("failed", "boom")), "No trial got to full epochs"),
    "all diverged": (
        Plan(model=SMALL, ends=ended("diverged", "loss is nan")),
        "4 of 4 trials failed or diverged",
    ),
    "out of memory": (
        Plan(model=SMALL, ends=ended("failed", f"boom\n{COUNTS_AS_CHANCE}")),
        "a convention, which keeps the searcher from what does not train here, and not a measurement",
    ),
    "all running": (Plan(model=SMALL, ends=ended("running"), ended=None), "4 running"),
    "half done": (Plan(model=SMALL, ends=HALF, ended=None), "1 interrupted"),
    "stopped early": (Plan(training={"epochs": 30}, search=ADAPTIVE), "Early stopping saved"),
    "hostile": (Plan(model=SMALL, ends=BAD), "</script><img src=x"),
    "zero error": (Plan(model=SMALL, error=lambda leaves, weights: 0.0, noise=0.0), "0.00 %"),
}


@pytest.mark.parametrize("state", STATES)
def test_a_report_at_any_time(tmp_path: Path, state: str) -> None:
    plan, said = STATES[state]
    reading = Reading(write_report([plant(tmp_path / "planted", plan)]).read_text(encoding="utf-8"))
    assert said in reading.text
    sections = [attributes["id"] for tag, attributes in reading.elements if tag == "section"]
    assert {"answer", "maps", "trials", "wrong", "provenance"} <= set(sections)
    assert "equal-parameters" not in sections  # none of these has a band of equal parameters
    assert "left-out" in sections
    assert "Error against depth:width at equal parameters: No band of equal parameters" in reading.text
    assert "img" not in {tag for tag, _ in reading.elements}
    assert reading.open == []
    reading.json()  # every script of values can be read


def without(*names: str) -> Callable[[Path], None]:
    """Takes files away."""

    def damage(results: Path) -> None:
        for name in names:
            path = results / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def truncated(results: Path) -> None:
    """As a full disk or a kill leaves text files."""
    for name in ("events.jsonl", "manifest.json", "resolved.yaml"):
        path = results / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "damage",
    [
        without("manifest.json"),
        without("resolved.yaml", "search.yaml"),
        without("events.jsonl"),
        without("epochs"),
        without("manifest.json", "resolved.yaml", "search.yaml", "events.jsonl", "epochs"),
        truncated,
    ],
    ids=["no manifest", "no space", "no record", "no epochs", "only trials", "truncated"],
)
def test_half_written_results_give_a_report(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    results = plant(tmp_path / "planted", Plan(model=SMALL))
    damage(results)
    assert "Winner" in text_of(write_report([results]))


def test_what_is_no_results_directory_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(InputError, match="must be a results directory"):
            write_report([path])


def test_a_page_that_cannot_be_written_is_told_and_the_old_one_stays(tmp_path: Path) -> None:
    results = plant(tmp_path / "planted", Plan(model=SMALL))
    with pytest.raises(InputError, match=r"--output.*must be a file, but .* is a folder"):
        write_report([results], tmp_path)
    with pytest.raises(InputError, match=r"--output.*must be a file that can be written"):
        write_report([results], results / "trials.parquet" / "page.html")
    page = write_report([results])
    temporary_path(page).mkdir()  # in the way of the next version
    before = page.read_bytes()
    with pytest.raises(InputError, match="must be a file that can be written"):
        write_report([results])
    assert page.read_bytes() == before


def test_the_command_writes_page_and_figures(tmp_path: Path) -> None:
    results = plant(tmp_path / "planted", Plan())
    done = commands.run("-m", "wrn_search", "report", str(results), "--figures", str(tmp_path / "figures"))
    assert done.returncode == 0, done.stderr
    assert f"Report: {results / 'report.html'}" in done.stderr
    assert "Winner" in done.stdout
    assert (results / "report.html").is_file()
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".pdf", ".svg"}


def test_the_command_writes_no_page_beside_json_unless_told(tmp_path: Path) -> None:
    results = plant(tmp_path / "planted", Plan(model=SMALL))
    assert main(["report", str(results), "--json"]) == 0
    assert not (results / "report.html").exists()
    page = tmp_path / "page.html"
    assert main(["report", str(results), "--json", "--output", str(page)]) == 0
    assert page.is_file()


def test_a_report_that_fails_at_the_end_of_a_search_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search._report(tmp_path / "missing\nresults", as_json=False)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "the report could not be written: " in said.err
    assert "python -m wrn_search report" in said.err


def test_the_report_at_the_end_of_a_search_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = plant(tmp_path / "planted", Plan(model=SMALL))
    search._report(results, as_json=False)
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == f"Report: {results / 'report.html'}"
    assert "\nWinner: WRN-" in said.out
    assert said.err == ""
    search._report(results, as_json=True)
    assert capsys.readouterr() == ("", f"Report: {results / 'report.html'}\n")
