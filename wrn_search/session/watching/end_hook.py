"""`on_end`: the user's own command, run when a session of a search has ended; it reads what came of it on stdin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from wrn_search.errors import printable
from wrn_search.lines_on_stderr import tell
from wrn_search.progress.verdict_file import read_verdict
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.trial_selection import name_of, standings
from wrn_search.session.search_result import SearchResult

SECONDS = 60.0  # that the command may take
_STDERR = 2  # stdout is for the results of the search


def run_end_hook(result: SearchResult | None, failure: str | None = None) -> None:
    """Runs the command that the user wants to be run, if there is one, without a shell.

    Whatever goes wrong with it is one line on stderr: the search has ended as it has.

    Args:
        result: of the session; None where nothing is to be run.
        failure: why the search could not go on; None where it did not fail.
    """
    if result is None or not result.on_end:
        return
    told = json.dumps(hook_values(result, failure)) + "\n"
    try:
        status = _run(result.on_end, told.encode())
    except subprocess.TimeoutExpired:
        why = f"took longer than {SECONDS:g} s and was ended"
    except BrokenPipeError:
        return  # it did not want to read
    except (OSError, ValueError) as error:
        why = f"could not be run: {error}"
    else:
        if not status:
            return
        why = f"ended with status {status}"
    tell(printable(f"on_end: {result.on_end[0]} {why}"), kind="warning")


def _run(command: Sequence[str], told: bytes) -> int:
    """Its exit status; what takes too long is ended with all that it has started."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=_STDERR, start_new_session=True) as process:
        try:
            process.communicate(told, timeout=SECONDS)
        except BaseException:  # a second Ctrl-C too
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode


def hook_values(result: SearchResult, failure: str | None = None) -> dict[str, Any]:
    """How the session ended and what the search has found. Errors are percent; null is what is not known.

    `verdict` is that of the report, or the one so far where there is none (see `verdict_file.py`).
    """
    state = result.state
    best = next(iter(standings(state)), None)
    return {
        "search": state.search,
        "results": str(result.directory.absolute()),
        "ended": result.reason.value,
        "failure": failure,
        "exit_status": result.exit_status if failure is None else 1,
        "trials": len(state.trials),
        "by_status": dict(sorted(Counter(trial.status for trial in state.trials.values()).items())),
        "best": None
        if best is None
        else {
            "number": best.number,
            "name": name_of(state.trials[best.number]),
            "val_error": best.median,
            "seeds": len(best.errors),
        },
        "verdict": read_verdict(ResultsDirectory(result.directory)),
    }
