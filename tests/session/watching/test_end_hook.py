"""`on_end`: run without a shell, told what came of the search; whatever it does, the search has ended as it has."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.progress.pictures import VERDICT
from tests.results.searches import START, proposed, reported, search_started, started
from wrn_search.end_reason import EndReason
from wrn_search.errors import InputError
from wrn_search.progress.verdict_file import write_verdict
from wrn_search.results.events import Completed, Failed
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.state_from_events import fold
from wrn_search.session.resume import _on_end
from wrn_search.session.search_request import Asked
from wrn_search.session.search_result import SearchResult
from wrn_search.session.watching import end_hook
from wrn_search.session.watching.end_hook import run_end_hook
from wrn_search.space.space_file import space_from_mapping
from wrn_search.space.yaml_with_lines import Source


def _ended(folder: Path, *command: str, reason: EndReason = EndReason.FINISHED) -> SearchResult:
    first = (
        search_started(),
        proposed(0),
        started(0),
        *(reported(0, epoch) for epoch in (1, 2, 3, 4)),
        Completed(0),
    )
    events = (*first, proposed(1), started(1), Failed(1, "bad"))
    return SearchResult(
        folder, fold((START + place, each) for place, each in enumerate(events)), reason, command
    )


def _kept(folder: Path, *arguments: str) -> tuple[str, ...]:
    """A command that writes down its arguments and what it reads."""
    program = "import sys; open(sys.argv[1], 'w').write(repr(sys.argv[2:]) + chr(10) + sys.stdin.read()); print('said')"
    return (sys.executable, "-c", program, str(folder / "told"), *arguments)


def test_it_is_told_what_came_of_the_search(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_verdict(ResultsDirectory(tmp_path), VERDICT)
    run_end_hook(_ended(tmp_path, *_kept(tmp_path, "a b", "$HOME; rm *")))
    arguments, told = (tmp_path / "told").read_text().splitlines()
    assert arguments == "['a b', '$HOME; rm *']", "no shell reads them"
    values = json.loads(told)
    assert values | {"verdict": None, "best": None} == {
        "search": "small",
        "results": str(tmp_path),
        "ended": "finished",
        "failure": None,
        "exit_status": 0,
        "trials": 2,
        "by_status": {"completed": 1, "failed": 1},
        "best": None,
        "verdict": None,
    }
    assert values["best"] == {"number": 0, "name": "000_WRN-16-4_p0.30_wd5e-4", "val_error": 15.0, "seeds": 1}
    assert values["verdict"]["winner"]["network"] == "WRN-16-2"
    assert capfd.readouterr() == ("", "said\n"), "stdout is for the results of the search"


def test_a_failure_is_told(tmp_path: Path) -> None:
    run_end_hook(_ended(tmp_path, *_kept(tmp_path), reason=EndReason.FAILED), "the disk is full")
    values = json.loads((tmp_path / "told").read_text().splitlines()[1])
    assert (values["ended"], values["failure"], values["exit_status"]) == ("failed", "the disk is full", 1)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("/no/such/command",), "on_end: /no/such/command could not be run: "),
        ((sys.executable, "-c", "raise SystemExit(3)"), f"on_end: {sys.executable} ended with status 3"),
        (
            (sys.executable, "-c", "import time; time.sleep(60)"),
            f"on_end: {sys.executable} took longer than 0.5 s",
        ),
        ((), ""),
    ],
)
def test_what_goes_wrong_with_it_is_one_line(
    command: tuple[str, ...],
    line: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(end_hook, "SECONDS", 0.5 if "sleep" in "".join(command) else 60.0)
    run_end_hook(_ended(tmp_path, *command))
    told = capsys.readouterr().err
    assert told.startswith(line)
    assert len(told.splitlines()) == bool(line)


def test_what_takes_too_long_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(end_hook, "SECONDS", 1.0)
    run_end_hook(_ended(tmp_path, "sh", "-c", f"sleep 177 & echo $! > '{tmp_path}/child'; wait"))
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    pytest.fail(f"process {child} lives on")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("notify-send done", "on_end: must be a command and its arguments as a list of texts"),
        ([1], "on_end"),
        ([""], "on_end"),
        ({"a": 1}, "no shell reads it"),
    ],
)
def test_it_must_be_a_list(value: object, text: str) -> None:
    with pytest.raises(InputError, match=text):
        space_from_mapping({"name": "a", "on_end": value})


def test_a_command_that_only_the_record_names_is_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    """A results directory may come from a stranger."""
    space = space_from_mapping({"name": "a", "on_end": ["evil"]})

    def asked(source: dict[str, object] | None, *overrides: str) -> tuple[str, ...]:
        named = None if source is None else Source(source)
        return _on_end(Asked(named, "", "a", overrides, ResultsDirectory("r"), None), space)

    assert asked(None) == asked({"name": "a"}) == asked(None, "on_end_=1") == ()
    assert "on_end stands in the record alone, and is not run" in capsys.readouterr().err
    assert asked({"on_end": ["evil"]}) == asked(None, "on_end=[evil]") == ("evil",)
