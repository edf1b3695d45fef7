"""The notebooks of `examples/`, executed by a kernel as their readers would: real searches, displays and figures."""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def test_they_are_committed_as_written_without_outputs() -> None:
    assert {path.stem for path in NOTEBOOKS} == {"first_search", "own_images", "comparing_two_searches"}
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
        assert cells[0].source.startswith("# ")


@pytest.fixture
def executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Executes a notebook in a folder of its own; (code, outputs) of each cell that ran."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")  # on a machine with other work
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))

    def execute(name: str) -> list[tuple[str, list[Any]]]:
        notebook = nbformat.read(ROOT / "examples" / f"{name}.ipynb", as_version=4)
        resources = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=900, kernel_name="python3", resources=resources).execute()
        assert os.environ["PYTHONPATH"] == str(ROOT)
        return [(cell.source, cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]

    return execute


def output(cells: list[tuple[str, list[Any]]], source: str, kind: str) -> str:
    """What the cell that ends with this line, or else one that begins so, shows, in a form such as `text/html`."""
    last = [(code.splitlines()[-1], outputs) for code, outputs in cells]
    exactly = [outputs for line, outputs in last if line == source]
    (outputs,) = exactly or [outputs for line, outputs in last if line.startswith(source)]
    *_, shown = (
        each["data"][kind] for each in outputs if kind in each.get("data", {})
    )  # below a live display
    return str(shown)


@pytest.mark.slow
def test_the_first_search_is_shown_live_and_answers(executed: Any) -> None:
    cells = executed("first_search")
    display = unescape(re.sub("<[^>]*>", "", output(cells, "result = wrn_search.run(", "text/html")))
    assert "first_search: 8 of 8 trials" in display  # one output, as it was in the end
    assert "what happened last" in display
    assert output(cells, "ends", "text/plain").count("'completed'") == 8
    assert output(cells, "search", "text/plain").startswith(
        "Search('results/first_search': finished, 8 trials"
    )
    assert "<td" in output(cells, "search.verdicts", "text/html")
    assert "scatter" in output(cells, 'search.plot("learning-curves")', "application/vnd.plotly.v1+json")
    assert output(cells, "search.best", "text/plain").startswith("BestTrial(")


@pytest.mark.slow
@pytest.mark.exhaustive  # beside the walks of docs/your-data.md, which search folders, export and predict likewise
def test_an_answer_from_images_of_ones_own_classifies_new_ones(executed: Any) -> None:
    cells = executed("own_images")
    assert output(cells, "search", "text/plain").startswith("Search('results/own_images': finished, 8 trials")
    assert output(cells, "search.cells", "text/html").count("<tr") == 1 + 4  # every network of the space
    assert (
        output(cells, "search.cells", "text/html").count("NaN") <= 4
    )  # the model tells of each; no spread without
    probabilities = output(cells, "model(images)", "text/plain")
    assert probabilities.startswith("array([[")
    assert probabilities.count("[") == 1 + 3  # a row for each image


@pytest.mark.slow
def test_two_searches_are_compared_side_by_side(executed: Any) -> None:
    cells = executed("comparing_two_searches")
    shown = output(cells, "both", "text/html")
    assert shown.count("<tr") == 1 + 2
    assert "whole" in shown
    assert "early" in shown
    assert "depth_vs_width" in output(cells, "both.verdicts", "text/html")
    assert "scatter" in output(cells, 'both.plot("edf")', "application/vnd.plotly.v1+json")
