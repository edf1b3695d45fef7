"""`track RESULTS ... --to TRACKER`: brings a search to a tracker: MLflow, CSV files, or Weights & Biases offline.

What is there already is not sent again. A search that runs is followed until its driver lets go of the record, unless
--once is given. MLflow is the server of MLFLOW_TRACKING_URI; csv and wandb write folders of these names in RESULTS.
Exit status 0 all of the record is there, 1 the tracker did not answer, 2 bad input or options.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from wrn_search.cli.exit_status import FAILED, a_named_path, show
from wrn_search.errors import InputError, Problem, nearest, printable
from wrn_search.wording import plural

if TYPE_CHECKING:
    from wrn_search.results.results_directory import ResultsDirectory
    from wrn_search.trackers.follower import Follower

EXAMPLE = "python -m wrn_search track results/cifar_width_depth --to mlflow"
_SECONDS_BETWEEN_STEPS = 1.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `track`."""
    parser.add_argument(
        "results", metavar="RESULTS", nargs="+", type=a_named_path, help="the results directory of a search"
    )
    parser.add_argument(
        "--to",
        metavar="TRACKER",
        action="append",
        required=True,
        help="csv, mlflow or wandb; may be repeated",
    )
    parser.add_argument("--once", action="store_true", help="do not follow a search that still runs")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    from wrn_search.results.results_directory import ResultsDirectory
    from wrn_search.trackers.follower import Follower
    from wrn_search.trackers.tracker_table import TRACKERS

    names = list(dict.fromkeys(options.to))
    _check_names(names)
    followed: list[_Followed] = []
    problems: list[Problem] = []
    stderr = sys.stderr
    for path in dict.fromkeys(options.results):
        directory = ResultsDirectory(path)
        for name in names:
            tell = partial(_say, f"{path}: {name}", stderr)
            followed.append(_Followed(path, name, Follower(directory, name, TRACKERS[name], tell), directory))
    try:
        for each in followed:
            try:
                each.check_can_be_followed()
            except InputError as error:
                problems += [problem for problem in error.problems if problem not in problems]
        if problems:
            raise InputError(problems)
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            _bring_over(followed, options.once)  # the trackers' libraries are talkative
    finally:
        for each in followed:
            each.follower.release()
    if options.json:
        show(json.dumps({"tracked": [each.to_dict() for each in followed]}, indent=2))
    else:
        for each in followed:
            if not each.follower.is_behind:
                show(str(each))
    return FAILED if any(each.follower.is_behind for each in followed) else 0


@dataclass(frozen=True)
class _Followed:
    """One search and one tracker."""

    path: str
    name: str
    follower: Follower
    directory: ResultsDirectory

    def __str__(self) -> str:
        values = self.to_dict()
        counts = f"{plural(values['trials'], 'trial')}, {plural(values['epochs'], 'epoch')}"
        return f"{self.path}: {counts} in {self.name}: {self.follower.place}"

    def check_can_be_followed(self) -> None:
        """Sees to it that there is a search that nobody else brings there; then nobody else can.

        Raises:
            InputError: there is none, or another process follows it.
        """
        self.directory.check_is_there()
        if not self.directory.exists():
            text = f"must be the results directory of a search, {self.directory.why_none()}"
            raise InputError.of("", text, self.path)
        if not self.follower.take():
            rule = "must be brought there by one process at a time, but another one follows it already"
            raise InputError.of(f"--to {self.name}", rule, self.path)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        trials = self.follower.state.trials.values()
        return {
            "results": self.path,
            "tracker": self.name,
            "place": self.follower.place or None,
            "whole": not self.follower.is_behind,
            "trials": len(trials),
            "epochs": sum(trial.epochs_done for trial in trials),
        }


def _check_names(names: list[str]) -> None:
    """Every tracker must be known and installed.

    Raises:
        InputError: one is not.
    """
    from wrn_search.trackers.tracker_table import TRACKERS, what_is_missing

    for name in names:
        if name not in TRACKERS:
            rule = f"must be one of {', '.join(TRACKERS)}"
            raise InputError.of("--to", f"{rule}, but got '{name}'{nearest(name, TRACKERS)}")
        if (missing := what_is_missing(name)) is not None:
            raise InputError.of("--to", f"must be a tracker that is installed, but {missing}")


def _bring_over(followed: list[_Followed], once: bool) -> None:
    """Brings all over, and follows what still runs."""
    from wrn_search.progress.driver import driver_of

    open_ones = list(followed)
    while open_ones:
        for each in list(open_ones):
            driver = driver_of(each.directory)
            if once or driver is None:
                each.follower.close(is_running=driver is not None)
                open_ones.remove(each)
            else:
                each.follower.step()
        if open_ones:
            time.sleep(_SECONDS_BETWEEN_STEPS)


def _say(what: str, stderr: TextIO | None, why: str) -> None:
    with suppress(OSError, ValueError):
        print(printable(f"{what}: {why}"), file=stderr, flush=True)
