"""`python -m wrn_search`: the commands, their help, and how they end."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

import pytest

from tests.cli.commands import modules_of, run
from wrn_search.__main__ import COMMANDS, NOT_YET, main
from wrn_search.cli.exit_status import exit_status, show
from wrn_search.errors import InputError, Problem

ALL = ", ".join(COMMANDS)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("chek", f"COMMAND: must be one of {ALL}, but got 'chek' (did you mean 'check'?)"),
        ("", f"COMMAND: must be one of {ALL}, but got ''"),
        ("\x1b[31m", f"COMMAND: must be one of {ALL}, but got '\\x1b[31m'"),
        *((name, f"COMMAND: '{name}' is not supported yet; use one of {ALL}") for name in NOT_YET),
    ],
)
def test_an_unknown_command_is_told(command: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "x"]) == 2
    assert capsys.readouterr() == ("", line + "\n")


@pytest.mark.parametrize(
    "arguments", [[], ["--json"], ["check", "a", "\x1b[31m"], ["describe", "--depth", "x\x1b"]]
)
def test_wrong_options_show_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.err.startswith("usage: python -m wrn_search")
    assert "\x1b" not in told.err + told.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_json(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"example: python -m wrn_search {command} " in told
    assert "--json" in told


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("    ") and line[4] != " "]
    assert listed == list(COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "search_spaces/cifar_width_depth.yaml"],
        ["check", "--schema"],
        ["describe", "--depth", "28", "--widen-factor", "10"],
        ["--help"],
        ["export", "--help"],
        ["predict", "--help"],
        ["rerun", "--help"],
        ["status", "no/such"],
        ["stop", "no/such"],
        ["tensorboard", "no/such"],
    ],
    ids=" ".join,
)
def test_commands_load_nothing_heavy(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_RESULTS", "no/such")  # earlier results tell `check` the pace, from Parquet
    statement = f"from wrn_search.__main__ import main; main({arguments!r})"

    assert (
        modules_of(statement, "torch", "ray", "optuna", "pandas", "pyarrow", "tensorboard", "sklearn")
        == set()
    )
    assert modules_of(statement, "argparse") != set(), "the probe sees what is loaded"


def test_the_module_is_the_program() -> None:
    done = run("-m", "wrn_search", "check", "no/such.yaml")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "no/such.yaml: the space file must be a YAML file, but there is nothing\n"


def test_a_thousand_problems_are_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> int:
        raise InputError(Problem(f"key{number}", "must not be") for number in range(1000))

    assert exit_status(command) == 2
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[99], lines[100]) == (101, "key99: must not be", "... and 900 more")


def test_ctrl_c_ends_with_130(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> int:
        raise KeyboardInterrupt

    assert exit_status(command) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_reader_that_has_gone_is_no_failure(tmp_path: Path) -> None:
    code = (
        "import os, sys; from wrn_search.__main__ import main; read, write = os.pipe(); os.close(read); "
        "os.dup2(write, 1); sys.exit(main(['check', '--schema']))"
    )
    done = run("-c", code)

    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_shown_fits_any_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))

    show("é\n\x1b[31m\tx\ud800")
    sys.stdout.flush()

    assert raw.getvalue() == b"\\xe9\n\\x1b[31m\tx\\ud800\n"


def test_a_fault_of_ours_is_one_line_and_its_trace_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> int:
        return 1 // len("")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert exit_status(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    (trace,) = tmp_path.iterdir()
    fault = "internal error, a fault of this program: ZeroDivisionError: integer division or modulo by zero"
    assert line == f"{fault} (its trace was written to {trace})"
    assert "return 1 // len" in trace.read_text()

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    assert exit_status(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{fault} (the trace could not be written; raised at File ")
