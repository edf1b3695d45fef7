"""docs/queries.md as written: every question answered by its pandas lines and by its SQL, which must agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from tests.decisions.playing import conductor_of, new_record, play, space_of
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.table_writer import TableWriter

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "queries.md").read_text()
BLOCKS = re.findall(r"```(python|sql)\n(.*?)```", PAGE, re.DOTALL)


def _pairs() -> list[tuple[str, str]]:
    """(pandas, SQL) of each question; the first block only reads the tables."""
    languages = [language for language, _ in BLOCKS]
    assert languages == ["python", *["python", "sql"] * (len(BLOCKS) // 2)], "each question is asked twice"
    texts = [text for _, text in BLOCKS]
    return list(zip(texts[1::2], texts[2::2], strict=True))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A played search at the place that the page names: all statuses, ties, two seeds a configuration."""
    folder = tmp_path_factory.mktemp("queries")
    directory = ResultsDirectory(folder / "results" / "digits_quickstart")
    directory.path.mkdir(parents=True)
    space = space_of(
        model={
            "depth": {"choice": [10, 16]},
            "widen_factor": {"choice": [1, 2]},
            "dropout": {"uniform": [0.0, 0.5]},
        },
        training={"epochs": 10, "weight_decay": {"loguniform": [1e-5, 1e-2]}},
        search={"trials": 80, "searcher": "random", "scheduler": "asha", "promote": False, "repeats": 2},
    )

    def curve(assignment: Any, epoch: int) -> float | None:
        if assignment.number % 17 == 5:
            return None
        return 100 * round(assignment.config.dropout + assignment.config.depth / epoch / 40, 2)

    with new_record(directory.events, space) as record:
        conductor = conductor_of(space, record, concurrent=4)
        play(conductor, curve, most_reports=660)
        conductor.failed(min(conductor.live), "RuntimeError: of this test")
        for number in sorted(conductor.live):
            conductor.interrupted(number, "SIGINT")
    TableWriter(directory, conductor.state).flush()
    return folder


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.reset_index(drop=True).astype(
        dict.fromkeys(frame.select_dtypes("number").columns, "float64")
        | dict.fromkeys(frame.select_dtypes(exclude="number").columns, "object")
    )


def test_pandas_and_sql_give_the_same_answers(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results)
    names: dict[str, Any] = {}
    exec(BLOCKS[0][1], names)  # the page's own lines, as a notebook would run them
    assert set(names["trials"]["status"]) == {"completed", "stopped", "diverged", "failed", "interrupted"}
    pairs = _pairs()
    assert len(pairs) == 7
    for python, sql in pairs:
        exec(python, names)
        answer, other = names["answer"], duckdb.sql(sql.strip().rstrip(";")).df()
        assert len(answer) > 0, python
        pd.testing.assert_frame_equal(_plain(answer), _plain(other), rtol=1e-12)


def test_the_answers_are_those_of_a_loop(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of them counted by hand from the rows."""
    monkeypatch.chdir(results)
    names: dict[str, Any] = {}
    exec(BLOCKS[0][1], names)
    rows = names["trials"].to_dict("records")
    (budget, _), (cells, _) = _pairs()[:2]

    exec(budget, names)
    small = [row for row in rows if row["status"] == "completed" and row["num_params"] <= 200_000]
    best = min(small, key=lambda row: (row["val_error"], row["num_params"], row["number"]))
    assert len(small) < sum(row["status"] == "completed" for row in rows), "the budget shuts somebody out"
    assert names["answer"].iloc[0]["trial_id"] == best["trial_id"]

    (regularisation, _) = _pairs()[2]
    full = [row for row in rows if row["status"] == "completed"]
    lonely = dict(full[0], depth=94, widen_factor=0.5)  # the only one of its network: nothing to be above
    names["trials"] = pd.concat([names["trials"], pd.DataFrame([lonely])], ignore_index=True)
    exec(regularisation, names)
    assert names["answer"]["n"].sum() == len(full), "a network with one trial counts as excess 0"
    names["trials"] = names["trials"].iloc[:-1]

    exec(cells, names)
    for cell in names["answer"].to_dict("records"):
        members = [row for row in rows if all(row[key] == cell[key] for key in ("depth", "widen_factor"))]
        full = [row["val_error"] for row in members if row["status"] == "completed"]
        assert (cell["trials"], cell["n"], cell["lowest"]) == (len(members), len(full), min(full))
