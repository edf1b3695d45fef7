"""The page in a real browser: it opens from disk without a complaint, draws every figure, and asks for nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report import made
from tests.report.hostile import hostile_findings
from tests.report.html.browser import CHROMIUM, Browser, opened
from tests.report.html.test_page import FIGURES
from wrn_search.report.html.colours import DARK, LIGHT
from wrn_search.report.html.page_layout import page_of

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)"
)

_PLOTS = "[...document.querySelectorAll('[data-plot]')]"
_KEYS = f"{_PLOTS}.filter(p => p.querySelector('.main-svg')).map(p => p.dataset.plot)"
_HIDDEN = f"{_PLOTS}.filter(p => !p.closest('[hidden]') && p.getBoundingClientRect().height < 80).length"
_INK = "getComputedStyle(document.querySelector('#statuses .xtick text')).fill"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page_of(made.findings(), follow_up="name: follow_up\n"), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_every_figure_is_drawn_without_a_complaint(
    browser: Browser, address: str, width: int, dark: bool
) -> None:
    page = opened(browser, address, width=width, dark=dark)
    assert page.evaluate(_KEYS) == FIGURES
    assert page.evaluate(_HIDDEN) == 0
    assert page.complaints() == []
    assert page.requests() == [address]
    assert page.evaluate(
        "document.documentElement.scrollWidth <= innerWidth"
    )  # nothing sticks out of the page
    assert page.evaluate(_INK) == rgb((DARK if dark else LIGHT)["ink"])


def rgb(colour: str) -> str:
    """`#0072b2` as a browser says it."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def test_figures_follow_the_scheme_of_the_screen(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    scheme = {"name": "prefers-color-scheme", "value": "dark"}
    page.call("Emulation.setEmulatedMedia", features=[scheme])
    page.wait_for(f"{_INK} === '{rgb(DARK['ink'])}'")
    assert page.complaints() == []


def test_the_hover_names_trial_and_configuration(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    point = page.evaluate(
        "(() => { const p = document.querySelector('#pareto-num-params .scatterlayer .trace:last-child .point');"
        "p.scrollIntoView({block: 'center'}); const r = p.getBoundingClientRect();"
        "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
    )
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=point[0], y=point[1])
    page.wait_for("document.querySelector('#pareto-num-params .hovertext') !== null")
    text = page.evaluate("document.querySelector('#pareto-num-params .hovertext').textContent")
    # Two points may lie on one another, but each is one trial with its own configuration.
    trial = next(trial for trial in made.findings().trials if text.startswith(trial.name))
    for told in (
        f"depth {trial.depth}",
        f"widen_factor {trial.widen_factor:g}",
        f"error {trial.val_error:.2f} %",
    ):
        assert told in text


def test_nothing_hostile_acts(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(page_of(hostile_findings()), encoding="utf-8")
    page = opened(browser, path.as_uri())
    assert page.complaints() == []
    assert (
        page.evaluate("document.querySelectorAll('img, [onerror], a[href^=javascript], svg a').length") == 0
    )
    shown = page.evaluate("document.querySelector('#trials-table tbody td').textContent")
    assert shown.startswith("</script><img src=x onerror=alert(1)>")  # as it was written
    assert page.requests() == [path.as_uri()]


def test_the_policy_stops_a_script_that_slipped_in(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "slipped.html"
    page_text = page_of(made.findings())
    path.write_text(
        page_text.replace("<main>", "<main><img src=x onerror='window.acted = 1'>"), encoding="utf-8"
    )
    page = opened(browser, path.as_uri())
    assert page.complaints()  # the browser says what it refused
    assert page.evaluate("window.acted === undefined")


@pytest.mark.parametrize("width", [1400, 420])
def test_what_the_screen_cuts_says_so(browser: Browser, address: str, width: int) -> None:
    page = opened(browser, address, width=width)
    boxes = "[...document.querySelectorAll('.scroll')].filter(b => b.clientWidth > 0)"
    hinted = "getComputedStyle(b.nextElementSibling).display !== 'none'"
    cut, told = (
        page.evaluate(f"{boxes}.filter(b => {condition}).length")
        for condition in (
            "b.scrollWidth > b.clientWidth + 1",
            f"b.scrollWidth > b.clientWidth + 1 && {hinted}",
        )
    )
    assert told == cut
    figures = page.evaluate(
        f"{boxes}.filter(b => b.querySelector('.plot') && b.classList.contains('cut')).length"
    )
    assert (figures > 0) == (width == 420)
    assert page.evaluate(f"{boxes}.filter(b => b.scrollWidth <= b.clientWidth + 1 && {hinted}).length") == 0
