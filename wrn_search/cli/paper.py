"""`paper RESULTS...`: the tables of "Wide Residual Networks" beside yours, and what becomes of the paper's claims.

Each network of a table with its printed error, n, median and range of your trainings, the difference with its interval,
how the ranks agree, and a verdict on each claim that these results can speak to: supported, contradicted or undecided.
Test errors are compared where there are any (`protocol: test_each`, or a confirmation), else validation errors.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from wrn_search.cli.exit_status import a_named_path, a_path, points_above_0, refuse_empty, say, show
from wrn_search.errors import InputError

EXAMPLE = "python -m wrn_search paper results/table4_depth_width --table 4 --output table4.html"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `paper`."""
    parser.add_argument(
        "results",
        metavar="RESULTS",
        nargs="+",
        type=a_named_path,
        help="results directories, of any data sets",
    )
    parser.add_argument(
        "--table", metavar="N", type=_table, help="2 to 8 (default: all that the results can speak to)"
    )
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        help="the paper's data set that images of `parquet` or `folder` are: cifar10, cifar100, svhn or imagenet "
        "(default: images of your own, of which ranks and claims are compared, but no errors)",
    )
    parser.add_argument(
        "--margin",
        metavar="POINTS",
        type=points_above_0,
        help="within how many points two errors are no different (default: 5 %% of the lower one)",
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--output", metavar="FILE.html", type=a_path, help="write a page")
    parser.add_argument("--latex", metavar="FILE.tex", type=a_path, help="write the tables for a paper")


_KINDS = {"--output": (".html", ".htm"), "--latex": (".tex",)}


def _check_kind(path: Path, option: str) -> None:
    """A page or a table replaces what is there, which should be a page or a table.

    Raises:
        InputError: its name is of another kind.
    """
    if path.suffix.lower() not in _KINDS[option]:
        raise InputError.of(option, f"must name a file that ends in {_KINDS[option][0]}, but got {path}")


def _table(text: str) -> int:
    """The number of a table.

    Raises:
        argparse.ArgumentTypeError: there is none of it.
    """
    from wrn_search.analysis.paper_tables.all_paper_tables import TABLES

    number = text.strip().lower().removeprefix("table").strip()
    if number.isascii() and number.isdigit() and int(number) in TABLES:
        return int(number)
    raise argparse.ArgumentTypeError(f"must be one of {', '.join(map(str, TABLES))}, but got '{text}'")


def run(options: argparse.Namespace) -> int:
    """The command."""
    # Here, as other commands must not wait for the tables' libraries.
    from wrn_search.analysis.paper_tables.all_paper_tables import tables_beside, to_json
    from wrn_search.report.paper_tables.tables_in_words import text_of
    from wrn_search.results.atomic_files import check_can_be_written, write_or_tell

    refuse_empty(options, "output", "latex", "dataset")
    for name in ("output", "latex"):
        if getattr(options, name) is not None:
            check_can_be_written(Path(getattr(options, name)), f"--{name}")
            _check_kind(Path(getattr(options, name)), f"--{name}")
    tables = tables_beside(options.results, options.table, dataset=options.dataset, margin=options.margin)
    if options.output is not None:
        from wrn_search.report.paper_tables.tables_page import page_of

        write_or_tell(Path(options.output), page_of(tables), "--output")
        say(f"Page: {options.output}")
    if options.latex is not None:
        from wrn_search.report.paper_tables.tables_in_latex import latex_of

        write_or_tell(Path(options.latex), latex_of(tables), "--latex")
        say(f"LaTeX: {options.latex}")
    show(json.dumps(to_json(tables), indent=2, allow_nan=False) if options.json else text_of(tables))
    return 0
