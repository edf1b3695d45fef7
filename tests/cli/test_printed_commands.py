"""Every command that an output of ours prints is taken by a shell as printed, and does what it says."""

from __future__ import annotations

import ast
import html
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tests.analysis.paper_tables.hand_made import write_results
from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from tests.datasets.image_data import random_images, write_folder
from tests.house import ROOT, module_of, source_files
from tests.winner.models import write_images
from tests.winner.searches import BEST, STOPPED, train_search
from wrn_search.__main__ import COMMANDS, main
from wrn_search.__main__ import module_of as module_of_command
from wrn_search.cli import search
from wrn_search.images.prepared_data import raw_validation
from wrn_search.live_page.followed_search import FollowedSearch
from wrn_search.live_page.live_values import card
from wrn_search.live_page.trial_page import trial_main
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.shell_commands import ours, shell_line
from wrn_search.space.dataset_section import DatasetSettings
from wrn_search.trackers.trackers_of_a_session import SessionTrackers

COMMAND = re.compile(
    r"(?:python -m wrn_search|python run_search\.py|tensorboard --logdir|optuna-dashboard) [^`<\n]*"
)
TPE = {"searcher": "tpe", "scheduler": "asha", "trials": 12, "reduction_factor": 2}
# As after `source .venv/bin/activate`.
_WITH_PROGRAMS = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
# Where commands are made: each has its test below.
MAKERS = {
    "cli.before_a_search.data": "data",
    "cli.running.status_in_words": "status",
    "cli.search": "report_that_failed",
    "cli.tensorboard": "tensorboard",
    "live_page.live_values": "live_page",
    "live_page.trial_page": "live_page",
    "report.by_products.optuna_study": "dashboard",
    "report.by_products.follow_up_grid": "follow_up",
    "report.by_products.planned_trainings": "plan",
    "trackers.trackers_of_a_session": "track",
    "winner.export": "rerun",
    "winner.file_formats.torch_file": "export_help",
    "winner.model_card": "card",
    "winner.trial_to_export": "a_finalist_that_is_not_there",
}


def words_of(command: str) -> list[str]:
    """A command line's words, as bash takes them."""
    done = subprocess.run(
        ["bash", "-c", f'printf "%s\\0" {command}'], capture_output=True, check=True, timeout=30
    )
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def run_as_printed(command: str, *further: str) -> int:
    """What bash makes of the line, run in this process."""
    words = words_of(command)
    assert words[:2] == ["python", "-m"] or words[:2] == ["python", "run_search.py"], command
    if words[1] == "run_search.py":
        return search.main([*words[2:], *further])
    assert words[2] == "wrn_search"
    return main([*words[3:], *further])


