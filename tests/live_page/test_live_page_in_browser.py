"""The live page in a real browser: it shows what is new where it stands and keeps what its reader chose."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.decisions.playing import metrics, space_of
from tests.live_page.test_server import append
from tests.notebook.test_search_object import searched
from tests.report.html.browser import CHROMIUM, Browser, Page
from wrn_search.results.events import Completed, Proposed, Reported, SearchEnded, Started
from wrn_search.results.events_jsonl import Record, read_events
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.results.table_writer import TableWriter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)"),
]

_LIVE = "document.querySelector('#live')?.textContent ?? ''"
_TALLY = "document.querySelector('#trials-table .tally')?.textContent"
_MODEL = "document.documentElement.dataset.model === 'true'"
SPACE = space_of(
    model={"depth": {"choice": [10, 16]}, "widen_factor": {"choice": [1, 2]}},
    training={"epochs": 6, "weight_decay": {"loguniform": [1e-5, 1e-3]}},
    search={"searcher": "random", "scheduler": "none", "trials": 12},
)


def write_tables(path: Path) -> None:
    """As the driver does while it runs."""
    TableWriter(ResultsDirectory(path), fold(read_events(ResultsDirectory(path).events)))


def trial_row(page: Page, name: str) -> str:
    """The text of a trial's row in the table of all trials, which must be seen."""
    return str(
        page.evaluate(
            f"[...document.querySelectorAll('#trials-table tbody tr')].find(r => r.textContent.includes({name!r}))"
            "?.textContent ?? ''"
        )
    )


def test_a_new_epoch_and_a_new_trial_come_without_a_reload(
    visit: Any, browser: Browser, tmp_path: Path
) -> None:
    path = searched(tmp_path / "search", SPACE, most_reports=62)  # ten have ended, the eleventh trains
    served = visit(path)
    page = browser.open(served.address, width=1400, height=900, dark=False)
    page.wait_for("document.documentElement.dataset.report")
    page.evaluate("(() => { window.mine = 'still here'; })()")
    state = fold(read_events(ResultsDirectory(path).events))
    running = state.trials[10]
    name = f"{running.number:03d}_"
    page.wait_for(f"{_TALLY} === 'all 11 trials'")
    page.wait_for(_MODEL)

    # What a reader chooses stays: a filter, an order, a place on the page.
    page.evaluate(
        "(() => { const i = document.querySelector('[aria-label=\"Filter of epochs\"]'); i.value = '..5';"
        "i.dispatchEvent(new Event('input')); })()"
    )
    page.wait_for(f"{_TALLY} === '1 of 11 trials'")
    page.evaluate("document.getElementById('learning-curves').scrollIntoView()")
    page.wait_for("document.querySelector('[data-plot=learning-curves] .main-svg') !== null")

    written = time.monotonic()
    append(path, Reported(10, metrics(3, 11.11), "node", "cpu"))
    page.wait_for("document.querySelector('#trials-table tbody').textContent.includes('11.11')")
    assert time.monotonic() - written < 30  # 2 s on a machine without other work
    assert "3" in trial_row(page, name)
    page.wait_for(
        "document.querySelector('[data-plot=learning-curves]').data.some(t => t.live && t.y.includes(11.11))"
    )

    # A trial that the report does not hold yet stands in the table with the others.
    with Record.open(path / "events.jsonl") as record:
        config = dict(running.config)
        new = Proposed(
            11, "00011-abcdef12", 11, 0, dict(running.hparams), config, running.num_params, running.macs
        )
        for event in (new, Started(11, 1, 0.0), Reported(11, metrics(1, 44.44), "node", "cpu")):
            record.append(event)
    page.wait_for(f"{_TALLY} === '2 of 12 trials'")
    assert "44.44" in trial_row(page, "011_")

    # The search ends: a report with all of it takes the place of the old one.
    append(path, *(Reported(11, metrics(epoch, 40.0 - epoch), "node", "cpu") for epoch in range(2, 7)))
    append(path, Completed(11), SearchEnded("finished"))
    write_tables(path)
    before = page.evaluate("Number(document.documentElement.dataset.report)")
    page.evaluate("[...document.querySelectorAll('#report-state button')][0].click()")
    page.wait_for(f"Number(document.documentElement.dataset.report) > {before}")
    page.wait_for(f"{_TALLY} === '1 of 12 trials'")
    assert page.evaluate("document.querySelector('[aria-label=\"Filter of epochs\"]').value") == "..5"
    page.wait_for(f"{_LIVE}.includes('has finished')")
    assert page.evaluate("window.mine") == "still here"

    # Each name leads to the trial's own page.
    href = page.evaluate("document.querySelector('#trials-table tbody a').href")
    assert f"/trials/1/10?token={served.listening.token}" in href
    assert page.complaints() == []
    page.call("Page.navigate", url="about:blank")  # its server ends before it does
    assert all(
        request.startswith(f"http://127.0.0.1:{served.listening.port}/") for request in page.requests()
    )


