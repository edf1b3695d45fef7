"""How a command speaks and ends: 0 done, 1 search or program failed, 2 bad input or options, 130 interrupted."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from typing import NoReturn

from wrn_search.errors import InputError, Problem, printable
from wrn_search.lines_on_stderr import is_json, log, use_json
from wrn_search.user_paths import UnknownPath, expanded

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
LOG_JSON = "what is told on stderr as JSON, an object a line, for programs"
_MAX_PROBLEMS = 100
_LONGEST_ERROR = 500  # characters


class Parser(argparse.ArgumentParser):
    """Argparse's parser, whose complaints carry no terminal codes."""

    def error(self, message: str) -> NoReturn:
        """Prints the usage and the message on stderr; ends with status 2."""
        bare = re.search(r"(?<!\S)[a-z_]+(\.[a-z_]+)+=\S*", message)
        hint = f"; to set a key, write --set {bare[0]}" if bare and "unrecognized" in message else ""
        super().error(printable(message + hint))


class OutputError(OSError):
    """What stdout leads to cannot be written."""


def show(text: str) -> None:
    """Prints a result on stdout; what a terminal might obey is spelt out.

    Raises:
        BrokenPipeError: its reader has gone.
        OutputError: it cannot be written.
    """
    encoding = sys.stdout.encoding or "utf-8"
    with _output():
        print(printable(text, keep="\n\t").encode(encoding, "backslashreplace").decode(encoding))


def say(text: str) -> None:
    """Prints a line on stderr, if anybody listens there; an object of JSON where that was asked for."""
    if is_json():
        log("message", text=text)
        return
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def a_path(text: str) -> str:
    """The type of every option and argument that names a file or a folder: `~` and `$VARIABLE` are replaced.

    Text, as an empty one must stay empty, and an address `s3://` what it is.
    """
    try:
        return expanded(text)
    except UnknownPath as error:
        raise argparse.ArgumentTypeError(f"{error}, but got '{text}'") from None


def a_named_path(text: str) -> str:
    """The type of an argument that names what there must be, such as RESULTS.

    Raises:
        argparse.ArgumentTypeError: nothing is named, as by an unset shell variable: that is not the working directory.
    """
    if not text:
        raise argparse.ArgumentTypeError("must not be empty, but got ''")
    return a_path(text)


def add_plugin_option(parser: argparse.ArgumentParser) -> None:
    """`--plugin`, which every command has: its file is imported before anything that has a table."""
    parser.add_argument(
        "--plugin",
        metavar="FILE",
        type=a_path,
        action="append",
        default=[],
        help="a Python file with your own data sets or searchers; its code is run (docs/plugins.md); may be repeated",
    )


def points_above_0(text: str) -> float:
    """A margin in points of error.

    Raises:
        argparse.ArgumentTypeError: no number above 0.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of points above 0, but got {text!r}")
    return value


def refuse_empty(options: argparse.Namespace, *names: str) -> None:
    """An empty value, such as that of an unset shell variable, is not taken for the default.

    Raises:
        InputError: every option of `names` that is empty.
    """
    empty = [name for name in names if getattr(options, name) == ""]
    if empty:
        raise InputError(Problem(f"--{name}", "must not be empty, but got ''") for name in empty)


def exit_status(command: Callable[[], int]) -> int:
    """Runs a command; whatever ends it becomes lines on stderr, never a traceback."""
    _open_what_is_closed()
    try:
        status = command()
        with _output():
            sys.stdout.flush()
        return status
    except InputError as error:
        for problem in error.problems[:_MAX_PROBLEMS]:
            say(str(problem))
        if (more := len(error.problems) - _MAX_PROBLEMS) > 0:
            say(f"... and {more} more")
        return BAD_INPUT
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        _drop_output()
        return 0
    except OutputError as error:
        _drop_output()
        say(f"the output could not be written: {printable(str(error))}")
        return FAILED
    except OSError as error:  # names the file
        say(f"a file could not be read or written: {printable(str(error))}")
        return FAILED
    except Exception as error:  # the one net for faults of ours, under all commands
        what = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_ERROR]
        say(printable(f"internal error, a fault of this program: {what} ({_written_trace()})"))
        return FAILED
    finally:
        use_json(False)  # the next command of this process speaks as it is told to


def _written_trace() -> str:
    """Where the trace of the exception at hand was written, in words; without a place to write to, where it arose."""
    text = traceback.format_exc()
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="wrn-search-", suffix=".trace.txt", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.write(text)
    except OSError:
        places = [line.strip() for line in text.splitlines() if line.startswith("  File ")]
        return f"the trace could not be written; raised at {places[-1] if places else 'an unknown place'}"
    return f"its trace was written to {file.name}"


@contextlib.contextmanager
def _output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(*error.args) from None


def _open_what_is_closed() -> None:
    """A stream that whoever started us has closed leads nowhere; else the next opened file would take its place."""
    for name, descriptor in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != descriptor:
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
            setattr(sys, name, open(descriptor, "r" if name == "stdin" else "w", closefd=False))  # noqa: SIM115


def _drop_output() -> None:
    """What Python still holds of it must not fail a second time at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
