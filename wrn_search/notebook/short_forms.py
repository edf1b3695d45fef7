"""A search in one line and as a small table, from its record alone: no model is fitted to show one."""

from __future__ import annotations

import html
from collections.abc import Sequence

from wrn_search.errors import InputError, printable
from wrn_search.progress.search_progress import standing_text, verdict_parts
from wrn_search.progress.search_status import SearchStatus, status_of
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.verdict_so_far.verdict import VerdictSoFar
from wrn_search.wording import plural

_HEAD = ("search", "state", "trials", "epochs", "best so far", "verdict")


def search_text(directories: Sequence[ResultsDirectory]) -> str:
    """`Search('results/a': finished, 16 trials (9 completed, 7 stopped), best 2.33 % 004_WRN-16-4_p0.30)`."""
    return f"Search({'; '.join(_line(directory) for directory in directories)})"


def search_html(directories: Sequence[ResultsDirectory]) -> str:
    """A table with a row for each search."""
    head = "".join(f'<th style="text-align:left">{title}</th>' for title in _HEAD)
    rows = "".join(f"<tr>{_row(directory)}</tr>" for directory in directories)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _line(directory: ResultsDirectory) -> str:
    status = _status(directory)
    path = repr(str(directory.path))
    if isinstance(status, str):
        return f"{path}: {status}"
    best = _best(status)
    return f"{path}: {status.state}, {_trials(status)}{f', best {best}' if best else ''}"


def _row(directory: ResultsDirectory) -> str:
    status = _status(directory)
    if isinstance(status, str):
        cells = [str(directory.path), status, "", "", "", ""]
    else:
        epochs = f"{status.progress.epochs_done:,}"
        name = status.search or str(directory.path)
        cells = [name, status.state, _trials(status), epochs, _best(status) or "", _verdict(status)]
    return "".join(
        f'<td style="text-align:left;vertical-align:top">{html.escape(printable(each))}</td>'
        for each in cells
    )


def _status(directory: ResultsDirectory) -> SearchStatus | str:
    """How it stands; what is wrong with its record, in words."""
    try:
        return status_of(directory)
    except InputError as error:
        return f"its record cannot be read ({error.problems[0].text})"


def _trials(status: SearchStatus) -> str:
    progress = status.progress
    of = "" if progress.is_open_ended or not status.is_running else f" of {progress.rows:,}"
    counts = f" ({progress.counts_text})" if progress.counts_text else ""
    running = f", {len(progress.running)} running" if progress.running else ""
    ended = f"{progress.ended.total():,}{of} trials" if of else plural(progress.ended.total(), "trial")
    return f"{ended}{counts}{running}"


def _best(status: SearchStatus) -> str | None:
    best = status.progress.best
    return None if best is None else f"{standing_text(best)} {status.progress.name(best.number)}"


def _verdict(status: SearchStatus) -> str:
    """The last one that was written down: so far, or the first sentence of a report."""
    told = status.verdict
    if told is None:
        return ""
    if told["kind"] == "so_far":
        return "; ".join(verdict_parts(VerdictSoFar.from_dict(told)))
    return str(next(iter(told["sentences"]), ""))
