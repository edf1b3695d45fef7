"""What a start waits for: on a terminal from the first moment on, in a file once the input is checked."""

from __future__ import annotations

import io
import json

import pytest

from wrn_search.lines_on_stderr import Start, tell, use_json, warn


def _told(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, quiet: bool = False) -> list[str]:
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", stream)
    start = Start(quiet)
    start.waits_for("the program to load", unchecked=True)
    start.waits_for("Ray")
    start.waits_for("Ray")
    return stream.getvalue().splitlines()


def test_a_terminal_hears_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["   0 s  waiting for the program to load", "   0 s  waiting for Ray"]
    assert _told(monkeypatch, is_terminal=True) == lines
    assert _told(monkeypatch, is_terminal=False) == lines[1:]
    assert _told(monkeypatch, is_terminal=True, quiet=True) == []


def test_a_program_gets_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    use_json(True)
    try:
        told = [json.loads(line) for line in _told(monkeypatch, is_terminal=False)]
        warn(["a\x1b[31m"])
        tell("b")
    finally:
        use_json(False)
    assert [(each["kind"], each["what"]) for each in told] == [
        ("waiting", "the program to load"),
        ("waiting", "Ray"),
    ]


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    Start().waits_for("Ray", unchecked=True)
    warn(["a"])
