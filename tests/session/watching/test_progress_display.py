import io
import json
import os
import pty
import re
import select
from typing import ClassVar

import pytest

from tests.decisions.playing import metrics, space_of
from tests.progress.pictures import VERDICT, progress_of
from tests.results.searches import START, reported
from wrn_search.lines_on_stderr import tell, use_json, warn
from wrn_search.progress.search_progress import Progress
from wrn_search.progress.terminal_lines import terminal_lines
from wrn_search.results.events import Completed, Event, Failed, Paused, Proposed, Reported, Started, Stopped
from wrn_search.session.watching.progress_display import ProgressDisplay
from wrn_search.verdict_so_far.verdict import VerdictSoFar
from wrn_search.wording import duration


def _events() -> list[tuple[float, Event]]:
    config = space_of().trial_config({"dropout": 0.1}, 0, precision="fp32", compile="off").to_dict()
    events: list[tuple[float, Event]] = []
    for number in range(3):
        events += [
            (100.0, Proposed(number, f"{number}", number, 0, {"dropout": 0.1}, config, 1, 1)),
            (100.0, Started(number, 1, 0.0)),
            (110.0, Reported(number, metrics(1, 20.0 + number), "node", "cpu")),
        ]
    events += [(130.0, Reported(0, metrics(2, 9.5), "node", "cpu")), (130.0, Completed(0))]
    return [*events, (160.0, Stopped(1, 1, "worse")), (160.0, Failed(2, "killed"))]


def test_the_line_counts_trials_epochs_and_time() -> None:
    progress = Progress(rows=6, max_epochs=2, began=100.0)
    assert progress.line(100.0) == "trials 0/6 | 0 running | epochs 0/12 | best - | 0 s so far"
    for moment, event in _events():
        progress.apply(moment, event)
    assert progress.line(160.0) == (
        "trials 3/6 (1 completed, 1 stopped, 1 failed) | 0 running | epochs 4/10 | "
        "best 9.50 % 000_WRN-10-1_p0.10_wd5e-4 | 4.0 epochs/min | 1 min so far, about 1 min left"
    )


def test_one_that_rested_and_trains_again_waits_no_more() -> None:
    """A session with another scheduler lets it go on without a word."""
    progress = Progress(rows=6, max_epochs=2, began=100.0)
    for moment, event in [*_events()[:3], (120.0, Paused(0, 1, "worse")), (130.0, Started(0, 1, 0.0))]:
        progress.apply(moment, event)
    assert progress.line(130.0).split(" | ")[1] == "1 running"


