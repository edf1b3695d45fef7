"""`run_search.py`: its options, the dry run, and what it refuses before anything starts."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, modules_of, run
from tests.decisions.playing import conductor_of, new_record, play
from wrn_search.__main__ import main as program_main
from wrn_search.__main__ import parser as program
from wrn_search.cli.search import main, parser
from wrn_search.results.events import SearchEnded
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.space.space_file import read_space
from wrn_search.space.yaml_with_lines import yaml_text

TRIALS = "must be a whole number"


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A valid space file in an empty folder, where the test runs with a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    Path("s.yaml").write_text("name: s\ndataset: {name: digits}\nmodel: {depth: {choice: [10, 16]}}\n")
    return "s.yaml"


def test_a_dry_run_tells_the_plan_and_writes_nothing(space: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().rglob("*"))

    assert main([space, "--dry-run", "--trials", "1e1", "--set", "training.epochs=30"]) == 0

    told = capsys.readouterr()
    assert told.err == ""
    assert "searcher      tpe, 10 configurations" + "\n" in told.out
    assert "training      30 epochs, 60 epochs over 2 trials at most" in told.out
    results, disk, last = told.out.splitlines()[-3:]
    assert results == "results       results/s (new)"
    assert disk.startswith("disk          checkpoints of ")
    assert last == "Dry run: nothing was started or written."
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--trials", "0"], f"--set: search.trials: {TRIALS} from 1 to 1000000, but got 0"),
        (["--trials", "x"], f"--set: search.trials: {TRIALS}, but got 'x'"),
        (["--trials", "1e99"], f"--set: search.trials: {TRIALS} from 1 to 1000000, but got 1e+99"),
        (["--trials", "[3]"], f"--set: search.trials: {TRIALS}, but got [3]"),
        (["--trials", ""], "--trials: must not be empty, but got ''"),
        (["--results", ""], "--results: must not be empty, but got ''"),
        (["--address", ""], "--address: must not be empty, but got ''"),
        (["--set", "=3"], "--set: KEY=VALUE must hold, such as training.epochs=30, but got '=3'"),
        (["--set", "model=3"], "--set: model: must be a section with keys below it, but got 3"),
        (
            ["--set", "name=../x"],
            "--set: name: must be 1 to 100 letters, digits, '.', '_' or '-', begin with a letter "
            "or digit and hold no '..', but got '../x'",
        ),
        (
            ["--results", "s.yaml"],
            "--results: must be a new or an empty directory, but s.yaml exists and holds something "
            "else; name another with --results DIR (--resume is for searches)",
        ),
        (
            ["--results", "."],
            "--results: must be a new or an empty directory, but . exists and holds something "
            "else; name another with --results DIR (--resume is for searches)",
        ),
        (
            ["--resume"],
            "--resume: a search must be there to be resumed, but results/s holds none; start it without "
            "--resume",
        ),
        (
            ["--set", "resources.cpus_per_trial=4096"],
            "resources.cpus_per_trial: one machine must be able to hold a trial of 4096 CPUs, but got ",
        ),
        (
            ["--set", "dataset.name=parquet"],
            "dataset.root: must be a folder that holds train*.parquet, but got no ",
        ),
    ],
    ids=lambda part: part[:40] if isinstance(part, str) else "",
)
@pytest.mark.parametrize("dry_run", [["--dry-run"], []], ids=["dry", "real"])
def test_bad_input_is_told_before_anything_starts(
    space: str, arguments: list[str], line: str, dry_run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([space, *arguments, *dry_run]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(line)
    assert told.err.count("\n") == 1
    assert not Path("results").exists()


def test_the_real_command_ends_with_status_2_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("name: s\nmodel: {depth: 17}\nsearch: {trials: 1" + "0" * 400 + "}\n")
    done = run(str(ROOT / "run_search.py"), "s.yaml", "--dry-run", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "s.yaml:2: model.depth: depth must be 6*N + 4 with block B(3,3) (nearest: 16 or 22), but got 17",
        "s.yaml:3: search.trials: must be a whole number from 1 to 1000000, but got a number of about 400 digits",
    ]


@pytest.mark.parametrize(
    "arguments", [[], ["s.yaml", "--dry"], ["s.yaml", "--\x1b[31m"], ["s.yaml", "t.yaml\x1b"]]
)
def test_wrong_options_show_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.startswith("usage: run_search.py")
    assert "\x1b" not in told


def test_the_help_has_examples_and_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert "python run_search.py search_spaces/digits_quickstart.yaml" in told
    assert "exit status: 0 done, 1 the search failed, 2 bad input or options, 130 interrupted" in told


def test_the_help_loads_nothing_heavy() -> None:
    statement = "from wrn_search.cli.search import main; main(['--help'])"

    assert modules_of(statement, "torch", "ray", "optuna", "pandas", "pyarrow") == set()


def test_a_results_folder_cannot_send_terminal_codes(space: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([space, "--dry-run", "--results", "\x1b[31mred"]) == 0
    assert "results       \\x1b[31mred (new)" in capsys.readouterr().out.splitlines()


def test_a_space_file_is_found_in_the_project_that_a_cluster_file_installed(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ray submit` runs the script in the home folder of the head node, where no space file lies."""
    project, home = tmp_path / "project", tmp_path / "home"
    (project / "spaces").mkdir(parents=True)
    home.mkdir()
    (project / "spaces" / space).write_text(Path(space).read_text().replace("name: s", "name: there"))
    monkeypatch.chdir(home)
    assert main([f"spaces/{space}", "--dry-run"]) == 2
    monkeypatch.setenv("WRN_SEARCH_HOME", str(project))
    assert main([f"spaces/{space}", "--dry-run"]) == 0
    assert "results/there" in capsys.readouterr().out
    (home / "spaces").mkdir()  # what lies where the command runs goes first
    (home / "spaces" / space).write_text((project / "spaces" / space).read_text().replace("there", "here"))
    assert main([f"spaces/{space}", "--dry-run"]) == 0
    assert "results/here" in capsys.readouterr().out
    assert main(["x" * 5000, "--dry-run"]) == 2


