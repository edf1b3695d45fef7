"""The progress display: drawn again and again in a terminal or below a notebook's cell, else plain lines or JSON.

What it shows is decided in `progress/`; here it meets the terminal.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import TextIO, cast

from rich.console import Console
from rich.live import Live
from rich.text import Text

from wrn_search.decisions.image_facts import images_of
from wrn_search.decisions.rung_epochs import rungs_of
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.lines_on_stderr import is_json, log
from wrn_search.progress.happenings import happening_of
from wrn_search.progress.progress_values import progress_values
from wrn_search.progress.search_progress import Progress
from wrn_search.progress.terminal_lines import Line, terminal_lines
from wrn_search.results.events import Event, Reported, SearchEnded
from wrn_search.session.watching.notebook_cell import COLUMNS, ROWS, NotebookCell, cell_of_this_process
from wrn_search.verdict_so_far.affordable_fits import VerdictWatch, watch_of
from wrn_search.verdict_so_far.verdict import VerdictSoFar

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_REFRESHES = 0.5
_STYLES = {
    **{"plain": "", "title": "bold", "heading": "bold cyan", "good": "green", "bad": "red", "dim": "dim"}
}
# What a terminal draws between the two it shows at once; those that do not know them pass over them.
_BEGIN_FRAME, _END_FRAME = "\x1b[?2026h", "\x1b[?2026l"
_ERASE_LINE, _ERASE_REST, _ERASE_BELOW = "\x1b[2K", "\x1b[K", "\x1b[J"


class ProgressDisplay:
    """Shows `Progress` on stderr; a subscriber of the record.

    Use as a context manager; `tick` keeps a live display's clock moving.

    Args:
        progress: what is shown.
        clock: Unix seconds, as in the record; never goes back.
        stream: default stderr.
        watch: fits the verdict so far; None tells none.
        on_verdict: hears each new verdict.
    """

    def __init__(
        self,
        progress: Progress,
        clock: Callable[[], float],
        stream: TextIO | None = None,
        watch: VerdictWatch | None = None,
        on_verdict: Callable[[VerdictSoFar], object] = lambda verdict: None,
    ):
        self._watch = watch
        self._progress = progress
        self._stream: TextIO | None = stream or sys.stderr  # None: closed by whoever started us
        self._clock = clock
        self._on_verdict = on_verdict
        self._told: VerdictSoFar | None = None
        self._awaited = ""
        self._shown_at = 0.0
        self._shown: list[Line] = []
        self._live: Live | None = None
        self._cell: NotebookCell | None = None

    def __enter__(self) -> ProgressDisplay:
        self._cell = None if is_json() else cell_of_this_process()
        if self._cell is not None:
            self._draw(self._clock())
            return self
        console = None if is_json() else _live_console(self._stream)
        if console is not None:
            # The bottom of the screen is ours while it lasts; what others print stands above it.
            self._live = Live(Text(), console=console, auto_refresh=False, vertical_overflow="crop")
            with contextlib.suppress(OSError, ValueError):
                self._live.start()
                self._draw(self._clock())
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._live or self._cell:
                self._draw(self._clock())
            if self._live:
                self._live.stop()

    def __call__(self, moment: float, event: Event) -> None:
        """Takes in a written event."""
        self._progress.apply(moment, event)
        if isinstance(event, Reported):
            self._awaited = ""
            if self._watch is not None:
                self._watch.changes += 1
        if is_json() and (told := happening_of(moment, event)) is not None:
            log(
                "trial",
                number=told.number,
                name=self._progress.name(told.number),
                what=told.what,
                why=told.why,
            )
        self.tick(at_once=isinstance(event, SearchEnded))

    def waits_for(self, what: str) -> None:
        """What the search waits for now, such as the first trial's process; until a trial reports."""
        self._awaited = what
        if is_json():
            log("waiting", what=what, seconds=round(self._clock() - self._progress.began, 3))
        self.tick(at_once=True)

    def tick(self, at_once: bool = False) -> None:
        """Shows the present state, not more often than is good."""
        self._hear_of_verdict()
        now = self._clock()
        pause = SECONDS_BETWEEN_REFRESHES if self._live or self._cell else SECONDS_BETWEEN_LINES
        if not at_once and now - self._shown_at < pause:
            return
        self._shown_at = now
        with contextlib.suppress(OSError, ValueError):  # a search does not end with those who watch it
            if self._live or self._cell:
                self._draw(now)
            elif is_json():
                log("progress", **progress_values(self._progress, now))
            elif self._stream is not None:
                line = self._progress.line(now, self._verdict)
                line += f" | waiting for {self._awaited}" if self._awaited else ""
                print(line, file=self._stream, flush=True)

    @property
    def _verdict(self) -> VerdictSoFar | None:
        return self._watch.verdict if self._watch else None

    def _hear_of_verdict(self) -> None:
        if self._watch is None:
            return
        self._watch.tick()
        verdict = self._verdict
        if verdict is not None and verdict is not self._told:
            self._told = verdict
            self._on_verdict(verdict)
            if is_json():
                log("verdict", **verdict.to_dict())

    def _draw(self, now: float) -> None:
        """Draws what has changed; equal frames are not drawn."""
        if self._live is not None:
            size = self._live.console.size
            columns, rows = size.width - 1, size.height - 1  # in the last column a terminal may wrap
        else:
            columns, rows = COLUMNS, ROWS
        lines = terminal_lines(self._progress, now, columns, rows, self._verdict, self._awaited)
        if lines == self._shown:
            return
        self._shown = lines
        if self._cell is not None:
            self._cell.show(lines)
        if self._live is not None:
            self._live.update(_text_of(lines, columns), refresh=True)


