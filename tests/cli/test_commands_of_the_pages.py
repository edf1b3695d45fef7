"""Every command that a page shows is run, or said why not: none of them can rot."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.analysis.paper_tables.hand_made import write_results
from tests.analysis.planted import WITH_DROPOUT, Plan, plant
from tests.cli.commands_of_the_pages import (
    PAGES,
    ROOT,
    WAYS,
    PrintedCommand,
    commands,
    commands_by,
    commands_elsewhere,
    commands_in_sentences,
    way_of,
)
from tests.cli.test_printed_commands import run_as_printed, words_of
from tests.datasets.image_data import encode, random_images, write_folder, write_parquet
from tests.winner.models import write_images
from tests.winner.searches import train_search
from wrn_search.__main__ import COMMANDS, main, module_of
from wrn_search.cli import search
from wrn_search.images.prepared_data import raw_validation
from wrn_search.results.events import Reported
from wrn_search.results.events_jsonl import read_events
from wrn_search.space.dataset_section import DatasetSettings

TPE = {"searcher": "tpe", "scheduler": "asha", "trials": 12, "reduction_factor": 2}
GOLDEN = ROOT / "tests/golden/before_the_rooms/finished"
WATCHED = re.compile(r"http://127\.0\.0\.1:\d+/\S*")


def test_every_command_has_its_way_and_every_way_its_command() -> None:
    without = [str(command) for command in commands() if way_of(command) is None]
    assert without == [], "a line in WAYS says how it is tested"
    used = {way_of(command) for command in commands()}
    assert [way for way in WAYS if way not in used] == []
    assert [way for way in WAYS if way.how in ("no", "check", "by", "target") and not way.why] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_stand_in_blocks_of_sh(page: Path) -> None:
    assert commands_elsewhere(page) == []


@pytest.mark.parametrize("why", sorted({way.why for way in WAYS if way.how == "by"}))
def test_the_test_that_runs_it_is_there(why: str) -> None:
    file, _, name = why.partition("::")
    assert re.search(rf"^def {name or 'test_'}", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", commands_by("target"), ids=str)
def test_the_makefile_has_the_target(command: PrintedCommand) -> None:
    target = command.line.split()[1]
    assert re.search(rf"^{target}: ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "benchmarks" / "README.md"], ids=lambda page: page.stem)
def test_a_command_in_a_sentence_is_one_and_has_its_options(page: Path) -> None:
    """Those are too many, and some take days: each names a program that is there, and options that it has."""
    for command in commands_in_sentences(page):
        program = command.split()[2]
        if program == "wrn_search":
            name = command.split()[3]
            assert name in COMMANDS, command
            taken = module_parser(name).format_help()
        else:
            taken = (ROOT / f"{program.replace('.', '/')}.py").read_text(encoding="utf-8")
        for option in re.findall(r"--[a-z][a-z-]*", command):
            assert re.search(rf"{option}(?![a-z-])", taken), command


def module_parser(name: str) -> argparse.ArgumentParser:
    """The options of a command."""
    options = argparse.ArgumentParser()
    module_of(name).add_options(options)
    return options


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the pages name, small: searches that were really trained, images, and a file of a network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(tmp_path_factory.mktemp("data")))
        here = tmp_path_factory.mktemp("pages")
        trained = train_search(here / "results" / "digits_quickstart")
        for name in ("cifar_width_depth", "tiny"):
            shutil.copytree(trained, here / "results" / name)
        errors = {"WRN-40-1": [7.0, 7.1], "WRN-40-8": [4.8, 4.7]}
        for name in ("table4_depth_width", "table4_short", "own_images", "a"):
            write_results(here / "results" / name, errors, name=name)
        write_results(here / "results" / "b", {"WRN-16-8": [5.1, 5.2]}, name="b")
        write_results(
            here / "results" / "table2_short",
            {"WRN-28-2": [5.7, 5.8], "WRN-22-2-B(3,1,3)": [5.8, 5.9]},
            name="table2_short",
        )
        (here / "search_spaces").symlink_to(ROOT / "search_spaces")
        write_images(here / "images", raw_validation(DatasetSettings(name="digits")).images[:2])
        images, labels = random_images(20), [number % 2 for number in range(20)]
        write_folder(here / "pictures" / "flowers", images, labels)
        write_folder(here / "DIR", images, labels)  # as ImageNet lies, and beside it as Hugging Face has it
        write_parquet(here / "DIR" / "train.parquet", [encode(each) for each in images], labels)
        yield here


@pytest.fixture
def here(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where a reader of the pages works."""
    monkeypatch.chdir(small)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (small / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return small


@pytest.mark.parametrize("command", commands_by("run"), ids=str)
def test_it_is_run(
    command: PrintedCommand, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = way_of(command)
    assert way is not None
    if (
        "--follow-up" in command.line or "replay" in command.line
    ):  # other searches, beside those that the others read
        monkeypatch.chdir(tmp_path)
        if "replay" in command.line:
            shutil.copytree(GOLDEN, tmp_path / "results" / "digits_full")
        else:
            plant(tmp_path / "results" / "digits_quickstart", Plan(model=WITH_DROPOUT, search=TPE))
    if "export" in command.line:  # never over a file that is there
        for name in ("best.onnx", "best.onnx.md"):
            Path(name).unlink(missing_ok=True)
    if "predict" in command.line and not Path("best.onnx").exists():
        assert main(["export", "results/digits_quickstart", "--format", "onnx", "--output", "best.onnx"]) == 0
    assert run_as_printed(command.line, *way.further.split()) == way.status


@pytest.mark.parametrize("command", commands_by("check"), ids=str)
def test_its_options_are_taken_and_its_space_is_one(command: PrintedCommand, here: Path) -> None:
    way = way_of(command)
    assert way is not None
    words = words_of(f"{command.line} {way.further}")
    assert words[:2] == ["python", "run_search.py"]
    options = search.parser().parse_args(words[2:])
    overrides = [part for each in options.overrides for part in ("--set", each)]
    if options.trials:
        overrides += ["--set", f"search.trials={options.trials}"]
    assert main(["check", options.space, *overrides]) == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_journey_as_a_reader_takes_it(tmp_path: Path) -> None:
    """By bash, page after page: a real quickstart, watched, stopped, resumed, confirmed and taken along.

    Of half as many trials and epochs as the reader's, as the commands train again and again.
    """
    for name in ("run_search.py", "wrn_search"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "search_spaces", tmp_path / "search_spaces")
    space = tmp_path / "search_spaces" / "digits_quickstart.yaml"
    text = space.read_text()
    for whole, half in (("  epochs: 18\n", "  epochs: 9\n"), ("  trials: 24\n", "  trials: 12\n")):
        assert text.count(whole) == 1
        text = text.replace(whole, half)
    space.write_text(text)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "WRN_SEARCH_DATA": str(tmp_path / "data")}
    write_images(tmp_path / "images", raw_validation(DatasetSettings(name="digits")).images[:2])
    reader = _Reader(tmp_path, environment)
    try:
        _travel(reader)
    finally:
        reader.leaves()


def _travel(reader: _Reader) -> None:
    journey = commands_by("journey")
    for page in ("index", "audit", "going-on"):
        for command in [each for each in journey if each.page == page]:
            reader.types(command)
    assert {each.page for each in journey} == {"index", "audit", "going-on"}


class _Reader:
    """Who types commands into a shell. The search goes to the background, as in a terminal of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        self._folder, self._environment = folder, environment
        self._search: subprocess.Popen[bytes] | None = None

    def types(self, command: PrintedCommand) -> None:
        way = way_of(command)
        assert way is not None
        if (
            command.page == "index"
            and command.line == "python run_search.py search_spaces/digits_quickstart.yaml"
        ):
            self._search = self._starts(command.line)
            self._waits_for_epochs(self._search)
        elif "wrn_search watch" in command.line:
            self._watches(command.line)
        else:
            further = way.further if way.how == "journey" else ""
            done = subprocess.run(
                ["bash", "-c", f"{command.line} {further}"],
                cwd=self._folder,
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=1800,
            )
            # An audit of ten ends may miss as many as chance allows, or one more: that is its answer.
            assert done.returncode in ((0, 1) if "audit" in command.line else (0,)), (
                command,
                done.stderr[-3000:],
            )
        if "wrn_search stop" in command.line:
            assert self._search is not None
            assert self._search.wait(timeout=120) == 130

    def leaves(self) -> None:
        """Nothing of the reader's runs on."""
        if self._search is not None and self._search.poll() is None:
            self._search.send_signal(signal.SIGINT)
            self._search.wait(timeout=120)

    def _starts(self, line: str) -> subprocess.Popen[bytes]:
        with (self._folder / "stderr.txt").open("wb") as stderr:
            return subprocess.Popen(
                ["bash", "-c", f"exec {line}"],
                cwd=self._folder,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=stderr,
                # Where the tests run in the background Ctrl-C would be ignored, and so by all that they start.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def _waits_for_epochs(self, search: subprocess.Popen[bytes]) -> None:
        record = self._folder / "results" / "digits_quickstart" / "events.jsonl"
        while not record.exists() or sum(isinstance(event, Reported) for _, event in read_events(record)) < 3:
            assert search.poll() is None, (self._folder / "stderr.txt").read_text()[-3000:]
            time.sleep(0.5)

    def _watches(self, line: str) -> None:
        server = self._starts(line)
        assert server.stdout is not None
        try:
            told = "".join(server.stdout.readline().decode() for _ in range(2))
            address = WATCHED.search(told)
            assert address, told
            with urllib.request.urlopen(address[0], timeout=60) as answer:
                assert b"WRN Search" in answer.read()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=60)
