"""`Search`: what it holds is what the tables and the report say; shown in a line, and in HTML in which nothing acts."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import wrn_search
from tests.analysis.planted import Plan, plant
from tests.decisions.playing import conductor_of, new_record, play, space_of
from tests.report.html.test_page import Reading
from wrn_search.errors import InputError
from wrn_search.notebook.search_object import Search
from wrn_search.results.events import SearchEnded
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.table_writer import TableWriter
from wrn_search.space.space import Space

SPACE = space_of(
    model={"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}},
    training={"epochs": 6},
    search={"searcher": "random", "scheduler": "none", "trials": 4},
)


def searched(path: Path, space: Space = SPACE, most_reports: float = float("inf")) -> Path:
    """A search on record with its tables, played without training: the deeper and the wider the better."""
    path.mkdir(parents=True)
    with new_record(path / "events.jsonl", space, f"id of {path.name}") as record:
        conductor = conductor_of(space, record)
        play(
            conductor,
            lambda assignment, epoch: (
                40.0 / epoch + 20.0 / assignment.config.depth + 2.0 / assignment.config.widen_factor
            ),
            most_reports,
        )
        if most_reports == float("inf"):
            record.append(SearchEnded("finished"))
    TableWriter(ResultsDirectory(path), conductor.state)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Search:
    return Search(plant(tmp_path_factory.mktemp("searches") / "whole", Plan()))


def test_tables_are_those_of_read(whole: Search) -> None:
    trials, epochs = wrn_search.read(whole.paths)
    assert whole.trials.equals(trials)
    assert whole.epochs.equals(epochs)
    assert len(whole) == len(trials) == 16


def test_verdicts_cells_and_best_are_those_of_the_report(whole: Search) -> None:
    told = whole.to_dict()
    for name in whole.verdicts:
        assert whole.verdicts[name].tolist() == [verdict[name] for verdict in told["verdicts"]]
    assert {"depth", "width", "depth_vs_width"} <= set(whole.verdicts["question"])
    assert len(whole.cells) == len(told["cells"]) == 16
    assert whole.cells["estimate"].is_monotonic_increasing
    for cell in whole.cells.itertuples():
        mine = whole.trials.query("depth == @cell.depth and widen_factor == @cell.widen_factor")
        assert cell.measured == mine["val_error"].min()
        assert cell.total == len(mine)
    best = whole.best
    assert best is not None
    row = whole.trials.loc[whole.trials["val_error"].idxmin()]
    assert (best.number, best.trial_id, best.val_error) == (row["number"], row["trial_id"], row["val_error"])
    assert best.expected is not None
    assert best.expected_low < best.expected < best.expected_high  # type: ignore[operator]
    assert whole.answer[0].startswith("Depth: ")


def test_every_plot_is_a_figure_of_plotly_without_our_own_words(whole: Search) -> None:
    import plotly.graph_objects as go

    assert {"expected-map", "learning-curves", "statuses"} <= set(whole.plots)
    for name, title in whole.plots.items():
        figure = whole.plot(name)
        assert isinstance(figure, go.Figure)
        assert figure.layout.title.text == title
        assert '"@' not in figure.to_json()  # all colours are there
    curves = whole.plot("learning-curves")
    assert sum(sum(y is not None for y in trace.y) for trace in curves.data) == len(whole.epochs)
    assert whole.plot().layout.title.text == next(iter(whole.plots.values()))
    with pytest.raises(InputError, match=r"must be one of .*, but got 'edff' \(did you mean 'edf'\?\)"):
        whole.plot("edff")


def test_a_search_is_shown_shortly_and_no_name_acts(tmp_path: Path) -> None:
    space = space_of(
        name="played",
        model={"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}},
        search={"searcher": "random", "scheduler": "none", "trials": 4},
    )
    hostile = searched(tmp_path / "<img src=x onerror=alert(1)>", space)
    (hostile / "verdict.json").write_text(
        '{"kind": "report", "at": 1.0, "sentences": ["<script>alert(1)</script>"]}'
    )
    search = Search(hostile)
    assert "\n" not in repr(search)
    assert repr(search).startswith(f"Search({str(hostile)!r}: finished, 4 trials (4 completed), best ")
    page = Reading(search._repr_html_())
    assert {tag for tag, _ in page.elements} == {"table", "thead", "tbody", "tr", "th", "td"}
    assert "<script>alert(1)</script>" in page.text
    assert "WRN-16-2" in page.text


def test_one_that_runs_has_no_best_yet_and_is_refreshed(tmp_path: Path) -> None:
    path = searched(tmp_path / "running", most_reports=3)
    search = Search(path)
    assert search.best is None
    assert search.trials["status"].tolist() == ["running"]
    assert search.status[0].progress.epochs_done == 3
    later = searched(tmp_path / "later")
    for name in ("events.jsonl", "trials.parquet"):
        (path / name).write_bytes((later / name).read_bytes())
    assert search.best is None  # what was read is kept
    assert search.refresh().best is not None


def test_several_are_one(tmp_path: Path) -> None:
    one = searched(tmp_path / "one")
    other = searched(tmp_path / "other", SPACE.model_copy(update={"name": "other"}))
    both = Search([one, other])
    assert len(both) == 8
    assert set(both.trials["search"]) == {"played", "other"}
    assert repr(both).count("4 trials (4 completed)") == 2
    assert both._repr_html_().count("<tr>") == 3
    with pytest.raises(InputError, match="must name the file of the page"):
        both.write_report()
    page = both.write_report(tmp_path / "both.html")
    assert "played + other" in page.read_text()


def test_all_that_is_wrong_with_the_paths_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as error:
        Search(tmp_path / "empty", tmp_path / "nothing")
    assert [problem.text for problem in error.value.problems] == [
        "must be the results directory of a search, but it is a folder without events.jsonl",
        "must be a results directory, but there is no such directory",
    ]
    one = searched(tmp_path / "one")
    with pytest.raises(InputError, match="must be named once"):
        Search(one, one)
    with pytest.raises(InputError, match="at least one results directory must be named"):
        Search()


@pytest.mark.slow
def test_every_public_name_has_a_docstring_and_types_that_mypy_follows(tmp_path: Path) -> None:
    public = [name for name in dir(Search) if not name.startswith("_")]
    assert {"trials", "epochs", "verdicts", "cells", "best", "plot", "plots", "status"} <= set(public)
    assert [name for name in public if not getattr(Search, name).__doc__] == []
    program = tmp_path / "program.py"
    program.write_text(
        "import wrn_search\n"
        "def heard(event: wrn_search.SearchEvent) -> None:\n"
        "    print(event.kind, event.epoch)\n"
        "search = wrn_search.run('a.yaml', callbacks=[heard]).search\n"
        "reveal_type(search)\nreveal_type(search.best)\nreveal_type(wrn_search.Search('a').plots)\n"
        "search.trails\n"
    )
    ast.parse(program.read_text())
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports", "silent", str(program)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    told = done.stdout
    assert '"wrn_search.notebook.search_object.Search"' in told
    assert '"wrn_search.notebook.best_trial.BestTrial | None"' in told or "BestTrial, None]" in told
    assert '"builtins.dict[builtins.str, builtins.str]"' in told or "dict[str, str]" in told
    assert 'has no attribute "trails"; maybe "trials"?' in told
