"""`run SPACE`: runs, resumes or plans a search; `python run_search.py SPACE` is the same in a checkout.

Exit status: 0 done, 1 the search failed, 2 bad input or options, 130 interrupted (go on with --resume).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.cli.exit_status import (
    INTERRUPTED,
    LOG_JSON,
    Parser,
    a_path,
    add_plugin_option,
    exit_status,
    refuse_empty,
    say,
    show,
)
from wrn_search.errors import InputError, printable
from wrn_search.lines_on_stderr import Start, use_json
from wrn_search.plugins import use_plugins
from wrn_search.shell_commands import ours
from wrn_search.user_paths import space_file_at

if TYPE_CHECKING:
    from wrn_search.session.search_result import SearchResult

EXAMPLE = "python -m wrn_search run search_spaces/cifar_width_depth.yaml --set training.epochs=30"
_EXAMPLES = """\
examples:
  python run_search.py search_spaces/digits_quickstart.yaml
  python run_search.py search_spaces/cifar_width_depth.yaml --dry-run
  python run_search.py search_spaces/cifar_width_depth.yaml --set training.epochs=30 --set search.trials=40
  python run_search.py search_spaces/cifar_width_depth.yaml --resume
  python run_search.py results/cifar_width_depth --resume --trials 100

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
    add_options(options)
    add_plugin_option(options)
    return options


def add_options(options: argparse.ArgumentParser) -> None:
    """The options of `run` and of `run_search.py`, which are the same."""
    options.add_argument(
        "space",
        metavar="SPACE",
        type=a_path,
        help="the space file (YAML); with --resume also the results directory",
    )
    options.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="replace a value of the space file, such as training.epochs=30; VALUE is YAML; may be repeated",
    )
    options.add_argument(
        "--results", metavar="DIR", type=a_path, help="the results directory (default: results/<name>)"
    )
    options.add_argument(
        "--resume",
        action="store_true",
        help="go on with the search in the results directory: as recorded, with what the file or --set changes",
    )
    options.add_argument(
        "--retry-failed", action="store_true", help="with --resume: also try again the trials that failed"
    )
    options.add_argument(
        "--dry-run", action="store_true", help="check everything and print the plan; run nothing"
    )
    options.add_argument("--trials", metavar="N", help="short for --set search.trials=N")
    options.add_argument(
        "--address", metavar="ADDR", help="a running Ray cluster, or auto (default: a Ray of its own)"
    )
    options.add_argument("--quiet", action="store_true", help="no progress on stderr")
    options.add_argument("--log-json", action="store_true", help=LOG_JSON)
    options.add_argument("--json", action="store_true", help="print the result, or the plan, as JSON")


def main(arguments: Sequence[str] | None = None) -> int:
    """`run_search.py`; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)

    def command() -> int:
        use_plugins(arguments)
        return run(parser().parse_args(arguments))

    return exit_status(command)


def run(options: argparse.Namespace) -> int:
    """The command."""
    use_json(options.log_json)
    refuse_empty(options, "results", "trials", "address")
    options.space = space_file_at(options.space)
    if options.retry_failed and not options.resume:
        raise InputError.of("--retry-failed", "must come with --resume, but came without it")
    # Imported late, so that --help answers at once, and the first line comes before the seconds that this takes.
    start = Start(options.quiet or options.dry_run)
    start.waits_for("the program to load", unchecked=True)
    from wrn_search.session.dry_run import dry_run

    overrides = [
        *options.overrides,
        *([f"search.trials={options.trials}"] if options.trials is not None else []),
    ]
    if options.dry_run:
        plan = dry_run(
            options.space,
            overrides=overrides,
            results=options.results,
            resume=options.resume,
            retry_failed=options.retry_failed,
            address=options.address,
        )
        show(json.dumps({"plan": plan.splitlines()}, indent=2) if options.json else plan)
        return 0
    from wrn_search.session.search_result import SearchFailed
    from wrn_search.session.search_run import run as run_search
    from wrn_search.session.watching.end_hook import run_end_hook
    from wrn_search.trackers.trackers_of_a_session import finish_trackers

    try:
        result = run_search(
            options.space,
            overrides=overrides,
            results=options.results,
            resume=options.resume,
            retry_failed=options.retry_failed,
            address=options.address,
            quiet=options.quiet,
            start=start,
            runs_on_end=False,  # it is to be told the verdict of the report
        )
    except SearchFailed as error:
        say(f"the search failed: {error}")
        finish_trackers()
        run_end_hook(error.result, str(error))
        return 1
    _show(result, options.json)
    finish_trackers()  # with the report
    run_end_hook(result)
    return result.exit_status


def _show(result: SearchResult, as_json: bool) -> None:
    from wrn_search.cli.search_summary import summary_dict, summary_text

    where = str(result.directory)
    told = json.dumps(summary_dict(result.state, where), indent=2) if as_json else None
    show(told or summary_text(result.state, where))
    if result.state.all_at_chance:
        say(
            f"every trial was stopped because its validation error was still that of guessing "
            f"({result.state.chance_error:.2f} %): nothing was learnt; try other learning rates, later rungs "
            "(search.rungs), more images, or search.scheduler=none"
        )
    if result.exit_status == INTERRUPTED:
        say("interrupted: go on with the same command and --resume")
    else:  # who interrupts does not want to wait for a page
        _report(result.directory, as_json)


def _report(directory: Path, as_json: bool = False) -> None:
    """Writes the page, says the verdict and where the page is.

    The search is done: whatever goes wrong here is one line on stderr.
    """
    try:
        from wrn_search.analysis.all_findings import findings_from
        from wrn_search.analysis.input_tables.joined_tables import material_of
        from wrn_search.analysis.readings.tested_networks import tested_networks, tests_each
        from wrn_search.progress.verdict_file import write_verdict
        from wrn_search.report.by_products.verdict_values import verdict_values
        from wrn_search.report.html.write_report_file import report_path, write_page
        from wrn_search.report.readings.page_of_tested_networks import write_tested_page
        from wrn_search.results.results_directory import ResultsDirectory
        from wrn_search.results.s3_copy.copy_of_a_session import add_to_copy

        page, sentences = report_path([directory], None), list[str]()
        if tests_each(directory):
            write_tested_page(tested_networks([directory]), page)
        else:
            material = material_of([directory])
            findings = findings_from(material)
            write_page(material, findings, page)
            write_verdict(ResultsDirectory(directory), verdict_values(findings))
            sentences = ["", *findings.answer.sentences]
    except (Exception, KeyboardInterrupt) as error:
        again = ours("report", directory)
        why = str(error) or type(error).__name__
        say(printable(f"the report could not be written: {why} (try again with: {again})"))
    else:
        if sentences and not as_json:
            show("\n".join(sentences))
        (say if as_json else show)(f"Report: {page}")
        add_to_copy(ResultsDirectory(directory), page)
