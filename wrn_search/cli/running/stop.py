"""`stop RESULTS ...`: asks the driver of a search to stop as Ctrl-C would, on whichever machine it runs, and waits.

Running trials finish their epoch (10 s at most); go on later with --resume. The request goes through the results
directory, which the driver looks into every second. RESULTS of a search also stands for its confirmation and its audit.
Exit status 0 stopped (or, with --no-wait, asked), 2 nothing runs there.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from wrn_search.cli.exit_status import a_named_path, say, show
from wrn_search.errors import InputError, Problem

if TYPE_CHECKING:
    from wrn_search.progress.stopping import Asked

EXAMPLE = "python -m wrn_search stop results/cifar_width_depth"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `stop`."""
    parser.add_argument(
        "results",
        metavar="RESULTS",
        nargs="+",
        type=a_named_path,
        help="the results directory of a running search",
    )
    parser.add_argument("--no-wait", action="store_true", help="ask, and do not wait until it has stopped")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    from wrn_search.progress.stopping import asked, wait_until_stopped

    problems: list[Problem] = []
    found: list[Asked] = []
    for path in dict.fromkeys(options.results):
        try:
            found += asked(path)
        except InputError as error:
            problems += error.problems
    told: list[dict[str, Any]] = []
    for each in found:
        if options.no_wait:
            text = f"{each.path}: asked {each.driver} to stop"
            told.append(each.to_dict() | {"stopped": False, "reason": None})
        else:
            say(f"{each.path}: asked {each.driver} to stop; running trials finish their epoch (10 s at most)")
            reason = wait_until_stopped(each)
            text = f"{each.path}: stopped{'' if reason in (None, 'interrupted') else f' ({reason})'}"
            told.append(each.to_dict() | {"stopped": True, "reason": reason})
        if not options.json:
            show(text)
    if options.json and told:
        show(json.dumps({"searches": told}, indent=2))
    if problems:
        raise InputError(problems)
    return 0
