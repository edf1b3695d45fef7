"""`replay SOURCE...`: plays search methods against recorded learning curves, under a simulated clock.

A source is a results directory that holds whole trainings (`scheduler: none`, or the completed trials of any search),
or a Parquet file of curves with a YAML file beside it (docs/replay.md). No network is trained.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wrn_search.cli.exit_status import FAILED, a_named_path, a_path, say, show
from wrn_search.errors import InputError
from wrn_search.hardware.detected_cores_and_gpus import usable_cores
from wrn_search.wording import plural

if TYPE_CHECKING:
    from wrn_search.replay.all_plays import Asked
    from wrn_search.replay.curve_table import CurveTable

EXAMPLE = "python -m wrn_search replay results/digits_quickstart --searcher tpe,random --scheduler asha,none --seeds 50"
_WHOLE_TRAININGS = 20  # the default budget


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `replay`."""
    parser.add_argument(
        "sources", metavar="SOURCE", nargs="+", type=a_named_path, help="what methods are played on"
    )
    parser.add_argument("--searcher", metavar="A,B", type=_names, default=[], help="with every --scheduler")
    parser.add_argument("--scheduler", metavar="C,D", type=_names, default=[], help="with every --searcher")
    parser.add_argument(
        "--method",
        metavar="NAME=A+C[,KEY=VALUE...]",
        action="append",
        default=[],
        help="one searcher with one scheduler and settings of its own; may be repeated",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="a key of `search` for all methods, such as search.reduction_factor=2",
    )
    parser.add_argument(
        "--workers", metavar="1,4,16", type=_counts, default=[1], help="trials at once (default 1)"
    )
    parser.add_argument(
        "--epochs",
        metavar="N",
        type=_count,
        help="the budget, also as `search.budget` (default: 20 whole trainings)",
    )
    parser.add_argument(
        "--trials", metavar="N", type=_count, help="configurations at most (default: the table's)"
    )
    parser.add_argument(
        "--seeds", metavar="N", type=_count, default=50, help="plays of each method (default 50)"
    )
    parser.add_argument(
        "--rivals", action="store_true", help="also the methods of other makes (benchmarks/rivals)"
    )
    parser.add_argument(
        "--as-recorded",
        action="store_true",
        help="play the searches of results directories again and compare proposals and stops with the record",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument("--output", metavar="FILE.html", type=a_path, help="write a page with figures")


def run(options: argparse.Namespace) -> int:
    """The command."""
    if options.as_recorded:
        return _as_recorded(options)
    from wrn_search.replay.all_plays import Asked, PlaysEnded, all_plays, keys_of
    from wrn_search.replay.comparison import compared
    from wrn_search.replay.comparison_in_words import text_of, to_json
    from wrn_search.replay.methods import DEFAULT, methods_of, space_of
    from wrn_search.results.atomic_files import check_can_be_written, write_or_tell

    if options.output is not None:
        check_can_be_written(Path(options.output), "--output")
    searchers, schedulers = options.searcher, options.scheduler
    if searchers or schedulers:
        searchers, schedulers = searchers or [DEFAULT[0][0]], schedulers or [DEFAULT[0][1]]
    methods = methods_of(searchers, schedulers, options.method, rivals=options.rivals)
    tables = _tables(options.sources)
    all_of_it = max(sum(len(curve.errors) for curves in table.curves for curve in curves) for table in tables)
    budget = min(options.epochs or _WHOLE_TRAININGS * max(table.epochs for table in tables), all_of_it)
    asked = Asked(
        tuple(tables),
        tuple(methods),
        tuple(options.overrides),
        tuple(options.workers),
        options.seeds,
        budget,
        options.trials,
        tells_budget=options.epochs is not None,
    )
    _check_budget(asked, options.epochs)
    for method in methods:
        if not method.rival:
            for table in tables:
                space_of(table, method, asked.shared, asked.trials, 0, asked.told_budget)
    asked = _with_enough_seeds(asked)
    with _progress(len(keys_of(asked))) as done:
        try:
            plays = all_plays(asked, usable_cores(), done)
        except PlaysEnded as error:
            say(str(error))
            return FAILED
    found = compared(asked, plays)
    if options.output is not None:
        from wrn_search.replay.comparison_page import page_of

        write_or_tell(Path(options.output), page_of(asked, found), "--output")
        say(f"Page: {options.output}")
    show(json.dumps(to_json(asked, found), allow_nan=False) if options.json else text_of(asked, found))
    return 0


def _tables(sources: list[str]) -> list[CurveTable]:
    from wrn_search.replay.table_of_parquet import tables_of_parquet
    from wrn_search.replay.table_of_results import table_of_results

    resolved = [os.path.realpath(source) for source in sources]
    if (twice := next((each for each in resolved if resolved.count(each) > 1), None)) is not None:
        raise InputError.of("SOURCE", "must be named once, but is there twice", twice)
    tables: list[CurveTable] = []
    for source in map(Path, sources):
        if source.suffix == ".parquet" and not _is_folder(source):
            tables += tables_of_parquet(source)
        else:
            tables.append(table_of_results(source).table)
    for table in tables:
        if table.left_out:
            say(
                f"{table.name}: {plural(table.left_out, 'training')} left out: without an end, or outside the space"
            )
    return tables


def _is_folder(path: Path) -> bool:
    """Whether a path is one; also where that cannot be seen, which is told as for a results directory."""
    try:
        return path.is_dir()
    except OSError:
        return True


def _check_budget(asked: Asked, given: int | None) -> None:
    longest = max(asked.tables, key=lambda table: table.epochs)
    if given is not None and given < longest.epochs:
        rule = f"must pay for one whole training, {longest.epochs} epochs of '{longest.name}'"
        raise InputError.of("--epochs", f"{rule}, but got {given}")


def _with_enough_seeds(asked: Asked) -> Asked:
    """Only configurations with as many seeds as the most repeats that a method asks for."""
    from dataclasses import replace

    from wrn_search.replay.methods import space_of

    tables = []
    for table in asked.tables:
        spaces = [
            space_of(table, method, asked.shared, None, 0) for method in asked.methods if not method.rival
        ]
        repeats = max((space.search.repeats for space in spaces), default=1)
        kept = table.with_seeds(repeats)
        if kept is None:
            most = max(map(len, table.curves))
            text = f"must be at most the seeds that a configuration has on record, {most} in '{table.name}'"
            raise InputError.of("search.repeats", f"{text}, but got {repeats}")
        tables.append(kept)
    return replace(asked, tables=tuple(tables))


def _as_recorded(options: argparse.Namespace) -> int:
    """Status 0 if every search proposed and stopped as it did, else 1."""
    from wrn_search.replay.as_recorded import played_again

    others = {"overrides": "set"} | {
        name: name for name in ("searcher", "scheduler", "method", "epochs", "trials", "rivals", "output")
    }
    if given := [written for name, written in others.items() if getattr(options, name)]:
        raise InputError.of("--as-recorded", f"must stand without --{given[0]}: a search is played as it was")
    if files := [source for source in options.sources if source.endswith(".parquet")]:
        raise InputError.of(
            "--as-recorded", "must be of results directories, but got a Parquet file", files[0]
        )
    workers = None if options.workers == [1] else options.workers[0]
    found = {source: played_again(Path(source), workers) for source in options.sources}
    told = {source: vars(each) | {"same": each.same} for source, each in found.items()}
    lines = [
        f"{source}: {each.proposals} of {plural(each.trials, 'trial')} proposed alike, {each.stops} ended alike"
        + (f"; {each.difference}" if each.difference else "")
        for source, each in found.items()
    ]
    show(json.dumps(told) if options.json else "\n".join(lines))
    return 0 if all(each.same for each in found.values()) else 1


@contextmanager
def _progress(plays: int) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal's stderr; nothing where nobody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("plays"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("plays", total=plays)
        yield lambda count: bar.update(task, completed=count)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"must be names with commas between them, but got '{text}'")
    return names


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, but got '{text}'")
    return int(text)


def _counts(text: str) -> list[int]:
    counts = [_count(part.strip()) for part in text.split(",")]
    if len(set(counts)) < len(counts):
        raise argparse.ArgumentTypeError(f"must name each number once, but got '{text}'")
    return counts
