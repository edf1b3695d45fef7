"""`status [RESULTS ...]`: how searches stand, those that run, on this machine or another, and those that ended.

RESULTS is a results directory or a folder with some below it (default: all below `results`). The records are only
read. A search runs if a process holds the lock of its record, or its lease where the file system has no locks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrn_search.cli.exit_status import BAD_INPUT, a_named_path, say, show
from wrn_search.errors import InputError, Problem, printable

if TYPE_CHECKING:
    from wrn_search.progress.search_status import SearchStatus

EXAMPLE = "python -m wrn_search status results/cifar_width_depth"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `status`."""
    parser.add_argument(
        "results",
        metavar="RESULTS",
        nargs="*",
        type=a_named_path,
        help="results directories, or folders above some (default: results)",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    import gc

    gc.disable()  # a record of thousands of trials is read once, and then the process ends
    try:
        return _run(options)
    finally:
        gc.enable()


def _run(options: argparse.Namespace) -> int:
    from wrn_search.cli.running.status_in_words import status_dict, status_text
    from wrn_search.progress.found_searches import found_searches
    from wrn_search.progress.search_status import status_of
    from wrn_search.user_paths import results_root

    folders = [Path(each) for each in options.results] or [results_root()]
    problems: list[Problem] = []
    found: list[SearchStatus] = []
    seen: set[str] = set()
    for folder in folders:
        try:
            directories = found_searches(folder)
        except InputError as error:
            problems += error.problems
            continue
        for directory in directories:
            if directory.place in seen:
                continue
            seen.add(directory.place)
            try:
                found.append(status_of(directory))
            except InputError as error:
                problems += error.problems
    if problems and not found:
        raise InputError(problems)
    if options.json:
        told: dict[str, Any] = {"searches": [status_dict(each) for each in found]}
        show(
            json.dumps(told | ({"problems": [str(each) for each in problems]} if problems else {}), indent=2)
        )
    else:
        show("\n\n".join(status_text(each) for each in found))
    for problem in problems:
        say(printable(str(problem)))
    return BAD_INPUT if problems else 0
