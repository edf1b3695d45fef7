"""`~` and `$VARIABLE` at every door by which a user's path comes in: options, space files, Python, the environment."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

import wrn_search
from tests.analysis.planted import Plan, plant
from tests.winner.searches import train_search
from wrn_search.__main__ import COMMANDS, main, parser
from wrn_search.cli import search
from wrn_search.cli.exit_status import a_named_path, a_path
from wrn_search.errors import InputError
from wrn_search.session.search_request import request_of
from wrn_search.space.data_folders import cache_root
from wrn_search.space.space_file import space_from_text
from wrn_search.user_paths import UnknownPath, expanded

PATHS = {"SPACE", "RESULTS", "DIR", "FILE", "MODEL", "IMAGES"}  # the words of the help for a path
SPACE = "name: s\ndataset: {name: digits}\nmodel: {depth: {choice: [10, 16]}}\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's home; the working directory is another one, in which nothing named `~` or `$...` may appear."""
    home, work = tmp_path / "home", tmp_path / "work"
    for folder in (home, work):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MINE", str(home / "mine"))
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("UNSET", raising=False)
    monkeypatch.setenv("WRN_SEARCH_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(work)
    yield home
    assert [path for path in work.rglob("*") if path.name.startswith(("~", "$"))] == []


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("~/x", "HOME/x"),
        ("~", "HOME"),
        ("$MINE/x", "HOME/mine/x"),
        ("${MINE}x/y", "HOME/minex/y"),
        ("a/$MINE", "a/HOME/mine"),
        ("s3://bucket/$MINE", "s3://bucket/HOME/mine"),
        ("a~b", "a~b"),
        ("cost $5", "cost $5"),
        ("", ""),
    ],
)
def test_a_path_is_what_a_shell_makes_of_it(home: Path, given: str, meant: str) -> None:
    assert expanded(given) == meant.replace("HOME", str(home))


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("$UNSET/x", r"must name variables that are set \(UNSET is not set\)"),
        ("$EMPTY/${UNSET}", r"must name variables that are set \(EMPTY, UNSET are not set\)"),
        ("~nobody_of_this_name/x", "must be a path of a known user"),
    ],
)
def test_what_means_nothing_is_refused(home: Path, given: str, rule: str) -> None:
    with pytest.raises(UnknownPath, match=f"^{rule}$"):
        expanded(given)


def test_a_folder_that_has_the_name_is_meant_itself(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a$UNSET").mkdir()
    assert expanded(str(tmp_path / "a$UNSET")) == str(tmp_path / "a$UNSET")


def _actions(options: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    for action in options._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from ((f"{name} {each.dest}", each) for _, each in _actions(command))
        else:
            yield action.dest, action


def test_every_option_that_takes_a_path_expands_it() -> None:
    paths = {
        name: action
        for name, action in [each for command in COMMANDS for each in _actions(parser(command))]
        if action.metavar in PATHS
    }
    assert {"run space", "run results", "export output", "report figures", "predict images"} <= set(paths)
    assert [name for name, action in paths.items() if action.type not in (a_path, a_named_path)] == []
    assert [name for name, action in _actions(search.parser()) if action.metavar in PATHS] == [
        "space",
        "results",
        "plugin",
    ]


def test_results_below_the_home(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "s.yaml").write_text(SPACE)
    assert main(["run", "~/s.yaml", "--dry-run", "--results=~/runs/x"]) == 0
    assert f"results       {home}/runs/x (new)\n" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["run", "~/s.yaml", "--dry-run", "--results=$UNSET/x"])
    assert ended.value.code == 2
    line = "argument --results: must name variables that are set (UNSET is not set), but got '$UNSET/x'"
    assert line in capsys.readouterr().err
    assert str(request_of("~/s.yaml", (), "$MINE/x").directory.path) == f"{home}/mine/x"
    with pytest.raises(InputError, match=r"^--results: must name variables that are set"):
        request_of("~/s.yaml", (), "$UNSET/x")


def test_files_that_commands_write(home: Path) -> None:
    results = plant(home / "runs" / "base", Plan())
    written = {
        "--output": "page.html",
        "--follow-up": "next.yaml",
        "--optuna-storage": "s.log",
        "--figures": "figures",
    }
    options = [f"{option}=~/{name}" for option, name in written.items()]
    assert main(["report", "~/runs/base", *options]) == 0
    assert all((home / name).exists() for name in written.values())
    assert len(wrn_search.read("~/runs/base")[0]) == len(wrn_search.read(results)[0])


def test_an_export_below_the_home(home: Path) -> None:
    train_search(home / "small")
    assert main(["export", "~/small", "--format", "torch", "--output=~/m.pt"]) == 0
    assert (home / "m.pt").is_file()
    assert wrn_search.load_model("~/m.pt").about.name


@pytest.mark.parametrize("path", ["$MINE/flowers", "~/mine/flowers", "${MINE}/flowers"])
def test_paths_in_a_space_file(home: Path, path: str) -> None:
    (home / "mine" / "flowers").mkdir(parents=True)
    text = f'dataset: {{name: folder, root: "{path}", validation: 10}}\nsearch: {{warm_start: ["{path}"]}}\n'
    space = space_from_text(text, "s.yaml")
    assert space.dataset.root == str(home / "mine" / "flowers")
    assert space.search.warm_start == (str(home / "mine" / "flowers"),)


def test_paths_in_a_space_file_that_mean_nothing(home: Path) -> None:
    text = 'dataset:\n  name: folder\n  root: "$UNSET/flowers"\nsearch:\n  warm_start: ["~/a", "$UNSET/b"]\n'
    with pytest.raises(InputError) as told:
        space_from_text(text, "s.yaml")
    rule = "must name variables that are set (UNSET is not set), but got"
    assert str(told.value).splitlines() == [
        f"s.yaml:3: dataset.root: {rule} '$UNSET/flowers'",
        f"s.yaml:5: search.warm_start: {rule} '$UNSET/b'",
    ]


def test_paths_in_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRN_SEARCH_DATA", "$MINE/data")
    monkeypatch.setenv("WRN_SEARCH_RESULTS", "~/shared")
    assert cache_root() == home / "mine" / "data"
    assert (
        request_of({"name": "s", "dataset": {"name": "digits"}}, (), None).directory.path
        == home / "shared" / "s"
    )
