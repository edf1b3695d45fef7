"""Figures for a paper: real files, text as text, nothing where there is nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from tests.report import made
from tests.report.hostile import HOSTILE, hostile_findings
from tests.report.html.test_page import nothing_trained
from wrn_search.errors import InputError
from wrn_search.report.by_products.figures_for_papers import (
    FIGURES,
    error_map,
    learning_curves,
    write_figures,
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The figures of the made findings."""
    return write_figures(made.findings(), tmp_path_factory.mktemp("written") / "new" / "figures")


def test_every_main_figure_as_pdf_and_svg(written: list[Path]) -> None:
    assert [path.name for path in written] == [
        f"{name}.{kind}" for name in FIGURES for kind in ("pdf", "svg")
    ]
    for path in written:
        if path.suffix == ".pdf":
            assert path.read_bytes().startswith(b"%PDF-")
            assert b"/Subtype /Type3" not in path.read_bytes()  # fonts that journals refuse
        else:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_the_map_says_error_n_and_what_was_stopped(written: list[Path]) -> None:
    findings = made.findings()
    (drawing,) = (path for path in written if path.name == "error_map.svg")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawing.read_text())
    for cell in findings.error_map.cells:
        if cell.value is not None:
            assert f"{cell.value:.2f}" in texts
    assert "n=2 s=1" in texts
    assert texts.count("none") == 4


def test_the_same_findings_give_the_same_files(written: list[Path], tmp_path: Path) -> None:
    first = [path.read_bytes() for path in written]
    assert first == [path.read_bytes() for path in write_figures(made.findings(), tmp_path / "second")]


def test_hostile_and_mathematical_names_are_drawn_as_text(tmp_path: Path) -> None:
    found = hostile_findings()
    trials = tuple(replace(trial, name=r"$\frac{1}{0$ _^") for trial in found.trials)
    write_figures(replace(found, trials=trials), tmp_path)
    drawing = (tmp_path / "importance.svg").read_text()
    assert "&lt;/script&gt;" in drawing
    assert HOSTILE[:10] not in drawing
    assert r"$\frac{1}{0$" in (tmp_path / "learning_curves.svg").read_text()


def test_nothing_to_draw_writes_nothing(tmp_path: Path) -> None:
    assert write_figures(nothing_trained(), tmp_path / "figures") == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"--figures.*must be a folder that can be made and written"):
        write_figures(made.findings(), tmp_path / "file" / "figures")


def test_an_error_of_0_leaves_the_curves_on_a_logarithm() -> None:
    """One 0.00 turned the axis linear and flattened all curves, as it once did on the page."""
    found = made.findings()
    first, *others = found.curves.curves
    zero = replace(first, val_error=(*first.val_error[:-1], 0.0))
    figure = Figure()
    assert learning_curves(replace(found, curves=replace(found.curves, curves=(zero, *others))), figure)
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert min(value for line in axes.lines for value in line.get_ydata() if len(line.get_ydata()) > 2) > 0


def test_one_value_has_no_colour_bar() -> None:
    found = made.findings()
    cell = next(cell for cell in found.error_map.cells if cell.value is not None)
    figure = Figure()
    assert error_map(replace(found, error_map=replace(found.error_map, cells=(cell,))), figure)
    assert len(figure.axes) == 1
