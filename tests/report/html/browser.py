"""A headless Chromium that is told what to do over its DevTools pipe: no driver, no port, no network."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe"),
)
# Puts the two ends of the pipes where Chromium looks for them and becomes it.
_LAUNCH = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_SECONDS = 120  # for one answer, on a machine with other work
_COMPLAINTS = ("error", "warning", "assert")


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str):
        self._browser, self._session = browser, session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One DevTools command in this tab."""
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, seconds: float = _SECONDS) -> None:
        """Waits until an expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"{expression} did not become true; {self.complaints()}"
            time.sleep(0.05)

    def screenshot(self, path: Path) -> None:
        """The whole page as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, exceptions and violations of the page's policy, so far."""
        self.evaluate("1")  # what happened before this is in the pipe now
        return [complaint for event in self._browser.events if (complaint := _complaint(event))]

    def requests(self) -> list[str]:
        """The addresses that were asked for; what stands in the page itself is none."""
        sent = [event for event in self._browser.events if event["method"] == "Network.requestWillBeSent"]
        addresses = [event["params"]["request"]["url"] for event in sent]
        return [address for address in addresses if not address.startswith(("data:", "blob:"))]


class Browser:
    """A running Chromium."""

    def __init__(self, write: int, read: int):
        self._write, self._read, self._number, self._rest = write, read, 0, b""
        self._answers = select.poll()  # takes any file descriptor, however many others are open
        self._answers.register(read, select.POLLIN)
        self.events: list[dict[str, Any]] = []

    def open(self, address: str, *, width: int, height: int, dark: bool) -> Page:
        """Loads an address in a new tab of this size and colour scheme."""
        self.events.clear()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Runtime", "Log", "Network", "Page"):
            page.call(f"{domain}.enable")
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.call("Page.navigate", url=address)
        page.wait_for(
            f"location.href.startsWith({json.dumps(address)}) && document.readyState === 'complete'"
        )
        return page

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command and its answer; events that come meanwhile are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": session} if session else {}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)
        raise AssertionError(f"the browser ended before it answered {method}")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" in self._rest:
                message, self._rest = self._rest.split(b"\0", 1)
                yield json.loads(message)
            assert self._answers.poll(1000 * _SECONDS), f"no answer within {_SECONDS} s"
            read = os.read(self._read, 1 << 20)
            if not read:
                return
            self._rest += read


@contextmanager
def running_browser(profile: Path) -> Iterator[Browser]:
    """A Chromium with a new profile; it reads commands from descriptor 3 and answers on descriptor 4."""
    assert CHROMIUM is not None
    read, ours_out = os.pipe()
    ours_in, written = os.pipe()
    theirs_in, theirs_out = (_high(descriptor) for descriptor in (read, written))
    command = [CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}"]
    moved = [sys.executable, "-c", _LAUNCH, str(theirs_in), str(theirs_out), *command]
    with (profile.parent / f"{profile.name}.log").open("wb") as log:
        process = subprocess.Popen(moved, pass_fds=(theirs_in, theirs_out), stdout=log, stderr=log)
    os.close(theirs_in)
    os.close(theirs_out)
    browser = Browser(ours_out, ours_in)
    try:
        yield browser
        browser.call("Browser.close")
    finally:
        os.close(ours_out)
        os.close(ours_in)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _high(descriptor: int) -> int:
    """The same pipe at a number that is in nobody's way."""
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10)
    os.close(descriptor)
    return high


def _complaint(event: dict[str, Any]) -> str | None:
    parameters = event["params"]
    if event["method"] == "Runtime.exceptionThrown":
        return json.dumps(parameters["exceptionDetails"])
    if event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in _COMPLAINTS:
        return json.dumps(parameters["args"])
    if event["method"] == "Log.entryAdded" and parameters["entry"]["level"] in _COMPLAINTS:
        return json.dumps(parameters["entry"])
    return None


def opened(browser: Browser, address: str, *, width: int = 1400, dark: bool = False) -> Page:
    """A tab in which everything has been drawn."""
    page = browser.open(address, width=width, height=900, dark=dark)
    page.wait_for("document.documentElement.dataset.drawn")
    return page
