"""The table of all trials in a real browser: it sorts, filters, is led to from every figure, and is saved as CSV."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report import made
from tests.report.hostile import HOSTILE
from tests.report.html.browser import CHROMIUM, Browser, Page, opened
from wrn_search.analysis.all_findings import Findings
from wrn_search.report.html.page_layout import page_of

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)"
)

_TALLY = "document.querySelector('#trials-table .tally').textContent"
_FIRST = "document.querySelector('#trials-table tbody tr td').textContent"
_CHOSEN = "document.querySelector('#trials-table tr.chosen td')?.textContent"
_SHOWN = next(  # an error as its cell shows it, with a last digit that a number would not write
    told
    for error in (trial.val_error for trial in made.trials())
    if error is not None and (told := f"{error:.2f}").endswith("0") and float(told) != error
)
_NAMES = (
    "=1+1",
    "+A1",
    "-2",
    "@SUM(A1)",
    "a,b",
    'say "hi"',
    "two\nlines",
    HOSTILE,
    "\tindented",
    "a;b",
    "'q",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("page") / "report.html", made.findings())


def written(path: Path, findings: Findings) -> str:
    """The page as a file."""
    path.write_text(page_of(findings), encoding="utf-8")
    return path.as_uri()


def put(page: Page, column: str, text: str) -> None:
    """Types a filter."""
    page.evaluate(
        f"(() => {{ const i = document.querySelector('[aria-label=\"Filter of {column}\"]'); i.value = {text!r};"
        "i.dispatchEvent(new Event('input')); })()"
    )


def sort(page: Page, column: str) -> str | None:
    """Clicks a head; the first row's trial."""
    page.evaluate(
        "[...document.querySelectorAll('#trials-table thead button')]"
        f".find(b => b.textContent === '{column}').click()"
    )
    return page.evaluate(_FIRST)


@pytest.fixture(scope="module")
def plain(browser: Browser, address: str) -> Page:
    """A page that tests leave as they found it."""
    return opened(browser, address)


def test_heads_sort_one_way_the_other_and_not(plain: Page) -> None:
    page = plain
    found = made.findings()
    known = sorted((trial.val_error, trial.name) for trial in found.trials if trial.val_error is not None)
    assert page.evaluate(_FIRST) == found.trials[0].name
    assert sort(page, "last error (%)") == known[0][1]
    assert sort(page, "last error (%)") == known[-1][1]  # those without an error come last either way
    assert sort(page, "last error (%)") == found.trials[0].name


@pytest.mark.parametrize(
    ("column", "text", "fits"),
    [
        ("status", "stop", lambda trial: trial.status == "stopped"),
        ("status", "failed | diverged", lambda trial: trial.status in ("failed", "diverged")),
        ("depth", "16", lambda trial: trial.depth == 16),
        ("depth", "22..40", lambda trial: 22 <= trial.depth <= 40),
        ("depth", "..16", lambda trial: trial.depth <= 16),
        ("parameters", ">=1,000,000", lambda trial: trial.num_params >= 1_000_000),
        ("dropout", "<0.1 | >0.4", lambda trial: not 0.1 <= trial.hparams["dropout"] <= 0.4),
        ("last error (%)", "none", lambda trial: trial.val_error is None),
        ("trial", "WRN-10-", lambda trial: trial.depth == 10),
        (
            "last error (%)",
            _SHOWN,
            lambda trial: trial.val_error is not None and f"{trial.val_error:.2f}" == _SHOWN,
        ),
        ("depth", "deep", lambda trial: True),  # no number: not taken, and marked
        ("depth", "%", lambda trial: True),
    ],
)
def test_filters(plain: Page, column: str, text: str, fits: Any) -> None:
    page = plain
    put(page, column, text)
    count = sum(map(fits, made.trials()))
    assert page.evaluate(_TALLY) == ("all 57 trials" if count == 57 else f"{count} of 57 trials")
    wrong = page.evaluate(f"document.querySelector('[aria-label=\"Filter of {column}\"]').ariaInvalid")
    assert (wrong == "true") == (text in ("deep", "%"))
    page.evaluate(
        "[...document.querySelectorAll('.bar button')].find(b => b.textContent === 'Show all').click()"
    )
    assert page.evaluate(_TALLY) == "all 57 trials"
    assert page.complaints() == []


