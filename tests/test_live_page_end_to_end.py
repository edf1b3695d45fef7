"""The live page of a real search, in a real browser, from the search's start to its end, without a reload."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.report.html.browser import CHROMIUM, running_browser
from wrn_search.results.events import Reported, Started
from wrn_search.results.events_jsonl import read_events

ROOT = Path(__file__).resolve().parents[1]
SPACE = """
name: watched
dataset: {name: digits}
model: {depth: {choice: [10, 16]}, widen_factor: {choice: [0.5, 1]}}
training: {epochs: 8, batch_size: 64, weight_decay: {loguniform: [1.0e-5, 1.0e-3]}}
search: {searcher: random, scheduler: none, trials: 8}
resources: {concurrent: 2, cpus_per_trial: 1}
"""
_WHOLE_SEARCH = 600  # seconds, on a machine with other work
_EPOCHS = "Number(document.querySelector('#live .facts')?.textContent.match(/(\\d+) epochs/)?.[1] ?? 0)"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (apt-get install chromium)"),
]


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command of ours that runs until it ends or is asked to."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RAY_raylet_start_wait_time_s": "300"}
    command = [sys.executable, "-m", "wrn_search", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def wait_for_a_trial(results: Path, search: subprocess.Popen[str]) -> None:
    """Ray takes minutes for its first one on a machine with other work."""
    while not any(isinstance(event, Started) for _, event in read_events(results / "events.jsonl")):
        assert search.poll() is None
        time.sleep(0.5)


def test_a_search_is_watched_from_its_start_to_its_end(tmp_path: Path) -> None:
    space, results = tmp_path / "watched.yaml", tmp_path / "results"
    space.write_text(SPACE)
    with started("run", str(space), "--results", str(results)) as search:
        while not (results / "events.jsonl").exists():
            assert search.poll() is None
            time.sleep(0.1)
        with (
            started("watch", str(results), "--json") as watch,
            running_browser(tmp_path / "profile") as browser,
        ):
            assert watch.stdout is not None
            told = ""
            while not told.endswith("}\n"):
                told += watch.stdout.readline()
            address = json.loads(told)["address"]
            page = browser.open(address, width=1400, height=900, dark=False)
            wait_for_a_trial(results, search)
            page.wait_for("document.querySelectorAll('#live table.running tbody tr').length > 0")
            page.evaluate("(() => { window.mine = true; })()")
            first = page.evaluate(_EPOCHS)
            page.wait_for(f"{_EPOCHS} > {first}")
            assert page.evaluate("document.querySelector('.card').dataset.state") == "running"
            page.wait_for("document.documentElement.dataset.report")
            link = page.evaluate("document.querySelector('#live table.running a, #live li a').href")
            page.wait_for("document.querySelector('.card').dataset.state === 'finished'", _WHOLE_SEARCH)
            last = page.evaluate(_EPOCHS)
            events = [event for _, event in read_events(results / "events.jsonl")]
            assert last == sum(isinstance(event, Reported) for event in events) == 64
            page.wait_for("document.querySelector('#trials-table .tally')?.textContent === 'all 8 trials'")
            page.wait_for("document.documentElement.dataset.model === 'true'")
            assert page.evaluate("window.mine") is True
            assert page.complaints() == []
            trial = browser.open(link, width=1400, height=900, dark=False)
            trial.wait_for("document.querySelectorAll('polyline')[0].getAttribute('points') !== ''")
            assert trial.complaints() == []
        assert search.wait(200) == 0
