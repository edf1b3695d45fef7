"""`paper` as a user runs it: words, JSON, files, and status 2 where nothing can be said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.analysis.paper_tables.hand_made import write_results
from wrn_search.__main__ import main


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    errors = {"WRN-40-1": [7.0, 7.1, 7.3], "WRN-40-8": [4.8, 4.7, 4.9]}
    return str(write_results(tmp_path_factory.mktemp("results") / "a_b", errors))


def test_words_page_and_latex(results: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, latex = tmp_path / "new" / "page.html", tmp_path / "table.tex"
    arguments = ["paper", results, "--table", "4", "--output", str(page), "--latex", str(latex)]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "Widening helps at every depth: supported." in told.out
    assert f"Page: {page}" in told.err
    assert f"LaTeX: {latex}" in told.err
    assert "Widening helps at every depth" in page.read_text()
    assert r"a\_b" in latex.read_text()


def test_json(results: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", results, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [table["table"] for table in told["tables"]] == [4, 5, 6][: len(told["tables"])]
    assert told["tables"][0]["claims"][0]["verdict"] == "supported"


@pytest.mark.parametrize("table", ["1", "9", "four", "", "4.0", "\u0664"])
def test_a_table_that_is_none(results: str, table: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["paper", results, "--table", table])
    assert ended.value.code == 2
    assert "argument --table: must be one of 2, 3, 4, 5, 6, 7, 8, but got" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--table", "2"], "--table: must be a table of which the results hold a network (2: "),
        (
            ["--dataset", "cifar"],
            "--dataset: must be one of cifar10, cifar100, svhn, imagenet, but got 'cifar'",
        ),
        (["--dataset", ""], "--dataset: must not be empty"),
        (["--output", "."], "--output: must be a file, but . is a folder"),
        (["--latex", "."], "--latex: must be a file, but . is a folder"),
        (["--output", "README.md"], "--output: must name a file that ends in .html, but got README.md"),
        (["--latex", "page.html"], "--latex: must name a file that ends in .tex, but got page.html"),
        (["nowhere"], "nowhere: must be a results directory, but there is no such directory"),
    ],
)
def test_what_cannot_be_told_ends_with_status_2(
    results: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["paper", results, *options]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
