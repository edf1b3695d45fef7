"""`docs/extending.md` word for word: its examples are applied to a copy of the repository, and used there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from wrn_search.searchers.searcher_table import SEARCHERS

ROOT = Path(__file__).parent.parent
STEP = re.compile(
    r"^(?:New file `(?P<new>[^`]+)`|In `(?P<file>[^`]+)`, (?P<how>below|instead of) `(?P<anchor>[^\n]+)`):\n\n"
    r"```python\n(?P<text>.*?)```\n",
    re.MULTILINE | re.DOTALL,
)
SPACE = {
    "name": "added",
    "dataset": {"name": "stripes"},
    "model": {"depth": 10, "widen_factor": {"choice": [0.25, 0.5]}, "dropout": {"uniform": [0.0, 0.2]}},
    "training": {"epochs": 4, "batch_size": 50},
    "search": {"searcher": "halton", "scheduler": "above_mean", "rungs": [1, 2], "trials": 4},
    "resources": {"concurrent": 2, "cpus_per_trial": 1},
}


def apply(page: str, root: Path) -> list[str]:
    """Does what the page says; returns the files that it touched."""
    touched = []
    for step in STEP.finditer(page):
        path = root / (step["new"] or step["file"])
        touched.append(path.relative_to(root).as_posix())
        if step["new"]:
            assert not path.exists(), path
            path.write_text(step["text"])
            continue
        lines = path.read_text().split("\n")
        assert lines.count(step["anchor"]) == 1, f"{path}: {step['anchor']}"
        at = lines.index(step["anchor"])
        lines[at : at + (step["how"] == "instead of")] = [
            *([lines[at]] if step["how"] == "below" else []),
            step["text"].rstrip("\n"),
        ]
        if step["how"] == "below":
            del lines[at + 2]
        path.write_text("\n".join(lines))
    return touched


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with all examples applied."""
    root = tmp_path_factory.mktemp("repository")
    for name in ("wrn_search", "tests", "docs", "run_search.py", "pyproject.toml"):
        ignored = shutil.ignore_patterns("__pycache__", "golden")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, root)
    apply((root / "docs" / "extending.md").read_text(), root)
    return root


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the copy, by this Python, with images of its own."""
    environment = os.environ | {"PYTHONPATH": str(copy), "WRN_SEARCH_DATA": str(copy / "data")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, timeout=900
    )


@pytest.fixture(scope="module")
def results(copy: Path) -> Path:
    """A real search with the added data set, searcher, scheduler and column."""
    (copy / "added.yaml").write_text(yaml.safe_dump(SPACE))
    done = run(copy, "run_search.py", "added.yaml", "--quiet")
    assert done.returncode == 0, done.stderr
    return copy / "results" / "added"


def test_every_example_is_read_and_a_searcher_scheduler_and_data_set_are_a_file_and_a_table() -> None:
    page = (ROOT / "docs" / "extending.md").read_text()
    assert len(STEP.findall(page)) == page.count("```python")
    by_section = {
        section.partition("\n")[0]: {step["new"] or step["file"] for step in STEP.finditer("\n" + section)}
        for section in page.split("\n## ")[1:]
    }
    for section in ("A searcher", "A scheduler", "A data set"):
        assert len(by_section[section]) == 2, section
    assert len(by_section["A column of `trials.parquet`"]) == 2
    assert len(by_section["A section of the report"]) == 4


def test_names_in_messages_and_schema_follow_from_the_tables(copy: Path) -> None:
    for key, name in (
        ("search.searcher", "haltn"),
        ("search.scheduler", "above_men"),
        ("dataset.name", "stripe"),
    ):
        (copy / "empty.yaml").write_text("name: empty\n")
        done = run(copy, "-m", "wrn_search", "check", "empty.yaml", "--set", f"{key}={name}")
        assert done.returncode == 2
        assert "did you mean" in done.stderr, done.stderr
    schema = run(copy, "-m", "wrn_search", "check", "--schema").stdout
    assert all(f'"{name}"' in schema for name in ("halton", "above_mean", "stripes"))
    (copy / "warm.yaml").write_text("name: warm\nsearch: {searcher: halton, warm_start: [results/x]}\n")
    assert (
        "is for a searcher that learns (tpe, gp, nsga2 or cmaes)"
        in run(copy, "-m", "wrn_search", "check", "warm.yaml").stderr
    )


@pytest.mark.slow
def test_the_added_searcher_keeps_the_contract_and_the_house_stands(copy: Path) -> None:
    rooms = [
        f"tests/{room}" for room in ("searchers", "schedulers", "space", "decisions", "replay", "session")
    ]
    tables = [
        "tests/searchers/test_searchers.py",
        "tests/schedulers/test_schedulers.py",
        "tests/space/test_space_file.py",
    ]
    # What the entries hold that were there before is tested where they stand.
    before = " or ".join(f"{name}]" for name in SEARCHERS)
    for asked in (
        [*rooms, "-k", "halton or above_mean"],  # what every entry of the tables must hold
        [*tables, "-k", f"not (halton or {before})"],
        ["tests/test_floors.py", "-k", "not page"],
    ):
        done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *asked)
        assert done.returncode == 0, done.stdout
        assert " passed" in done.stdout


@pytest.mark.slow
def test_a_search_with_all_of_them_runs(results: Path) -> None:
    trials = pq.read_table(results / "trials.parquet").to_pylist()
    assert {trial["dataset"] for trial in trials} == {"stripes"}
    assert len({trial["dropout"] for trial in trials}) == 4
    assert {trial["status"] for trial in trials} == {"completed", "stopped"}
    assert all(trial["learning_rate_now"] > 0 for trial in trials)


@pytest.mark.slow
def test_the_report_shows_the_added_section_and_gives_an_adaptive_search_no_interval(
    copy: Path, results: Path
) -> None:
    assert "Training time" in (results / "report.html").read_text()
    done = run(copy, "-m", "wrn_search", "report", str(results), "--json")
    assert done.returncode == 0, done.stderr
    assert '"training_time"' in done.stdout
    assert "an adaptive search (above_mean) gives no intervals" in done.stdout


@pytest.mark.slow
def test_the_added_data_sets_test_split_is_confirmed(copy: Path, results: Path) -> None:
    done = run(copy, "-m", "wrn_search", "confirm", str(results), "--top", "1", "--repeats", "1")
    assert done.returncode == 0, done.stderr
    assert "on 100 images" in done.stdout