def printed(text: str) -> list[str]:
    """The commands in a text."""
    return [found.strip() for found in COMMAND.findall(text)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A search whose trials were trained, at a path that a shell must not split; read only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(tmp_path_factory.mktemp("data")))
        yield train_search(tmp_path_factory.mktemp("it's a search") / "small")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, as a user has it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["results/first", "results/it's another"], marks=pytest.mark.slow),
        pytest.param(["."], marks=[pytest.mark.slow, pytest.mark.exhaustive]),
        pytest.param(["results/first"], marks=[pytest.mark.slow, pytest.mark.exhaustive]),
    ],
)
def test_the_commands_of_a_follow_up(
    here: Path, names: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in names:
        plant(here / "x" if name == "." else here / name, Plan(name="first", model=WITH_DROPOUT, search=TPE))
    if names == ["."]:
        monkeypatch.chdir(here / "x")
    page = ["--output", "page.html"] if len(names) > 1 else []
    assert main(["report", *names, "--follow-up", "my next.yaml", *page]) == 0
    run, report = printed(Path("my next.yaml").read_text())
    assert (
        run_as_printed(run, "--dry-run", "--set", "dataset.name=digits", "--set", "dataset.validation=300")
        == 0
    )
    where = Path(words_of(run)[-1])
    assert f"results       {where} (new)" in capsys.readouterr().out
    assert where.name == "first_follow_up"
    grid = {"model": {"depth": {"choice": [10, 16]}}, "search": {"searcher": "grid", "scheduler": "none"}}
    plant(where, Plan(name="first_follow_up", **grid))  # what the run leaves
    assert run_as_printed(report) == 0
    assert Path(words_of(report)[-1]).is_file()
    assert main(["report", *names, "--follow-up", "third.yaml", *page]) == 0
    assert words_of(printed(Path("third.yaml").read_text())[0])[-1] == f"{where}_2", (
        "an earlier one lies there"
    )


def test_the_commands_of_a_look_at_data(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(here / "my flowers", random_images(40), [number % 2 for number in range(40)])
    assert main(["data", "my flowers", "--set", "dataset.preprocessing=divide255"]) == 0
    (write,) = printed(capsys.readouterr().out)
    assert run_as_printed(write) == 0
    plan, run = printed(capsys.readouterr().out)
    assert plan == f"{run} --dry-run"
    assert run_as_printed(plan) == 0
    assert "results/my_flowers (new)" in capsys.readouterr().out
    (again,) = printed(Path("my_flowers.yaml").read_text())
    assert words_of(again) == words_of(write)


@pytest.mark.slow
def test_the_page_shows_the_command_that_writes_the_follow_up(here: Path) -> None:
    for names in (["-first"], ["results/a b", "results/c"]):
        paths = [
            str(plant(here / name, Plan(model=WITH_DROPOUT, search=TPE)).relative_to(here)) for name in names
        ]
        given = [f"./{path}" if path.startswith("-") else path for path in paths]
        assert main(["report", *given, "--output", "page.html"]) == 0
        (command,) = [
            line.replace("&#x27;", "'").replace("&#39;", "'")
            for line in printed((here / "page.html").read_text())
            if "--follow-up" in line
        ]
        assert run_as_printed(command) == 0
        Path("follow_up.yaml").unlink()


@pytest.mark.slow
@pytest.mark.parametrize(
    "names", [pytest.param(["first"], marks=pytest.mark.exhaustive), ["results/a b", "results/c"]]
)
def test_the_page_shows_the_command_that_writes_the_plan_and_that_its_own(
    here: Path, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    search = TPE | {"trials": 24}
    plan = Plan(name="first", model=WITH_DROPOUT, search=search, noise=3.0)
    for name in names:
        plant(here / name, plan)
    assert main(["report", *names, "--output", "page.html"]) == 0
    page = (here / "page.html").read_text().replace("&#x27;", "'").replace("&#39;", "'")
    (command,) = [line for line in printed(page) if "--next" in line]
    assert run_as_printed(command) == 0
    run, report = printed(Path("next.yaml").read_text())
    capsys.readouterr()
    small = ("--set", "dataset.name=digits", "--set", "dataset.validation=300")
    assert run_as_printed(run, "--dry-run", *small) == 0
    assert "points" in Path("next.yaml").read_text()
    plant(
        here / words_of(run)[-1], Plan(name="first_next", search={"searcher": "random"})
    )  # what the run leaves
    assert run_as_printed(report) == 0


def test_the_report_that_failed_can_be_written_as_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = plant(here / "it's \x1b[31m here", Plan())
    (results / "report.html").mkdir()
    search._report(results)
    told = capsys.readouterr().err
    (results / "report.html").rmdir()
    (command,) = printed(told.rstrip(")\n"))
    assert run_as_printed(command) == 0
    assert (results / "report.html").is_file()


def test_the_commands_of_export_and_its_card(
    here: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(trained), "--format", "torch", "--trial", str(STOPPED)]) == 2
    (command,) = printed(capsys.readouterr().err)
    assert run_as_printed(command) == 0
    assert main(["export", str(trained), "--format", "torch", "--output", "my best.pt"]) == 0
    confirm, predict = printed(Path("my best.pt.md").read_text())
    assert run_as_printed(confirm, "--dry-run") == 0
    write_images(here / "IMAGES", raw_validation(DatasetSettings(name="digits")).images[:2])
    assert run_as_printed(predict) == 0
    checkpoint = next(ResultsDirectory(trained).checkpoints.glob("*.pt"))
    assert main(["predict", str(checkpoint), "IMAGES"]) == 2
    (command,) = printed(capsys.readouterr().err)
    with pytest.raises(SystemExit) as ended:
        run_as_printed(command)
    assert ended.value.code == 0


def test_the_command_for_a_finalist_that_is_not_there(
    here: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(trained), "--format", "torch", "--finalist", "1"]) == 2
    (command,) = printed(capsys.readouterr().err)
    assert run_as_printed(command, "--dry-run") == 0


def test_the_command_for_tensorboard(here: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view = here / "a view"
    assert main(["tensorboard", str(trained), "--logdir", str(view)]) == 0
    (command,) = printed(capsys.readouterr().out)
    assert words_of(command) == ["tensorboard", "--logdir", str(view)]
    done = subprocess.run(
        ["bash", "-c", f"{command} --inspect"],
        env=_WITH_PROGRAMS,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Processing event files" in done.stdout


def test_the_commands_of_status(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = here / "it's here"
    shutil.copytree(ROOT / "tests/golden/before_the_rooms/interrupted", results)
    assert main(["status", str(results)]) == 0
    report, go_on = printed(capsys.readouterr().out)
    assert run_as_printed(report) == 0
    assert run_as_printed(go_on, "--dry-run") == 0


def test_the_commands_of_a_live_page(here: Path, trained: Path) -> None:
    followed = FollowedSearch(ResultsDirectory(trained))
    followed.look()
    page = trial_main(followed, followed.state.trials[BEST], can_go_on=False)
    rerun, export, go_on = (html.unescape(each) for each in re.findall(r'data-text="([^"]*)"', page))
    assert run_as_printed(rerun, "--device", "cpu") == 0
    assert run_as_printed(export) == 0
    assert list(here.glob("*.pt"))
    assert run_as_printed(go_on, "--dry-run") == 0
    results = here / "it's here"
    shutil.copytree(ROOT / "tests/golden/before_the_rooms/interrupted", results)
    interrupted = FollowedSearch(ResultsDirectory(results))
    interrupted.look()
    assert run_as_printed(card(interrupted, str)["resume"], "--dry-run") == 0


@pytest.mark.parametrize("file", ["my study.db", "study.log"])
def test_the_command_for_the_dashboard(here: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    results = plant(here / "results", Plan(model=WITH_DROPOUT, search=TPE))
    assert main(["report", str(results), "--optuna-storage", file]) == 0
    (command,) = (line for line in printed(capsys.readouterr().err) if line.startswith("optuna-dashboard"))
    _, storage = words_of(command)
    # As the dashboard opens it: a URL, or else a journal's file.
    opened = storage if "://" in storage else JournalStorage(JournalFileBackend(storage))
    assert len(optuna.load_study(study_name="planted", storage=opened).trials) == 12
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["bash", "-c", f"exec {command} --port {port}"], env=_WITH_PROGRAMS, stderr=subprocess.PIPE
    )
    try:
        assert _answer(f"http://127.0.0.1:{port}/api/studies").count(b"planted") >= 1
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answer(address: str) -> bytes:
    """What a server says once it listens."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                content: bytes = answer.read()
                return content
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


@pytest.fixture
def examples(here: Path, trained: Path) -> Path:
    """What the examples of the help name, in the working directory."""
    (here / "search_spaces").symlink_to(ROOT / "search_spaces")
    for name in ("cifar_width_depth", "digits_quickstart"):
        shutil.copytree(trained, here / "results" / name)
    write_results(here / "results" / "table4_depth_width", {"WRN-40-1": [7.0, 7.1], "WRN-40-8": [4.8, 4.7]})
    write_images(here / "photos", raw_validation(DatasetSettings(name="digits")).images[:2])
    shutil.copyfile(next((here / "photos").iterdir()), "cat.png")
    write_folder(here / "pictures" / "flowers", random_images(20), [number % 2 for number in range(20)])
    return here


FURTHER = {
    "confirm": ["--dry-run"],
    "replay": ["--seeds", "2"],
}  # retraining takes an hour, many plays some minutes


# `watch` answers until it is ended: tests/live_page; `leave` waits for SIGTERM: tests/cluster, tests/cli/running.
NOT_HERE = ("leave", "predict", "run", "watch")
TAKE_LONG = ("speed",)


@pytest.mark.parametrize(
    "command",
    [
        # `speed` beside tests/speed
        pytest.param(name, marks=[pytest.mark.slow, pytest.mark.exhaustive] if name in TAKE_LONG else [])
        for name in COMMANDS
        if name not in NOT_HERE
    ],
)
def test_the_example_of_every_help_works(command: str, examples: Path) -> None:
    example = module_of_command(command).EXAMPLE
    if command == "rerun":
        example = example.replace("--trial 17", "--trial 1")  # the search here has five
    if command == "report":  # a follow-up needs a search that a space file can describe
        shutil.rmtree("results/cifar_width_depth")
        plant(Path("results/cifar_width_depth"), Plan(model=WITH_DROPOUT, search=TPE))
    if command == "replay":  # needs the record of trials that were trained to their ends
        shutil.rmtree("results/digits_quickstart")
        shutil.copytree(ROOT / "tests/golden/before_the_rooms/finished", "results/digits_quickstart")
    status = run_as_printed(example, *FURTHER.get(command, []))
    assert status == (2 if command == "stop" else 0)  # no driver runs there
    if command == "export":  # what its example wrote is what the next one reads
        assert run_as_printed(module_of_command("predict").EXAMPLE) == 0


@pytest.mark.parametrize("example", [*printed(search._EXAMPLES), search.EXAMPLE])
def test_the_examples_of_a_search_are_taken(example: str, examples: Path) -> None:
    """Their options and their files; running them takes hours."""
    words = words_of(example)
    if "results/cifar_width_depth" in words:
        assert run_as_printed(example, "--dry-run") == 0
        return
    options = search.parser().parse_args(words[words.index(next(w for w in words if w.endswith(".yaml"))) :])
    space = ["check", options.space, *(part for each in options.overrides for part in ("--set", each))]
    assert main(space) == 0


def test_the_command_that_brings_to_a_tracker_what_it_could_not_take(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = plant(here / "it's a search", Plan()).relative_to(here)
    (path / "csv").write_text("a file where the folder should be")
    SessionTrackers(ResultsDirectory(path), ["csv"]).finish(60)
    (command,) = printed(capsys.readouterr().err)
    (path / "csv").unlink()
    assert run_as_printed(command, "--once") == 0
    assert (path / "csv" / "epochs.csv").is_file()


def test_every_command_in_the_source_has_its_test() -> None:
    """A string that spells a command must go through `shell_commands`, whose callers are listed above."""
    callers, spelt = set(), []
    for path in source_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "wrn_search.shell_commands":
                callers.add(module_of(path))
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                spelt += [(module_of(path), found) for found in printed(node.value)]
    assert callers == set(MAKERS)
    known = {module_of_command(name).EXAMPLE for name in COMMANDS} | set(printed(search._EXAMPLES))
    docstrings = {"__main__", "run_search", "shell_commands", "cli.search", "report.by_products.optuna_study"}
    assert [each for each in spelt if each[1] not in known and each[0] not in docstrings] == []


@pytest.mark.parametrize(
    "name", ["plain", "a b", "it's", "$HOME", "-x", "a\nb", "\x1b[31m'\\", "é\x85", "b\udc80ytes", "*"]
)
def test_any_path_survives_the_shell(name: str) -> None:
    line = ours("report", Path(name), "--output", Path(name))
    path = f"./{name}" if name.startswith("-") else name
    assert words_of(line) == ["python", "-m", "wrn_search", "report", path, "--output", path]
    assert line.isprintable()
    assert shell_line("tensorboard", "--logdir=x") == "tensorboard --logdir=x"
