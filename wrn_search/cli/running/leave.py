"""`leave`: on a machine of a cluster that will be taken away, lets its trials go on elsewhere, and waits for that.

With `--wait-for` it connects to the cluster first, so that the notice reaches it at once. No trial begins there any
more. Those that run finish their epoch, their checkpoint is written, and they go on on other nodes; no retry is
charged. Then Ray ends on this machine. The notice may be this command itself, SIGTERM to it, or a file. Exit status 0
the trials have gone, 1 not all of them in time, 2 bad input or no cluster.
"""

from __future__ import annotations

import argparse
import json
import time

from wrn_search.cli.exit_status import a_path, say, show
from wrn_search.errors import InputError

EXAMPLE = "python -m wrn_search leave --wait-for SIGTERM --seconds 120"
DEFAULT_SECONDS = 120.0  # AWS's notice; Google and Azure give 30


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `leave`."""
    parser.add_argument(
        "--wait-for",
        metavar="FILE|SIGTERM",
        type=a_path,
        help="first wait for the notice: until the file is there, or SIGTERM comes (which is heard in both cases)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=DEFAULT_SECONDS,
        help=f"from the notice until the machine is taken away (default {DEFAULT_SECONDS:g})",
    )
    parser.add_argument("--address", default="auto", metavar="ADDR", help="of the cluster (default auto)")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    from wrn_search.cluster.leaving_the_cluster import (
        SECONDS_FOR_THE_CLUSTER,
        in_the_cluster,
        notice_of,
        sigterm_as_notice,
        wait_for_notice,
    )

    if not options.seconds > 0:
        raise InputError.of("--seconds", f"must be more than 0, but got {options.seconds:g}")
    waits = options.wait_for is not None
    file = notice_of(options.wait_for) if waits else None
    with (
        sigterm_as_notice() as noticed,
        in_the_cluster(options.address, SECONDS_FOR_THE_CLUSTER if waits else 0.0, say) as leaving,
    ):
        why = "asked to leave"
        if waits:
            say("in the cluster, waits for the notice")
            why = wait_for_notice(noticed, file)
        end = time.monotonic() + options.seconds
        leaving.tell(options.seconds, why)
        say(f"{why}: the trials of this machine go on elsewhere after their epoch")
        gone = leaving.have_gone(end)
    say("they have gone" if gone else f"not all have gone within {options.seconds:g} s")
    if options.json:
        show(json.dumps({"notice": why, "gone": gone}))
    return 0 if gone else 1
