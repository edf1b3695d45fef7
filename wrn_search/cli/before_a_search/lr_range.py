"""`lr-range SPACE`: learning-rate range test, one short run whose learning rate rises from step to step.

One network of the space (the middle of every domain, or what --set says) is trained by the recipe of the file while the
learning rate rises exponentially from --from to --to; it stops when the loss diverges. Told are where the loss falls
fastest, where it diverges, and an interval for the space file (Smith, arXiv 1506.01186). Nothing is written unless
--output asks for a page. Exit status: 0 done, also where nothing can be suggested; 2 bad input; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from wrn_search.cli.exit_status import a_named_path, a_path, refuse_empty, say, show
from wrn_search.errors import InputError, Problem
from wrn_search.hardware.detected_cores_and_gpus import gpu_names, usable_cores
from wrn_search.hardware.waiting_threads import let_waiting_threads_sleep
from wrn_search.lr_range.suggestion import LEAST_STEPS, MOST_STEPS
from wrn_search.space.rules.broken_rule import got
from wrn_search.space.space_file import read_space
from wrn_search.space.trial_config import MAX_SEED

EXAMPLE = "python -m wrn_search lr-range search_spaces/digits_quickstart.yaml --output range.html"
LOW, HIGH = 1e-5, 10.0  # by default
_STEPS = 200
_LEAST_RATE, _MOST_RATE = 1e-12, 1e6
_SECONDS_BETWEEN_TIDINGS = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `lr-range`."""
    parser.add_argument("space", metavar="SPACE", type=a_named_path, help="the space file (YAML)")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="as in run_search.py; a searched key becomes this value, as in --set model.depth=16",
    )
    parser.add_argument(
        "--from",
        metavar="RATE",
        type=float,
        default=LOW,
        dest="low",
        help=f"of the first step (default: {LOW:g})",
    )
    parser.add_argument(
        "--to",
        metavar="RATE",
        type=float,
        default=HIGH,
        dest="high",
        help=f"of the last step (default: {HIGH:g})",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help=f"steps (default: {_STEPS})")
    length.add_argument("--epochs", type=float, help="instead of --steps, also a part of one: 0.5")
    parser.add_argument("--seed", type=int, help="of the trial (default: search.seed)")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="auto: a GPU where there is one (default)",
    )
    parser.add_argument("--threads", type=int, help="of a CPU (default: all cores that this process may use)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--output", metavar="FILE.html", type=a_path, help="write a page with the plot")


def run(options: argparse.Namespace) -> int:
    """The command."""
    refuse_empty(options, "output")
    _check(options)
    space = read_space(options.space, options.overrides)
    let_waiting_threads_sleep()
    from wrn_search.lr_range.range_in_words import text_of, values_of
    from wrn_search.lr_range.range_of_space import Asked, range_test_of  # torch: seconds
    from wrn_search.results.atomic_files import check_can_be_written, write_or_tell

    if options.output is not None:
        check_can_be_written(Path(options.output), "--output")
    asked = Asked(
        options.low,
        options.high,
        options.steps or (None if options.epochs is not None else _STEPS),
        options.epochs,
        space.search.seed if options.seed is None else options.seed,
        ("cuda" if gpu_names() else "cpu") if options.device == "auto" else options.device,
        options.threads or usable_cores(),
    )
    test = range_test_of(space, asked, _Tidings().told)
    if options.output is not None:
        from wrn_search.lr_range.range_page import page_of

        write_or_tell(Path(options.output), page_of(test), "--output")
        say(f"Page: {options.output}")
    show(json.dumps(values_of(test), indent=2, allow_nan=False) if options.json else text_of(test))
    return 0


class _Tidings:
    """A line on stderr now and then, where steps take long."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _SECONDS_BETWEEN_TIDINGS

    def told(self, step: int, of: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SECONDS_BETWEEN_TIDINGS
            say(f"step {step:,} of {of:,}")


def _check(options: argparse.Namespace) -> None:
    """What can be wrong before the space is read.

    Raises:
        InputError: every option that is.
    """
    problems = []
    for name, value in (("--from", options.low), ("--to", options.high)):
        if not _LEAST_RATE <= value <= _MOST_RATE:
            rule = f"must be a learning rate of {_LEAST_RATE:g} to {_MOST_RATE:g}"
            problems.append(Problem(name, f"{rule}, {got(value)}"))
    if not problems and not 10 * options.low <= options.high:
        text = f"must be at least ten times --from ({options.low:g}), {got(options.high)}"
        problems.append(Problem("--to", text))
    if options.steps is not None and not LEAST_STEPS <= options.steps <= MOST_STEPS:
        rule = f"must be a whole number from {LEAST_STEPS} to {MOST_STEPS}"
        problems.append(Problem("--steps", f"{rule}, {got(options.steps)}"))
    if options.epochs is not None and not 0 < options.epochs <= MOST_STEPS:
        problems.append(
            Problem("--epochs", f"must be a number above 0, at most {MOST_STEPS}, {got(options.epochs)}")
        )
    if options.seed is not None and not 0 <= options.seed < MAX_SEED:
        problems.append(
            Problem("--seed", f"must be a whole number from 0 to {MAX_SEED - 1}, {got(options.seed)}")
        )
    if options.threads is not None and not 1 <= options.threads <= 1024:
        problems.append(Problem("--threads", f"must be 1 to 1024, {got(options.threads)}"))
    if options.device == "cuda" and not gpu_names():
        problems.append(
            Problem("--device", "must be a device of this machine, but got cuda: torch sees no GPU")
        )
    if options.output and Path(options.output).suffix.lower() not in (".html", ".htm"):
        problems.append(Problem("--output", f"must name a file that ends in .html, but got {options.output}"))
    if problems:
        raise InputError(problems)
