"""`watch RESULTS ...`: the report as a live page in a browser: running trials, new epochs, the report renewed.

RESULTS are results directories, or folders above some; several stand side by side, and their report is one where they
trained on the same images. Only this machine can ask, at a free port, and only who has the token of the address that
is printed. The records are only read: the search does not notice. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.cli.exit_status import a_named_path, say, show
from wrn_search.errors import InputError, Problem

if TYPE_CHECKING:
    from wrn_search.results.results_directory import ResultsDirectory

EXAMPLE = "python -m wrn_search watch results/cifar_width_depth"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `watch`."""
    parser.add_argument(
        "results",
        metavar="RESULTS",
        nargs="+",
        type=a_named_path,
        help="results directories, or folders above some",
    )
    parser.add_argument("--port", metavar="PORT", type=int, default=0, help="the port (default: a free one)")
    parser.add_argument(
        "--host",
        metavar="HOST",
        default="127.0.0.1",
        help="the address to listen at (default: 127.0.0.1, this machine alone; 0.0.0.0: whoever reaches this machine)",
    )
    parser.add_argument("--json", action="store_true", help="print the address as JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    # Here, as other commands must not wait for the server's libraries.
    from wrn_search.live_page.address import listen
    from wrn_search.live_page.server import LivePage, serve

    directories = searches_to_watch(options.results)
    listening = listen(options.host, options.port)
    page = LivePage(directories, listening.token)
    if options.json:
        told = {"address": listening.address, "host": listening.host, "port": listening.port}
        show(
            json.dumps(
                {**told, "token": listening.token, "results": [str(each.path) for each in directories]}
            )
        )
    else:
        show(f"Watching {', '.join(str(each.path) for each in directories)} at\n  {listening.address}")
        say("Ctrl-C ends it; the searches go on.")
    if not listening.is_loopback:
        say(
            f"warning: it listens at {listening.host}, not encrypted: whoever reads the address on its way can look"
        )
    _flush()
    try:
        serve(page, listening)
    except KeyboardInterrupt:
        say("ended")
    return 0


def searches_to_watch(results: list[str]) -> list[ResultsDirectory]:
    """The results directories that are named, and those below folders that are named; each once.

    Raises:
        InputError: there is none at a path; all such paths at once.
    """
    from wrn_search.progress.found_searches import found_searches

    problems: list[Problem] = []
    found: dict[str, ResultsDirectory] = {}
    for path in results:
        try:
            below = found_searches(Path(path))
        except InputError as error:
            problems += error.problems
            continue
        places = {each.place for each in below}
        for each in below:
            # the confirmation and the audit of a search stand in its own report
            if each.place == below[0].place or str(Path(each.place).parent) not in places:
                found.setdefault(each.place, each)
    if problems:
        raise InputError(problems)
    return list(found.values())


def _flush() -> None:
    import sys

    sys.stdout.flush()
