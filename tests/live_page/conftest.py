"""Live pages of made searches, served on loopback by a thread; the browser of the report's tests."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.html.browser import Browser, running_browser
from wrn_search.live_page.address import Listening, listen
from wrn_search.live_page.server import LivePage, serve, server_of
from wrn_search.results.results_directory import ResultsDirectory


class Visit:
    """A page that is served, as somebody sees it who speaks HTTP."""

    def __init__(self, page: LivePage, listening: Listening):
        self.page, self.listening = page, listening
        self.address = listening.address

    def get(self, path: str, *, token: str | None = "", **query: str) -> tuple[int, str]:
        """(status, text) of an address; with the right token unless another one, or None, is given."""
        given = {} if token is None else {"token": token or self.listening.token}
        asked = "&".join(f"{name}={value}" for name, value in {**given, **query}.items())
        address = f"http://127.0.0.1:{self.listening.port}{path}?{asked}"
        try:
            with urllib.request.urlopen(address, timeout=100) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def values(self, path: str, **query: str) -> dict[str, Any]:
        """The JSON of an address."""
        status, text = self.get(path, **query)
        assert status == 200, text
        values: dict[str, Any] = json.loads(text)
        return values

    def wait_for_report(self, is_right: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Asks as a browser does until a report is there that is right."""
        end = time.monotonic() + 280
        while time.monotonic() < end:
            self.values("/live")
            told = self.values("/report")
            if told["report"] is not None and is_right(told):
                return told
            time.sleep(0.2)
        raise AssertionError("no such report came")


@pytest.fixture
def visit() -> Iterator[Callable[..., Visit]]:
    """Serves the page of some results directories until the test ends."""
    ends: list[Callable[[], None]] = []

    def start(*paths: Path) -> Visit:
        listening = listen()
        page = LivePage([ResultsDirectory(path) for path in paths], listening.token)
        server = server_of(page)
        thread = threading.Thread(target=serve, args=(page, listening, server))
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()

        ends.append(end)
        return Visit(page, listening)

    yield start
    for end in ends:
        end()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for each file of tests."""
    with running_browser(tmp_path_factory.mktemp("chromium") / "profile") as running:
        yield running
