"""What a terminal shows of a search in progress, as lines: a function of its state, the time and the terminal's size.

Rows stand where they stood: running trials are listed by number, and as many as fit, so that nothing jumps. ASCII only,
as not every terminal shows more.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from wrn_search.errors import printable
from wrn_search.progress.search_progress import (
    Progress,
    RunningTrial,
    standing_text,
    verdict_parts,
)
from wrn_search.progress.text_table import Column, clipped, table
from wrn_search.verdict_so_far.verdict import VerdictSoFar
from wrn_search.wording import duration, plural, two_significant

LEAST_COLUMNS, MOST_COLUMNS = 39, 200  # of a terminal of 40 the last column stays free
_LEAST_ROWS = 8
_MOST_HAPPENINGS = 5
_TIGHT = 20  # rows below which sections stand without headings
_NARROW, _MIDDLE, _WIDE = 60, 70, 90  # columns below which texts are shorter
_NOTHING = "-"


@dataclass(frozen=True)
class Line:
    """One line of the display; `style` is one of STYLES."""

    text: str
    style: str = "plain"


STYLES = ("plain", "title", "heading", "good", "bad", "dim")
_STYLE_OF = {"failed": "bad", "diverged": "bad", "retried": "bad", "completed": "good", "promoted": "good"}


def terminal_lines(
    progress: Progress,
    now: float,
    columns: int,
    rows: int,
    verdict: VerdictSoFar | None = None,
    awaited: str = "",
) -> list[Line]:
    """The display; no line is longer than the terminal is wide, and there are no more than it has rows.

    Args:
        progress: of the search.
        now: Unix seconds by the clock of the record.
        columns, rows: of the terminal; fewer than 39 columns count as 39, more than 200 as 200.
        verdict: the one so far, if there is one.
        awaited: what the search waits for before it trains, such as `Ray`; empty once it trains.
    """
    columns = min(max(columns, LEAST_COLUMNS), MOST_COLUMNS)
    rows = max(rows, _LEAST_ROWS)
    is_tight = rows < _TIGHT
    head = _head(progress, now, columns, awaited)
    best = _best(progress, verdict, columns, 1 if is_tight else 3)
    told = _verdict(verdict, columns, 1 if is_tight else 3)
    last = _last(progress, now, columns, 1 if is_tight else _MOST_HAPPENINGS)
    if not is_tight:
        best, last = _under("best so far", best), _under("what happened last", last)
    elif best:
        best = [Line(clipped(f"best {best[0].text.strip()}", columns))]
    room = rows - len(head) - len(best) - len(told) - len(last)
    running = _running(progress, columns, max(room, 2))
    return [*head, *running, *best, *told, *last][:rows]


def _head(progress: Progress, now: float, columns: int, awaited: str) -> list[Line]:
    """Trials, time, epochs and budget."""
    ended = progress.ended.total()
    of = "" if progress.is_open_ended else f" of {progress.rows:,}"
    title = f"{progress.search or 'search'}: {ended:,}{of} trials"
    if not progress.is_open_ended and progress.rows:
        title += f" {_bar(ended / progress.rows, max(0, min(40, columns - len(title) - 9)))}"
    counts = [
        *([progress.counts_text] if ended else []),
        f"{len(progress.running):,} running",
        *([f"{len(progress.waiting):,} wait at a rung"] if progress.waiting else []),
    ]
    left, pace = progress.seconds_left(now), progress.epochs_per_minute(now)
    time = f"{duration(now - progress.began)} so far"
    time += f", about {duration(left)} left" if left is not None else ""
    epochs = plural(progress.epochs_done, "epoch")
    if not progress.funds:
        epochs = f"{progress.epochs_done:,} of {progress.epochs_planned:,} epochs"
    epochs += f", {pace:.1f} a minute" if pace is not None else ""
    facts = [", ".join(counts), time, epochs]
    if progress.funds:
        facts.append(f"budget: {progress.funds.text} spent; left: {progress.funds.left_text}")
    lines = [Line(clipped(printable(title), columns), "title")]
    lines += [Line(text) for text in _packed(facts, columns)]
    if awaited:
        lines.append(Line(clipped(f"waiting for {awaited}", columns), "heading"))
    return lines


def _bar(share: float, width: int) -> str:
    """`[####------] 41 %`."""
    full = round(min(max(share, 0.0), 1.0) * width)
    bar = f"[{'#' * full}{'-' * (width - full)}] " if width >= 8 else ""
    return f"{bar}{100 * share:.0f} %"


def _packed(facts: Sequence[str], columns: int) -> list[str]:
    """Several facts on a line where they fit; one that does not fit alone is wrapped."""
    lines: list[str] = []
    for fact in facts:
        if lines and len(lines[-1]) + 3 + len(fact) <= columns:
            lines[-1] += f" | {fact}"
        else:
            lines += textwrap.wrap(fact, columns)
    return lines


_RUNNING = (
    Column("running", gives_way=True),
    Column("node", worth=2),
    Column("epoch", worth=4, right=True),
    Column("error now", worth=3, right=True),
    Column("images/s", worth=1, right=True),
)


def _running(progress: Progress, columns: int, room: int) -> list[Line]:
    """A row for each running trial, by number; of those that have no room the range."""
    trials = [progress.running[number] for number in sorted(progress.running)]
    if not trials:
        return []
    shown = trials if len(trials) < room else trials[: max(room - 2, 0)]
    cells = [_running_cells(progress, trial) for trial in shown]
    lines = [Line(text) for text in table(_RUNNING, cells, columns)]
    lines[0] = Line(lines[0].text, "heading")
    hidden = trials[len(shown) :]
    return [*lines, Line(clipped(_in_short(hidden), columns), "dim")] if hidden else lines


def _running_cells(progress: Progress, trial: RunningTrial) -> list[str]:
    return [
        progress.name(trial.number),
        printable(trial.node) or _NOTHING,
        f"{trial.epoch} of {progress.max_epochs}",
        _NOTHING if trial.error is None else f"{trial.error:.2f} %",
        _NOTHING if trial.images_per_second is None else f"{trial.images_per_second:,.0f}",
    ]


def _in_short(trials: Sequence[RunningTrial]) -> str:
    """`and 992 more: epochs 0 to 57, errors 4.12 to 89.90 %`."""
    epochs = [trial.epoch for trial in trials]
    errors = [trial.error for trial in trials if trial.error is not None]
    text = f"and {len(trials):,} more: epochs {min(epochs)} to {max(epochs)}"
    return f"{text}, errors {min(errors):.2f} to {max(errors):.2f} %" if errors else text


_BEST = (Column("measured", right=True, worth=4), Column("", gives_way=True), Column("", worth=3))


def _best(progress: Progress, verdict: VerdictSoFar | None, columns: int, most: int) -> list[Line]:
    """The best configurations at full epochs, each with what another training of it is expected to reach."""
    cells = []
    for standing in progress.leading[:most]:
        expected = verdict.expected.get(str(standing.number)) if verdict else None
        text = ""
        if expected is not None:
            mean, low, high = map(two_significant, expected)
            text = f"expected when retrained {mean} % ({low} to {high})"
            if columns < _NARROW:
                text = f"exp. {mean} %"
            elif columns < _WIDE:
                text = f"expect {mean} % ({low} to {high})"
        cells.append([standing_text(standing), progress.name(standing.number), text])
    return [Line(text) for text in table(_BEST, cells, columns)[1:]] if cells else []


def _verdict(verdict: VerdictSoFar | None, columns: int, most: int) -> list[Line]:
    """The verdict so far, in as many lines as it may take."""
    text = "; ".join(verdict_parts(verdict))
    if not text:
        return []
    lines = textwrap.wrap(f"verdict so far: {text.replace('winner so far', 'winner')}", columns)
    if len(lines) > most:
        lines = [*lines[: most - 1], clipped(f"{lines[most - 1]} {lines[most]}", columns)]
    return [Line(line, "heading") for line in lines]


def _last(progress: Progress, now: float, columns: int, most: int) -> list[Line]:
    """What happened last, the newest first."""
    lines = []
    for happening in list(progress.happenings.last)[: -most - 1 : -1]:
        ago = duration(now - happening.moment)
        name = progress.name(happening.number)
        name = name.partition("_")[0] if columns < _MIDDLE else name
        text = f"{ago} ago: {name} {printable(happening.text)}"
        lines.append(Line(clipped(text, columns), _STYLE_OF.get(happening.what, "plain")))
    return lines


def _under(heading: str, lines: list[Line]) -> list[Line]:
    return [Line(heading, "heading"), *lines] if lines else []