@pytest.mark.parametrize(("val_error", "status"), [(89.0, 1), (50.0, 0)])
def test_a_search_in_which_all_trials_only_guess_has_failed(
    space: str, val_error: float, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    searched = read_space(space, ["search.trials=2", "search.repeats=1", "search.scheduler=asha"])
    Path(space).write_text(yaml_text(searched.to_document()))
    directory = ResultsDirectory("results/s")
    directory.path.mkdir(parents=True)
    with new_record(directory.events, searched) as record:
        play(conductor_of(searched, record), lambda assignment, epoch: val_error)
        record.append(SearchEnded("finished"))
    directory.resolved.write_text(yaml_text(searched.to_document()))

    assert main([space, "--resume"]) == status

    told = "every trial was stopped because its validation error was still that of guessing (90.00 %)"
    assert (told in capsys.readouterr().err) is bool(status)


def test_an_installation_has_a_command_that_searches(space: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`wrn-search run` takes all that `run_search.py` takes, and does the same."""
    (command,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"].items()
    assert command == ("wrn-search", "wrn_search.__main__:main")
    commands = next(each for each in program("run")._actions if each.dest == "command").choices
    of_run = {each.dest: each.option_strings for each in commands["run"]._actions}
    assert of_run == {each.dest: each.option_strings for each in parser()._actions}
    assert main([space, "--dry-run", "--trials", "2"]) == 0
    told = as_ever(capsys.readouterr().out.splitlines())
    assert program_main(["run", space, "--dry-run", "--trials", "2"]) == 0
    assert as_ever(capsys.readouterr().out.splitlines()) == told
    assert program_main(["run", space, "--dry-run", "--trials", "2", "--json"]) == 0
    assert as_ever(json.loads(capsys.readouterr().out)["plan"]) == told


def as_ever(lines: list[str]) -> list[str]:
    """A plan without what a probe measured and how full the disk is."""
    kept = [line for line in lines if not line.startswith("forecast") and " an epoch, " not in line]
    return [re.sub(r"[\d.]+ \w+ are free", "... are free", line) for line in kept]