def test_the_page_of_a_trial_follows_it_and_leads_back(visit: Any, browser: Browser, tmp_path: Path) -> None:
    path = searched(tmp_path / "search", SPACE, most_reports=14)
    served = visit(path)
    token = f"?token={served.listening.token}"
    page = browser.open(
        served.address.replace(f"/{token}", f"/trials/1/2{token}"), width=1400, height=900, dark=True
    )
    page.wait_for("document.querySelectorAll('polyline').length === 2")
    assert "epoch 2 of 6" in page.evaluate("document.querySelector('header').textContent")
    time.sleep(1)  # it has asked once
    append(path, Reported(2, metrics(3, 12.34), "node", "cpu"))
    page.wait_for("document.querySelector('header').textContent.includes('error now 12.34 %')")
    assert page.evaluate("document.querySelector('polyline').getAttribute('points').split(' ').length") == 3
    back = page.evaluate("document.querySelector('header a').href")
    assert page.complaints() == []
    page.call("Page.navigate", url="about:blank")
    page = browser.open(back, width=1400, height=900, dark=True)
    page.wait_for("document.querySelector('#trials-table tr.chosen')?.textContent.includes('002_')")
    assert page.complaints() == []
    page.call("Page.navigate", url="about:blank")


def test_on_a_phone_the_errors_of_running_trials_are_on_the_screen(
    visit: Any, browser: Browser, tmp_path: Path
) -> None:
    path = searched(tmp_path / "search", SPACE, most_reports=62)
    served = visit(path)
    with Record.open(path / "events.jsonl"):  # as its driver does
        page = browser.open(served.address, width=400, height=900, dark=True)
        page.wait_for("document.querySelector('#live table.running tbody td') !== null")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        rows = "[...document.querySelectorAll('#live table.running tr')]"
        right = f"Math.max(...{rows}.map(r => r.children[{{}}].getBoundingClientRect().right))"
        edge = page.evaluate("document.querySelector('#live .scroll').getBoundingClientRect().right")
        for column in range(3):  # trial, epoch, error now
            assert page.evaluate(right.format(column)) <= edge + 1

    page = browser.open(served.address.replace("/?", "/trials/1/10?"), width=400, height=900, dark=True)
    page.wait_for("document.querySelector('svg.curve text') !== null")
    sizes = "[...document.querySelectorAll('svg.curve text')].map(t => t.getBoundingClientRect())"
    assert page.evaluate(f"Math.min(...{sizes}.map(r => r.height))") > 9  # can be read
    apart = (
        f"(() => {{ const all = {sizes}; return all.every((a, i) => all.slice(i + 1).every((b) =>"
        " a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 3 || b.bottom <= a.top + 3)); })()"
    )
    assert page.evaluate(apart), "no text of the axes stands on another"
    assert page.complaints() == []