def test_the_best_is_the_best_median_and_not_the_lucky_seed() -> None:
    """Errors of three repeats each of two configurations, told as they come in."""
    progress = Progress(rows=6, max_epochs=1, began=0.0)
    config = space_of().trial_config({"dropout": 0.1}, 0, precision="fp32", compile="off").to_dict()
    told = []
    for number, error in enumerate([1.0, 9.0, 8.0, 3.0, 2.0, 4.0]):
        place = (number // 3, number % 3)
        progress.apply(0.0, Proposed(number, f"{number}", *place, {"dropout": 0.1}, config, 1, 1))
        progress.apply(1.0, Reported(number, metrics(1, error), "node", "cpu"))
        progress.apply(1.0, Completed(number))
        best = progress.line(2.0).split(" | ")[3]
        told.append(best.replace("_WRN-10-1_p0.10_wd5e-4", ""))
    assert told == [
        "best 1.00 % 000",
        "best 5.00 % (median of 2) 000",
        "best 8.00 % (median of 3) 002_r2",
        "best 8.00 % (median of 3) 002_r2",
        "best 2.50 % (median of 2) 004_r1",
        "best 3.00 % (median of 3) 003",
    ]


def test_a_resumed_session_reckons_with_its_own_pace() -> None:
    progress = Progress(rows=6, max_epochs=2, began=1000.0)
    for moment, event in _events():
        progress.apply(moment, event)
    assert progress.seconds_left(1060.0) is None
    assert progress.line(1060.0).startswith(
        "trials 3/6 (1 completed, 1 stopped, 1 failed) | 0 running | epochs 4/10"
    )


def test_the_time_left_falls_while_trials_run() -> None:
    """Two trials at a time of ten epochs each, an epoch a second: it goes down by a second a second."""
    progress = Progress(rows=4, max_epochs=10, began=0.0)
    config = space_of().trial_config({"dropout": 0.1}, 0, precision="fp32", compile="off").to_dict()
    for number in range(4):
        progress.apply(0.0, Proposed(number, f"{number}", number, 0, {"dropout": 0.1}, config, 1, 1))
    left = []
    for second in range(1, 21):
        pair = (0, 1) if second <= 10 else (2, 3)
        for number in pair:
            epoch = (second - 1) % 10 + 1
            progress.apply(float(second), Reported(number, metrics(epoch, 20.0), "node", "cpu"))
            if epoch == 10:
                progress.apply(float(second), Completed(number))
        left.append(progress.seconds_left(float(second)))
    assert left[:9] == [None] * 9
    assert left[9:] == [float(second) for second in range(10, -1, -1)]


def test_an_epoch_that_is_trained_again_counts_once() -> None:
    progress = Progress(rows=1, max_epochs=5, began=0.0)
    for moment, event in _events()[:3]:
        progress.apply(moment, event)
        progress.apply(moment, event)
    assert progress.epochs_done == 1


def test_without_a_terminal_there_is_a_plain_line_at_times() -> None:
    now = [1000.0]
    stream = io.StringIO()
    display = ProgressDisplay(Progress(6, 2, began=1000.0), lambda: now[0], stream)
    with display:
        display.tick()
        display.tick()
        now[0] += 11
        display.tick()
    lines = stream.getvalue().splitlines()
    assert [line.split(" | ")[-1] for line in lines] == ["0 s so far", "11 s so far"]
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("variables", "is_live"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "unknown"}, False),
        ({"TERM": ""}, False),
        ({"TERM": "xterm", "TTY_INTERACTIVE": "0"}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
    ],
)
def test_a_terminal_that_cannot_draw_gets_lines_as_a_pipe_does(variables, is_live, monkeypatch) -> None:
    """On a real terminal, read from its other side before the display has ended."""
    for name in ("TTY_INTERACTIVE", "TTY_COMPATIBLE", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    with (
        os.fdopen(theirs, "w") as stream,
        ProgressDisplay(Progress(6, 2, 0.0), lambda: 11.0, stream) as display,
    ):
        display.tick(at_once=True)
        stream.flush()
        shown = ""
        while "so far" not in shown and select.select([ours], [], [], 10)[0]:  # it may come in pieces
            shown += os.read(ours, 10_000).decode()
    os.close(ours)
    assert "11 s so far" in shown, "nothing is shown until the end"
    assert ("\x1b" in shown) == is_live


def test_durations() -> None:
    assert [duration(seconds) for seconds in (0.4, 59.4, 60, 725, 12_000)] == [
        "0 s",
        "59 s",
        "1 min",
        "12 min",
        "3 h 20 min",
    ]


def test_the_verdict_so_far_stands_beside_the_progress() -> None:
    progress = Progress(rows=6, max_epochs=2, began=100.0)
    leading = (("WRN-16-2", 0.61), ("WRN-10-2", 0.25), ("WRN-16-1", 0.14))
    told = progress.line(100.0, VerdictSoFar(40, ("WRN-16-2", 1.63, 0.91, 2.62), leading))
    assert told.endswith(
        "winner so far WRN-16-2, 1.6 % when retrained (0.91 to 2.6) | best network WRN-16-2 61 %, WRN-10-2 25 %, "
        "WRN-16-1 14 % (predicted from 40 trials)"
    )
    assert "winner" not in progress.line(100.0, VerdictSoFar(6, None, leading))
    assert progress.line(100.0) == progress.line(100.0, None)


def test_the_display_shows_what_its_watch_has_found_and_tells_it_of_reports() -> None:
    class Watch:
        verdict = VerdictSoFar(7, None, (("WRN-10-1", 1.0),))
        changes = ticks = 0

        def tick(self) -> None:
            self.ticks += 1

    stream, watch = io.StringIO(), Watch()
    progress = Progress(rows=3, max_epochs=2, began=100.0)
    display = ProgressDisplay(progress, lambda: 100.0, stream, watch)  # type: ignore[arg-type]
    with display:
        for moment, event in _events():
            display(moment, event)
        display.tick(at_once=True)
    assert watch.changes == sum(isinstance(event, Reported) for _, event in _events())
    assert watch.ticks >= watch.changes
    assert "best network WRN-10-1 100 % (predicted from 7 trials)" in stream.getvalue()


def _on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, frames: int) -> list[str]:
    """What a terminal gets of a display of 1,000 running trials, of which one reports between two frames."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", "30")
    for name in ("TTY_INTERACTIVE", "TTY_COMPATIBLE", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    class Terminal(io.StringIO):
        written: ClassVar[list[str]] = []

        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            self.written.append(text)
            return len(text)

    Terminal.written.clear()
    now = [START + 1200.0]
    progress = progress_of(1000)
    with ProgressDisplay(progress, lambda: now[0], Terminal()) as display:
        for frame in range(frames):
            now[0] += 1
            display(now[0], reported(41, 43 + frame, val_error=3.0 + frame))
    return Terminal.written


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nothing_flickers_at_a_thousand_trials(columns, monkeypatch) -> None:
    """Each frame is one write, shown as a whole, over the last one: no line is erased before it is written again."""
    written = [text for text in _on_a_terminal(monkeypatch, columns, 5) if "running" in text]
    assert len(written) >= 6
    for text in written:
        assert text.startswith("\x1b[?2026h")
        assert text.endswith("\x1b[?2026l")
        assert not re.search(r"\x1b\[2[KJ]", text)
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
        assert max(len(line) for line in plain.splitlines()) < columns
        assert len(plain.splitlines()) <= 30
    moves = [text.count("\x1b[1A") for text in written[1:-1]]
    assert set(moves) == {28}, "frames have one height"


@pytest.mark.parametrize("columns", [40, 41, 200])
def test_every_line_is_told_to_its_end(columns, monkeypatch) -> None:
    """None is cut where the terminal ends: at 40 columns an error that lost its last sign would be another one."""
    last = [text for text in _on_a_terminal(monkeypatch, columns, 1) if "running" in text][-1]
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", last).replace("\r", "").rstrip("\n").split("\n")
    progress = progress_of(1000)
    progress.apply(START + 1201.0, reported(41, 43, val_error=3.0))
    expected = terminal_lines(progress, START + 1201.0, columns - 1, 29)
    assert [line.rstrip() for line in lines] == [line.text for line in expected]


def test_who_wants_no_colours_gets_plain_lines(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    with ProgressDisplay(Progress(6, 2, 0.0), lambda: 11.0, stream) as display:
        display.tick(at_once=True)
    assert stream.getvalue() == "trials 0/6 | 0 running | epochs 0/12 | best - | 11 s so far\n"


def test_programs_get_objects(capsys) -> None:
    """Progress, what happened to trials and why, the verdict: an object a line."""

    class Watch:
        verdict, changes = VERDICT, 0

        def tick(self) -> None:
            pass

    use_json(True)
    try:
        display = ProgressDisplay(Progress(3, 2, 100.0), lambda: 200.0, io.StringIO(), Watch())  # type: ignore[arg-type]
        with display:
            display.waits_for("the first epoch of a trial")
            for moment, event in _events():
                display(moment, event)
            display.tick(at_once=True)
        warn(["odd images"])
        tell("changed a key")
    finally:
        use_json(False)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    kinds = [each["kind"] for each in told]
    assert set(kinds) == {"waiting", "verdict", "progress", "trial", "warning", "note"}
    (waiting,) = (each for each in told if each["kind"] == "waiting")
    assert (waiting["what"], waiting["seconds"]) == ("the first epoch of a trial", 100.0)
    trials = [(each["number"], each["what"], each["why"]) for each in told if each["kind"] == "trial"]
    assert trials == [(0, "completed", ""), (1, "stopped", "at epoch 1, worse"), (2, "failed", "killed")]
    progress = [each for each in told if each["kind"] == "progress"][-1]
    assert (progress["trials"], progress["ended"], progress["best"]["val_error"]) == (3, 3, 9.5)
    assert progress["by_status"] == {"completed": 1, "failed": 1, "stopped": 1}
    assert VerdictSoFar.from_dict(next(each for each in told if each["kind"] == "verdict")) == VERDICT


def test_a_new_verdict_is_handed_on_once() -> None:
    class Watch:
        verdict, changes = VERDICT, 0

        def tick(self) -> None:
            pass

    heard: list[VerdictSoFar] = []
    display = ProgressDisplay(Progress(3, 2, 0.0), lambda: 1.0, io.StringIO(), Watch(), heard.append)  # type: ignore[arg-type]
    display.tick()
    display.tick()
    assert heard == [VERDICT]