def saved(browser: Browser, page: Page, folder: Path) -> str:
    """What the button downloads."""
    folder.mkdir()
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    page.evaluate("document.querySelector('#trials-table .csv').click()")
    end = time.monotonic() + 60
    while not (done := [path for path in folder.iterdir() if path.suffix == ".csv" and path.stat().st_size]):
        assert time.monotonic() < end, list(folder.iterdir())
        time.sleep(0.05)
    assert done[0].name == "made-trials.csv"
    return done[0].read_bytes().decode("utf-8")


def test_the_csv_is_the_page_s_own_exact_and_harmless(browser: Browser, tmp_path: Path) -> None:
    found = made.findings()
    rows = list(found.trials)
    for place, name in enumerate(_NAMES):
        rows[place] = replace(rows[place], name=name, status="failed", error=name[::-1])
    page = opened(browser, written(tmp_path / "report.html", replace(found, trials=tuple(rows))))
    text = saved(browser, page, tmp_path / "all")
    assert text.count("\r\n") == 1 + len(rows)
    head, *lines = csv.reader(io.StringIO(text, newline=""))
    table = [dict(zip(head, line, strict=True)) for line in lines]
    for trial, line in zip(rows, table, strict=True):
        formula = trial.name[0] in "=+-@\t"
        shown = trial.name.replace("\x1b", "\\x1b").replace("\u2028", "\\u2028")
        assert line["name"] == ("'" if formula else "") + shown
        assert float(line["weight_decay"]) == trial.hparams["weight_decay"]  # all digits
        assert int(line["num_params"]) == trial.num_params
        assert (line["val_error"] == "") == (trial.val_error is None)
        assert (line["seed"], line["search"], line["trial_id"]) == (str(trial.seed), "made", trial.trial_id)
    for cells in lines:
        assert not [cell for cell in cells if cell and cell[0] in "=+@\t"]
    assert page.complaints() == []
    assert all(request.startswith("file:") for request in page.requests())

    put(page, "status", "completed")
    some = list(csv.DictReader(io.StringIO(saved(browser, page, tmp_path / "some"), newline="")))
    assert {line["status"] for line in some} == {"completed"}
    assert len(some) == sum(trial.status == "completed" for trial in rows)


def test_a_point_leads_to_its_row_and_back_to_the_figure(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    put(page, "status", "failed")  # hides the row, until it is asked for
    point = page.evaluate(
        "(() => { const p = document.querySelector('#pareto-num-params .scatterlayer .trace:last-child .point');"
        "p.scrollIntoView({block: 'center'}); const r = p.getBoundingClientRect();"
        "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
    )
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)  # a finger sees first where it would go
    tap(page, "#pareto-num-params .pointed a", *point)
    assert page.evaluate("location.hash") == ""
    page.call("Emulation.setTouchEmulationEnabled", enabled=False)
    click(page, "pareto-num-params", *point)
    page.wait_for(f"{_CHOSEN} !== undefined")
    place = int(page.evaluate("location.hash").removeprefix("#trial-"))
    assert page.evaluate(_CHOSEN) == made.trials()[place].name
    assert page.evaluate("document.activeElement.id") == f"trial-{place}"
    assert page.evaluate(_TALLY) == "all 57 trials"
    assert page.complaints() == []


def tap(page: Page, sought: str, x: float, y: float) -> None:
    """As a finger does, until something is there: a busy machine takes a tap for a long press."""
    end = time.monotonic() + 100
    while page.evaluate(f"document.querySelector({sought!r}) === null"):
        assert time.monotonic() < end, sought
        page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        time.sleep(1)


def click(page: Page, figure: str, x: float, y: float) -> None:
    """As a mouse does, once the figure has seen what lies under it."""
    where = {"x": x, "y": y}
    page.call("Input.dispatchMouseEvent", type="mouseMoved", **where)
    page.wait_for(f"document.querySelector('#{figure} .hovertext') !== null")
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **where)


def test_a_link_to_a_row_opens_its_page_at_once_and_from_every_table(browser: Browser, address: str) -> None:
    page = opened(browser, f"{address}#trial-40")
    page.wait_for(f"{_CHOSEN} === {made.trials()[40].name!r}")
    page.evaluate("document.querySelector('#pareto-macs td a').click()")
    name = page.evaluate("document.querySelector('#pareto-macs td a').textContent")
    page.wait_for(f"{_CHOSEN} === {name!r}")
    assert page.complaints() == []


