"""What the README shows works as written: its space file, its files, its queries."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.table_writer import TableWriter
from wrn_search.space.space_file import read_space, space_from_text

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
SHIPPED = sorted((ROOT / "search_spaces").glob("*.yaml"))


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    """Played results at the place that the README names."""
    monkeypatch.chdir(tmp_path)
    directory = ResultsDirectory("results/digits_quickstart")
    directory.path.mkdir(parents=True)
    space = space_of(
        model={"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}},
        search={"reduction_factor": 2},
    )
    with new_record(directory.events, space) as record:
        conductor = conductor_of(space, record)
        play(conductor, lambda assignment, epoch: 30.0 / epoch + assignment.config.depth)
    TableWriter(directory, conductor.state).flush()
    return directory.path


def test_the_space_file_is_one() -> None:
    (text,) = _blocks("yaml")
    space = space_from_text(text, "README.md")
    shipped = read_space(ROOT / "search_spaces" / "cifar_width_depth.yaml")
    assert space.model_copy(update={"description": shipped.description}) == shipped


def test_pandas_reads_the_tables(results, capsys) -> None:
    (program,) = _blocks("python")
    exec(program, {})  # the README's own lines, as a notebook would run them
    assert "widen_factor" in capsys.readouterr().out


def test_duckdb_reads_the_files(results) -> None:
    (queries,) = _blocks("sql")
    cells, curves = [duckdb.sql(query).df() for query in queries.split(";") if query.strip()]
    trials = pd.read_parquet(results / "trials.parquet")
    assert cells["n"].sum() == (trials["status"] == "completed").sum()
    assert cells["lowest"].min() == trials.loc[trials["status"] == "completed", "val_error"].min()
    assert len(curves) == trials.loc[trials["status"] == "completed", "epochs_done"].sum()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_space_is_named_like_its_file_and_says_what_it_asks_and_costs(path) -> None:
    assert read_space(path).name == path.stem
    header = path.read_text().partition("name:")[0]
    assert all(f"# {word} " in header for word in ("asks", "data", "costs", "expect"))
    assert f"`{path.name}`" in README


@pytest.mark.parametrize(
    ("name", "changes", "found"),
    [
        ("cifar_smoke", [], r"after epochs (\d+) and (\d+) the better half goes on"),
        (
            "cifar_width_depth",
            ["training.lr_schedule=cosine"],
            r"after epochs (\d+), (\d+), (\d+) and (\d+), and",
        ),
    ],
)
def test_the_epochs_of_a_header_are_those_at_which_trials_are_compared(name, changes, found) -> None:
    path = ROOT / "search_spaces" / f"{name}.yaml"
    told = re.search(found, re.sub(r"\s*\n#\s*", " ", path.read_text()))
    assert told is not None
    assert tuple(map(int, told.groups())) == rungs_of(read_space(path, changes))


def test_every_file_that_the_pages_name_is_there() -> None:
    """As they are written there: from the repository, from the package, or from the tests."""
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = page.read_text()
        named = set(re.findall(r"search_spaces/\w+\.yaml|(?<=`)[a-z_/0-9]+/[a-z_0-9]+\.py(?=`)", text))
        linked = {page.parent / link for link in re.findall(r"\]\(([\w./-]+\.md)\)", text)}
        missing = [
            name
            for name in named
            if not any((ROOT / folder / name).exists() for folder in (".", "wrn_search", "tests"))
        ]
        if page.name != "extending.md":  # its files are those that a reader makes
            assert missing == [], page
        assert [link for link in linked if not link.exists()] == [], page
