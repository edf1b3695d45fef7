"""All that watches a session beside its files: display, callbacks, verdict so far, requests to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wrn_search.decisions.budget.most_trials import is_open_ended
from wrn_search.decisions.trial_lifecycle import Conductor
from wrn_search.lines_on_stderr import tell
from wrn_search.progress.search_progress import Progress
from wrn_search.progress.stop_request import StopMailbox
from wrn_search.progress.verdict_file import write_verdict
from wrn_search.results.events_jsonl import Record
from wrn_search.session.ctrl_c import PATIENCE
from wrn_search.session.search_request import Request
from wrn_search.session.watching.callbacks import Callbacks
from wrn_search.session.watching.progress_display import ProgressDisplay, watch_on
from wrn_search.trackers.trackers_of_a_session import SessionTrackers, start_trackers


@contextmanager
def watched(
    request: Request, record: Record, conductor: Conductor, quiet: bool
) -> Iterator[Callable[[], None]]:
    """Within it the session is shown, unless it is to be `quiet`, and can be asked to stop; gives the call for a tick.

    Enter it before the record forgets its events: the display begins with them.
    """
    mailbox = StopMailbox(request.directory.path)
    trackers = start_trackers(request.directory, request.space.trackers)
    try:
        if request.callbacks:
            record.subscribe(Callbacks(request.callbacks, conductor))
        if quiet:
            yield lambda: _look(mailbox, conductor, trackers)
            return
        display = _display(request, record, conductor)
        record.subscribe(display)
        with display:
            probe = "the probe of a GPU's memory and " if conductor.allotment.by_memory else ""
            display.waits_for(f"{probe}the first epoch of a trial")

            def tick() -> None:
                display.tick()
                _look(mailbox, conductor, trackers)

            yield tick
    finally:
        mailbox.close()


def _look(mailbox: StopMailbox, conductor: Conductor, trackers: SessionTrackers) -> None:
    """Stops as Ctrl-C would when somebody asks for it; hears of the trackers."""
    trackers.look()
    if (asker := mailbox.asked_by()) is not None:
        tell(f"stopping, as {asker} asks: {PATIENCE}", kind="stopping")
        conductor.interrupt()


def _display(request: Request, record: Record, conductor: Conductor) -> ProgressDisplay:
    space, funds = request.space, conductor.funds if conductor.funds.are_limited else None
    progress = Progress(
        request.rows, space.training.epochs, record.now(), funds, is_open_ended(space), space.name
    )
    for moment, event in record.events:
        progress.apply(moment, event)
    directory = request.directory
    return ProgressDisplay(
        progress,
        record.now,
        watch=watch_on(conductor),
        on_verdict=lambda told: write_verdict(directory, told),
    )
