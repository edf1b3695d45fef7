"""`python -m wrn_search COMMAND`: searches, and everything around them; `wrn-search COMMAND` once it is installed."""

from wrn_search.import_path import forget_first_folder

if __name__ == "__main__":
    forget_first_folder()  # before anything else is imported

import argparse
import sys
from collections.abc import Sequence

from wrn_search.cli import (
    audit,
    check,
    confirm,
    describe,
    export,
    predict,
    replay,
    report,
    rerun,
    search,
    tensorboard,
)
from wrn_search.cli.exit_status import Parser, exit_status
from wrn_search.errors import InputError, nearest

# command -> (its module with add_options, run and EXAMPLE; one line of help)
COMMANDS = {
    "run": (search, "run, resume or plan a search"),
    "check": (check, "validate a space file and explain what the search would do"),
    "describe": (describe, "parameters, multiply-adds and memory of one network"),
    "report": (report, "what one or several searches found, and how sure that is"),
    "audit": (audit, "train stopped trials to their end: did the predictions hold?"),
    "confirm": (confirm, "retrain finalists with fresh seeds, test them once"),
    "export": (export, "write a trial's network as a file for others"),
    "predict": (predict, "classify images with an exported network"),
    "replay": (replay, "play search methods against recorded learning curves, in seconds"),
    "rerun": (rerun, "train a trial again and compare it with the record"),
    "tensorboard": (tensorboard, "a TensorBoard view of the best of many trials"),
}
NOT_YET = ("paper",)


def parser() -> Parser:
    """All commands and their options."""
    options = Parser(
        prog="python -m wrn_search",
        description="Hyperparameter search for Wide Residual Networks.",
        allow_abbrev=False,
    )
    commands = options.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, summary) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_options(command)
    return options


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
    options = parser().parse_args(arguments)
    status: int = COMMANDS[options.command][0].run(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
