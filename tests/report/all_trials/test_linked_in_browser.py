"""Filters and brushes choose trials in every figure: others turn pale there, and a line says how many are left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report import made
from tests.report.all_trials.test_table_in_browser import put, written
from tests.report.html.browser import CHROMIUM, Browser, Page, opened

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)"),
]

# figure -> trials of its points that are drawn in full, and how the traces that stand for the others look
_DRAWN = """
Object.fromEntries([...document.querySelectorAll('[data-plot]')].filter((plot) => plot.data).map((plot) => {
  const own = JSON.parse(document.getElementById('values-' + plot.dataset.plot).textContent).data;
  const full = own.flatMap((trace, at) => (trace.trials ?? []).filter((_, point) => plot.data[at].y[point] !== null));
  const trials = own.flatMap((trace) => trace.trials ?? []).filter((trial) => trial !== null);
  const others = plot.data.slice(own.length);
  const pale = others.map(({ showlegend, opacity }) => [showlegend, opacity < 0.2]);
  return [plot.dataset.plot, {
    full: [...new Set(full.filter((trial) => trial !== null))].sort((a, b) => a - b),
    all: [...new Set(trials)].sort((a, b) => a - b),
    pale,
  }];
}))
"""
_LINE = "document.querySelector('nav .linked span')?.textContent ?? null"
_NEAR = "document.getElementById('{}').scrollIntoView({{block: 'center'}})"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("page") / "report.html", made.findings())


def _drawn(page: Page, figure: str) -> dict[str, list[int]]:
    """What a figure draws, once it has come near the screen."""
    page.evaluate(_NEAR.format(figure))
    page.evaluate("new Promise((done) => { setTimeout(done, 1000); })")
    found: dict[str, list[int]] = page.evaluate(_DRAWN)[figure]
    return found


@pytest.mark.parametrize("figure", ["learning-curves", "pareto-num-params", "effect-dropout", "best-so-far"])
def test_a_filter_of_the_table_chooses_in_a_figure(browser: Browser, address: str, figure: str) -> None:
    page = opened(browser, address)
    whole = _drawn(page, figure)
    assert whole["full"] == whole["all"]
    assert (whole["pale"], page.evaluate(_LINE)) == ([], None)

    put(page, "depth", "16")
    chosen = [place for place, trial in enumerate(made.trials()) if trial.depth == 16]
    some = _drawn(page, figure)
    assert some["full"] == sorted(set(whole["all"]) & set(chosen))
    assert 0 < len(some["full"]) < len(whole["all"])
    assert some["pale"]
    assert all(each == [False, True] for each in some["pale"])
    assert page.evaluate(_LINE) == f"{len(chosen)} of 57 trials are chosen, in every figure"

    page.evaluate("document.querySelector('nav .linked button').click()")
    assert _drawn(page, figure) == whole
    assert page.evaluate(_LINE) is None
    assert page.complaints() == []


def test_a_range_drawn_on_an_axis_chooses_too(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    whole = _drawn(page, "pareto-macs")
    _brush(page)
    brushed = _drawn(page, "pareto-macs")
    shown = int(page.evaluate("document.querySelector('#trials-table .tally').textContent").split()[0])
    assert len(brushed["full"]) <= shown
    assert len(brushed["full"]) < len(whole["full"])
    assert page.evaluate(_LINE) == f"{shown} of 57 trials are chosen, in every figure"
    assert page.complaints() == []


def _brush(page: Page) -> None:
    """Draws a range over the lower half of the last axis."""
    x, top, height = page.evaluate(
        "(() => { const s = [...document.querySelectorAll('.parallel .strip')].at(-1);"
        "s.scrollIntoView({block: 'center'}); const r = s.getBoundingClientRect();"
        "return [r.x + r.width / 2, r.y, r.height]; })()"
    )
    at = {"x": x, "button": "left"}
    page.call("Input.dispatchMouseEvent", type="mousePressed", clickCount=1, y=top + height - 2, **at)
    for share in (0.8, 0.7, 0.6):
        page.call("Input.dispatchMouseEvent", type="mouseMoved", y=top + height * share, **at)
    page.call("Input.dispatchMouseEvent", type="mouseReleased", y=top + height * 0.6, **at)


def test_a_click_on_a_point_still_leads_to_its_own_row(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    page = opened(browser, address)
    put(page, "depth", "16")
    drawn = _drawn(page, "pareto-num-params")
    found = page.evaluate(
        "(() => { const plot = document.querySelector('#pareto-num-params [data-plot]');"
        "const own = JSON.parse(document.getElementById('values-pareto-num-params').textContent).data;"
        "const at = own.findIndex((trace, place) => trace.trials && plot.data[place].y.some((y) => y !== null));"
        "const point = plot.data[at].y.findIndex((y) => y !== null);"
        "plot.emit('plotly_click', { points: [{ curveNumber: at, pointNumber: point }] });"
        "return own[at].trials[point]; })()"
    )
    assert found in drawn["full"]
    page.wait_for("document.querySelector('#trials-table tr.chosen td') !== null")
    name = page.evaluate("document.querySelector('#trials-table tr.chosen td').textContent")
    assert name == made.trials()[found].name
    page.screenshot(tmp_path / "chosen.png")
    assert page.complaints() == []
