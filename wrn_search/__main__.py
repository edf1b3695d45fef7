"""`python -m wrn_search COMMAND`: searches, and everything around them; `wrn-search COMMAND` once it is installed."""

from wrn_search.import_path import forget_first_folder

if __name__ == "__main__":
    forget_first_folder()  # before anything else is imported

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from wrn_search.cli.exit_status import Parser, add_plugin_option, exit_status
from wrn_search.errors import InputError, nearest
from wrn_search.plugins import use_plugins

# command -> (its module in `cli`, with add_options, run and EXAMPLE; one line of help). Only that of the command that
# is asked for is imported: none but it makes anybody wait.
COMMANDS = {
    "run": ("search", "run, resume or plan a search"),
    "status": ("running.status", "how searches stand, also those of another terminal or machine"),
    "stop": ("running.stop", "ask a running search to stop, as Ctrl-C would"),
    "leave": ("running.leave", "on a machine that will be taken away: let its trials go on elsewhere"),
    "watch": ("running.watch", "the report as a live page in a browser, while searches run"),
    "check": ("before_a_search.check", "validate a space file and explain what the search would do"),
    "data": (
        "before_a_search.data",
        "what a folder of images or Parquet files holds; writes a space file for it",
    ),
    "lr-range": (
        "before_a_search.lr_range",
        "learning-rate range test: which rates a search should look at",
    ),
    "describe": ("describe", "parameters, multiply-adds and memory of one network"),
    "report": ("report", "what one or several searches found, and how sure that is"),
    "audit": ("audit", "train stopped trials to their end: did the predictions hold?"),
    "confirm": ("confirm", "retrain finalists with fresh seeds, test them once"),
    "export": ("export", "write a trial's network as a file for others"),
    "paper": ("paper", "the paper's tables beside yours, and what becomes of its claims"),
    "predict": ("predict", "classify images with an exported network"),
    "replay": ("replay", "play search methods against recorded learning curves, in seconds"),
    "rerun": ("rerun", "train a trial again and compare it with the record"),
    "speed": ("speed", "time thin and wide networks here, beside the paper's figure 4"),
    "track": ("running.track", "bring a search to MLflow, CSV files or W&B offline"),
    "tensorboard": ("tensorboard", "a TensorBoard view of the best of many trials"),
}
NOT_YET: tuple[str, ...] = ()


def parser(asked: str = "") -> Parser:
    """All commands, and the options of the one that is asked for."""
    options = Parser(
        prog="python -m wrn_search",
        description="Hyperparameter search for Wide Residual Networks.",
        allow_abbrev=False,
    )
    commands = options.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, summary) in COMMANDS.items():
        if name != asked:
            commands.add_parser(name, help=summary)
            continue
        module = module_of(name)
        command = commands.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_options(command)
        add_plugin_option(command)
    return options


def module_of(command: str) -> ModuleType:
    """Where a command's `add_options`, `run` and `EXAMPLE` are."""
    return importlib.import_module(f"wrn_search.cli.{COMMANDS[command][0]}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; returns its exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "-"  # argparse says that one is required
    if command in NOT_YET:
        raise InputError.of("COMMAND", f"'{command}' is not supported yet; use one of {', '.join(COMMANDS)}")
    if command not in COMMANDS and not command.startswith("-"):
        rule = f"must be one of {', '.join(COMMANDS)}"
        raise InputError.of("COMMAND", f"{rule}, but got '{command}'{nearest(command, COMMANDS)}")
    use_plugins(arguments)
    options = parser(command).parse_args(arguments)
    status: int = module_of(options.command).run(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
