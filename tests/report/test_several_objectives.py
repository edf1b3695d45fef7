"""The section of several objectives: its figures from findings made by hand, and none of a search with one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report import made
from wrn_search.analysis.several_objectives import AtFullEpochs, FrontSoFar, SeveralObjectives
from wrn_search.report.html.page_layout import page_of
from wrn_search.report.several_objectives import objective_figures

POINTS = (
    AtFullEpochs(3, "WRN-16-2", (5.0, 691_674.0), on_front=True),
    AtFullEpochs(1, "WRN-16-4", (6.0, 2_748_890.0), on_front=False),
    AtFullEpochs(0, "WRN-10-1", (12.0, 77_850.0), on_front=True),
)
STEPS = (FrontSoFar(0.5, 30, 1, 0.25, (0,)), FrontSoFar(1.5, 90, 4, 0.5, (3, 0)))
FOUND = SeveralObjectives(
    ("val_error", "num_params"), ("%", "parameters"), POINTS, STEPS, (90.0, 1e7), (0.01, 1e4), ""
)


def test_the_front_and_its_hypervolume_are_drawn_with_their_reference() -> None:
    front, volume = objective_figures(replace(made.findings(), objectives=FOUND))

    assert front.key == "objectives-num-params"
    assert front.result.startswith(
        "Of 3 configurations at full epochs 2 are on the front, the lowest error at WRN-16-2"
    )
    assert front.traces[1]["x"] == [77_850.0, 691_674.0]
    assert front.traces[1]["y"] == [12.0, 5.0]
    assert front.traces[0]["trials"] == [1]
    assert front.table is not None
    assert [row[1:] for row in front.table.rows] == [("5.00", "691,674"), ("12.00", "77,850")]
    assert volume.traces[0]["x"] == [30, 90]
    assert volume.traces[0]["y"] == [25.0, 50.0]
    assert "dominates 50 % of the box, after 90 epochs of 4 trials" in volume.result
    assert "val_error from 0.01 to 90" in volume.reading
    assert "The second value of each is the reference point" in volume.reading


def test_of_three_objectives_there_is_a_figure_for_each_cost() -> None:
    points = tuple(replace(point, values=(*point.values, 1e6)) for point in POINTS)
    names, units = ("val_error", "num_params", "macs"), ("%", "parameters", "multiply-adds")
    found = replace(FOUND, names=names, units=units, points=points, reference=None, ideal=None)
    figures = objective_figures(
        replace(
            made.findings(), objectives=replace(found, why_no_hypervolume="all networks have the same macs")
        )
    )

    assert [figure.key for figure in figures] == ["objectives-num-params", "objectives-macs", "hypervolume"]
    assert "together" in figures[0].reading
    assert figures[2].traces == ()
    assert figures[2].result == "There is no hypervolume: all networks have the same macs."


@pytest.mark.parametrize("objectives", [None, FOUND, replace(FOUND, points=(), steps=())])
def test_the_page_has_the_section_where_there_is_something_to_draw(
    objectives: SeveralObjectives | None,
) -> None:
    page = page_of(replace(made.findings(), objectives=objectives))

    assert ("Several objectives" in page) == (objectives is FOUND)