def _text_of(lines: list[Line], width: int) -> Text:
    text = Text(no_wrap=True, overflow="crop")
    for place, line in enumerate(lines):
        text.append("\n" if place else "")
        text.append(line.text[:width], _STYLES[line.style])
    return text


def watch_on(conductor: Conductor) -> VerdictWatch | None:
    """On a search; a confirmation trains no more than it was asked for, and has no verdict of its own."""
    if conductor.state.choice is not None:
        return None
    space, images = conductor.space, images_of(conductor.facts)
    return watch_of(conductor.state, space, images, rungs_of(space))


class _WholeFrames:
    """A terminal's stream on which nothing flickers: a frame is written over the last one and shown as a whole.

    Rich erases all lines before it writes them again. Here each line is written over what stood there, and only then
    the rest of it erased.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Writes a frame in one piece; what the terminal's encoding lacks becomes `?`."""
        text = text.encode(self.encoding, "replace").decode(self.encoding)
        if _ERASE_LINE in text:
            text = text.replace(_ERASE_LINE, "").replace("\n", f"{_ERASE_REST}\n") + _ERASE_BELOW
        self._stream.write(f"{_BEGIN_FRAME}{text}{_END_FRAME}" if "\x1b" in text else text)
        return len(text)

    def flush(self) -> None:
        """As the stream."""
        self._stream.flush()

    def isatty(self) -> bool:
        """As the stream."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """As the stream; rich asks the terminal's size by it."""
        return self._stream.fileno()


def _live_console(stream: TextIO | None) -> Console | None:
    """A console on which lines can be drawn again, if the stream is one.

    A terminal that says `dumb` (Emacs, some editors and CI) or nothing of itself cannot, nor does one that the user
    has declared not interactive: rich shows a live display there when it is over, not before. Who sets `NO_COLOR` gets
    plain lines, too.
    """
    if stream is None or not stream.isatty() or not os.environ.get("TERM") or os.environ.get("NO_COLOR"):
        return None
    console = Console(file=cast(TextIO, _WholeFrames(stream)))
    return (
        console if console.is_terminal and console.is_interactive and not console.is_dumb_terminal else None
    )
