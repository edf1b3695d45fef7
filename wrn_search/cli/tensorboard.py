"""`tensorboard RESULTS`: a view of the best configurations, for a search with more runs than TensorBoard can show.

Best is the lowest validation error at full epochs, the mean of a configuration's seeds; all its seeds are shown, as one
row of the HParams tab. All runs of a search are in RESULTS/tensorboard; TensorBoard stalls at some hundred.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from wrn_search.cli.exit_status import a_named_path, a_path, refuse_empty, show
from wrn_search.errors import InputError
from wrn_search.shell_commands import shell_line
from wrn_search.wording import plural

EXAMPLE = "python -m wrn_search tensorboard results/cifar_width_depth --top 20"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `tensorboard`."""
    parser.add_argument("results", metavar="RESULTS", type=a_named_path, help="the results directory")
    parser.add_argument("--top", metavar="N", type=int, default=20, help="configurations (default: 20)")
    parser.add_argument(
        "--logdir",
        metavar="DIR",
        type=a_path,
        help="where to write the view (default: RESULTS/tensorboard_topN); an earlier one is replaced",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """The command."""
    if options.top < 1:
        raise InputError.of("--top", f"must be at least 1, but got {options.top}")
    refuse_empty(options, "logdir")
    from wrn_search.results.results_directory import ResultsDirectory
    from wrn_search.results.trial_selection import read_state

    directory = ResultsDirectory(options.results)
    state = read_state(directory)
    from wrn_search.results.tensorboard.tensorboard_view import (
        write_view,  # TensorBoard and protobuf: half a second
    )

    view = write_view(directory, state, options.top, Path(options.logdir) if options.logdir else None)
    command = shell_line("tensorboard", "--logdir", view.folder)
    if options.json:
        values = {
            "logdir": str(view.folder),
            "command": command,
            "configurations": view.configurations,
            "ranked": view.ranked,
            "trials": list(view.trials),
        }
        show(json.dumps(values, indent=2))
        return 0
    lines = [
        f"The best {view.configurations} of {plural(view.ranked, 'configuration')} at full epochs "
        f"({state.max_epochs}), {plural(len(view.trials), 'run')} of {len(state.trials)}. Look at them with:",
        command,
    ]
    show("\n".join(lines))
    return 0