def test_a_range_drawn_on_an_axis_chooses_rows_and_a_filter_takes_it_back(
    browser: Browser, address: str
) -> None:
    page = opened(browser, address)
    box = page.evaluate(
        "(() => { const s = [...document.querySelectorAll('.parallel .strip')].at(-1);"
        "s.scrollIntoView({block: 'center'}); const r = s.getBoundingClientRect();"
        "return [r.x + r.width / 2, r.y, r.height]; })()"
    )
    x, top, height = box
    page.call(
        "Input.dispatchMouseEvent", type="mousePressed", button="left", clickCount=1, x=x, y=top + height - 2
    )
    for share in (0.8, 0.7, 0.6):
        page.call("Input.dispatchMouseEvent", type="mouseMoved", button="left", x=x, y=top + height * share)
    page.call("Input.dispatchMouseEvent", type="mouseReleased", button="left", x=x, y=top + height * 0.6)
    text = page.evaluate("document.querySelector('[aria-label=\"Filter of end (%)\"]').value")
    assert text.startswith("..")  # from the lowest on
    most = float(text.removeprefix(".."))
    assert page.evaluate("document.querySelectorAll('.parallel .brush').length") == 1
    shown = int(page.evaluate(_TALLY).split()[0])
    found = made.findings()
    ends = [trial.val_error for trial in found.trials if trial.status == "completed"]
    ends += [end.estimate for end in found.model.ends]
    sure = [sum(end < factor * most for end in ends) for factor in (0.99, 1.01)]  # the text has three digits
    assert sure[0] <= shown <= sure[1]
    assert 0 < shown < 52
    put(page, "end (%)", "")
    assert page.evaluate(_TALLY) == "all 57 trials"
    assert page.evaluate("document.querySelectorAll('.parallel .brush').length") == 0
    assert page.evaluate("location.hash") == ""  # drawing a range is no click on a line
    assert page.complaints() == []


def test_tabs_show_one_map_at_a_time_and_an_address_opens_its_own(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    seen = "[...document.querySelectorAll('.panel')].filter(p => p.offsetHeight > 0).map(p => p.id)"
    assert page.evaluate(seen) == ["tab-expected-map"]
    page.evaluate("document.getElementById('to-early-map').click()")
    assert page.evaluate(seen) == ["tab-early-map"]
    assert page.evaluate("document.querySelector('#early-map .main-svg').getBoundingClientRect().width") > 300
    page = opened(browser, f"{address}#early-map", width=400, dark=True)
    assert page.evaluate(seen) == ["tab-early-map"]
    assert page.complaints() == []


def test_a_cell_of_the_map_chooses_its_trials(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    cell = page.evaluate(
        "(() => { const p = document.querySelector('#expected-map .plot .nsewdrag');"
        "p.scrollIntoView({block: 'center'}); const r = p.getBoundingClientRect();"
        "return [r.x + r.width / 8, r.y + r.height / 10]; })()"
    )  # the column of the narrowest, the row of the deepest
    click(page, "expected-map", *cell)
    page.wait_for(f"{_TALLY} === '3 of 57 trials'")
    assert "WRN-40-1_" in page.evaluate(_FIRST)
    assert page.complaints() == []


def test_ten_thousand_trials_sort_and_filter_while_one_waits(browser: Browser, tmp_path: Path) -> None:
    found = made.findings()
    rows = tuple(
        replace(trial, number=number, name=f"{number:05d}_{trial.network}", trial_id=f"made_{number:05d}")
        for number in range(10_000)
        for trial in [found.trials[number % 57]]
    )
    page = opened(browser, written(tmp_path / "many.html", replace(found, trials=rows)))
    assert page.evaluate(_TALLY) == "all 10,000 trials"
    start = time.monotonic()
    sort(page, "end (%)")
    put(page, "depth", "16..28")
    assert time.monotonic() - start < 5  # on a machine with other work
    assert page.evaluate("document.querySelectorAll('#trials-table tbody tr').length") == 25
    count = sum(16 <= trial.depth <= 28 for trial in rows)
    assert page.evaluate(_TALLY) == f"{count:,} of 10,000 trials"
    assert page.complaints() == []
