"""`run_search.py SPACE`: runs, resumes or plans a search."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from wrn_search.cli.exit_status import INTERRUPTED, Parser, exit_status, refuse_empty, say, show
from wrn_search.errors import printable

_EXAMPLES = """\
examples:
  python run_search.py search_spaces/digits_quickstart.yaml
  python run_search.py search_spaces/cifar_width_depth.yaml --dry-run
  python run_search.py search_spaces/cifar_width_depth.yaml --set training.epochs=30 --set search.trials=40
  python run_search.py search_spaces/cifar_width_depth.yaml --resume

exit status: 0 done, 1 the search failed, 2 bad input or options, 130 interrupted (go on with --resume)
"""


def parser() -> Parser:
    """The options of `run_search.py`."""
    options = Parser(
        prog="run_search.py",
        description="Searches depth, width and regularisation of Wide Residual Networks as a space file says.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    options.add_argument("space", metavar="SPACE", help="the space file (YAML)")
    options.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="replace a value of the space file, such as training.epochs=30; VALUE is YAML; may be repeated",
    )
    options.add_argument("--results", metavar="DIR", help="the results directory (default: results/<name>)")
    options.add_argument(
        "--resume", action="store_true", help="go on with the search in the results directory"
    )
    options.add_argument(
        "--dry-run", action="store_true", help="check everything and print the plan; run nothing"
    )
    options.add_argument("--trials", metavar="N", help="short for --set search.trials=N")
    options.add_argument(
        "--address", metavar="ADDR", help="a running Ray cluster, or auto (default: a Ray of its own)"
    )
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    options = parser().parse_args(arguments)
    return exit_status(lambda: _search(options))


def _search(options: argparse.Namespace) -> int:
    refuse_empty(options, "results", "trials", "address")
    options.space = _found(options.space)
    # Imported late, so that --help answers at once.
    from wrn_search.session.dry_run import dry_run

    overrides = [
        *options.overrides,
        *([f"search.trials={options.trials}"] if options.trials is not None else []),
    ]
    if options.dry_run:
        show(
            dry_run(
                options.space,
                overrides=overrides,
                results=options.results,
                resume=options.resume,
                address=options.address,
            )
        )
        return 0
    from wrn_search.session.search_result import SearchFailed
    from wrn_search.session.search_run import run

    try:
        result = run(
            options.space,
            overrides=overrides,
            results=options.results,
            resume=options.resume,
            address=options.address,
            quiet=options.quiet,
        )
    except SearchFailed as error:
        say(f"the search failed: {error}")
        return 1
    from wrn_search.cli.search_summary import summary_text

    show(summary_text(result.state, str(result.directory)))
    if result.exit_status == INTERRUPTED:
        say("interrupted: go on with the same command and --resume")
    else:  # who interrupts does not want to wait for a page
        _report(result.directory)
    return result.exit_status


def _report(directory: Path) -> None:
    """Writes the page and says where it is. The search is done: whatever goes wrong here is one line on stderr."""
    try:
        from wrn_search.report.html.write_report_file import write_report
        from wrn_search.results.results_directory import ResultsDirectory
        from wrn_search.results.s3_copy.copy_of_a_session import add_to_copy

        page = write_report([directory])
    except (Exception, KeyboardInterrupt) as error:
        again = f"python -m wrn_search report {shlex.quote(str(directory))}"
        why = str(error) or type(error).__name__
        say(printable(f"the report could not be written: {why} (try again with: {again})"))
    else:
        show(f"Report: {page}")
        add_to_copy(ResultsDirectory(directory), page)


def _found(space: str) -> str:
    """A space file's path: as given, else below $WRN_SEARCH_HOME, where a cluster file has put the project."""
    home = os.environ.get("WRN_SEARCH_HOME")
    with contextlib.suppress(OSError, RuntimeError):  # the reader tells what is wrong with a path
        if home and not Path(space).exists() and (beside := Path(home).expanduser() / space).exists():
            return str(beside)
    return space
