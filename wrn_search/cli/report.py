"""`report RESULTS...`: the answer of one or several searches, at any time, also while they run or after they died."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.cli.exit_status import a_named_path, a_path, points_above_0, say, show
from wrn_search.errors import InputError, Problem
from wrn_search.wording import plural

if TYPE_CHECKING:
    from wrn_search.analysis.all_findings import Findings

EXAMPLE = "python -m wrn_search report results/cifar_width_depth --follow-up follow_up.yaml"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `report`."""
    parser.add_argument(
        "results",
        metavar="RESULTS",
        nargs="+",
        type=a_named_path,
        help="results directories over the same images",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=a_path,
        help="the page (default, of one directory: RESULTS/report.html)",
    )
    parser.add_argument(
        "--figures", metavar="DIR", type=a_path, help="write the main figures for a paper, as PDF and SVG"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the numbers as JSON; writes no page unless --output names it",
    )
    parser.add_argument(
        "--margin",
        metavar="POINTS",
        type=points_above_0,
        help="within how many points of error a smaller network is as good (default: 0.5, or 10 %% of the best "
        "network's error where that is more)",
    )
    parser.add_argument(
        "--follow-up",
        metavar="FILE",
        type=a_path,
        help="write the space file of a grid with repeats that can settle depth against width",
    )
    parser.add_argument(
        "--next",
        metavar="FILE",
        type=a_path,
        help="write the space file of the configurations that would narrow the first undecided question most",
    )
    parser.add_argument(
        "--optuna-storage",
        metavar="FILE",
        type=a_path,
        help="write the searches as Optuna studies: .db, .sqlite (slow) or .log, .journal, .jsonl (journal)",
    )


def run(options: argparse.Namespace) -> int:
    """The command."""
    # Here, as other commands must not wait for the tables' libraries.
    from wrn_search.analysis.all_findings import findings_from, to_json
    from wrn_search.analysis.curve_model.model_values import Margin
    from wrn_search.analysis.input_tables.joined_tables import material_of
    from wrn_search.analysis.readings.tested_networks import tests_each
    from wrn_search.progress.verdict_file import write_verdict
    from wrn_search.report.by_products.follow_up_grid import write_follow_up
    from wrn_search.report.by_products.optuna_study import (
        check_storage,
        dashboard_command,
        write_optuna_storage,
    )
    from wrn_search.report.by_products.planned_trainings import write_planned_trainings
    from wrn_search.report.by_products.verdict_values import verdict_values
    from wrn_search.report.html.write_report_file import report_path, write_page
    from wrn_search.results.atomic_files import check_new_file
    from wrn_search.results.results_directory import ResultsDirectory
    from wrn_search.results.s3_copy.copy_of_a_session import add_to_copy

    for name in ("output", "figures", "follow_up", "next", "optuna_storage"):
        given = getattr(options, name)
        setattr(options, name, None if given is None else Path(given))
    if options.follow_up is not None:
        check_new_file(options.follow_up, "--follow-up")
    if options.next is not None:
        check_new_file(options.next, "--next")
    if options.optuna_storage is not None:
        check_storage(options.optuna_storage)
    if any(tests_each(path) for path in options.results):
        return _tested(options)
    material = material_of(options.results)
    page = report_path(options.results, options.output) if options.output or not options.json else None
    margin = None if options.margin is None else Margin(options.margin, 0.0)
    findings = findings_from(material, margin)
    for file, write in ((options.follow_up, write_follow_up), (options.next, write_planned_trainings)):
        if file is not None:
            space = write(material, findings, file)
            rows = (space.size or space.trials) * space.search.repeats
            say(f"{file}: {rows} trials; run it as its header says")
    if options.optuna_storage is not None:
        names = write_optuna_storage(material, options.optuna_storage)
        command = dashboard_command(options.optuna_storage)
        say(f"{options.optuna_storage}: {', '.join(names)}; look at them with: {command}")
    if options.figures is not None:
        from wrn_search.report.by_products.figures_for_papers import write_figures

        say(f"Figures: {', '.join(map(str, write_figures(findings, options.figures)))}")
    if page is not None:
        write_page(material, findings, page)
        if len(options.results) == 1 and margin is None:
            write_verdict(ResultsDirectory(options.results[0]), verdict_values(findings))
        say(f"Report: {page}")
        add_to_copy(ResultsDirectory(options.results[0]), page)
    show(json.dumps(to_json(findings), indent=2, allow_nan=False) if options.json else text_of(findings))
    return 0


def _tested(options: argparse.Namespace) -> int:
    """The report of `protocol: test_each`, which has test errors and chooses nothing.

    Raises:
        InputError: an option asks for what follows from validation errors.
    """
    from wrn_search.analysis.readings.tested_networks import tested_networks
    from wrn_search.report.html.write_report_file import report_path
    from wrn_search.report.readings.page_of_tested_networks import write_tested_page
    from wrn_search.report.readings.text_of_tested_networks import text_of as text_of_tested
    from wrn_search.results.results_directory import ResultsDirectory
    from wrn_search.results.s3_copy.copy_of_a_session import add_to_copy

    asked = ("figures", "margin", "follow_up", "next", "optuna_storage")
    rule = "must be left out for results of protocol: test_each, which have no validation error to go by"
    problems = [
        Problem(f"--{name.replace('_', '-')}", f"{rule}, but got {getattr(options, name)}")
        for name in asked
        if getattr(options, name) is not None
    ]
    if problems:
        raise InputError(problems)
    found = tested_networks(options.results)
    if options.output or not options.json:
        page = report_path(options.results, options.output)
        write_tested_page(found, page)
        say(f"Report: {page}")
        add_to_copy(ResultsDirectory(options.results[0]), page)
    show(json.dumps(found.to_json(), indent=2, allow_nan=False) if options.json else text_of_tested(found))
    return 0


def text_of(findings: Findings) -> str:
    """The answer for a terminal; the verdict stands last, where it is seen."""
    counts = findings.counts
    statuses = ", ".join(f"{number} {status}" for status, number in counts.by_status.items() if number)
    lines = [
        f"{findings.title}: {plural(counts.trials, 'trial')} on {findings.dataset.name} ({statuses})",
        "",
    ]
    if findings.notes:
        lines += [*findings.notes, ""]
    if findings.failures:
        told = (f"- {reason.count} {reason.status}: {reason.reason}" for reason in findings.failures[:10])
        lines += ["What went wrong:", *told, ""]
    if findings.answer.limits:
        lines += ["What this cannot tell:", *(f"- {limit}" for limit in findings.answer.limits), ""]
    lines += findings.answer.sentences
    return "\n".join(lines)
