"""Options of the fault tests, the unbroken searches that they compare with, and the summary table."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.comparing import Verdict
from tests.faults.harness import ADAPTIVE, INDEPENDENT, Search, end_all, made_once

_VERDICTS = pytest.StashKey[list[Verdict]]()
_VERDICT = "verdict"  # of a test, as its report brings it from another process


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/faults --kills 50 --fault-seed 1`."""
    parser.addoption("--kills", type=int, default=10, help="random kills in all (default 10)")
    parser.addoption("--fault-seed", type=int, default=0, help="of the moments of the faults (default 0)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a fault test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_VERDICTS] = []
    config.pluginmanager.register(_Verdicts(config))


class _Verdicts:
    """Gathers the verdicts of all tests, whichever process they ran in."""

    def __init__(self, config: pytest.Config):
        self._gathered = config.stash[_VERDICTS]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The verdicts that a test reached before its report."""
        if report.when == "call":
            self._gathered += [Verdict(*each) for name, each in report.user_properties if name == _VERDICT]


def pytest_unconfigure() -> None:
    end_all()  # an unbroken search whose fixture failed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table of what was done and what came of it."""
    verdicts = config.stash.get(_VERDICTS, [])
    if not verdicts:
        return
    columns = ["fault", "kills", "lost", "doubled", "differing", "repeated at most", "verdict"]
    rows = [
        [each.fault, each.strikes, each.lost, each.doubled, each.differing, each.repeated, each.word]
        for each in verdicts
    ]
    totals = [sum(int(row[place]) for row in rows) for place in range(1, 5)]
    rows.append(["all", *totals, max(each.repeated for each in verdicts), ""])
    texts = [columns, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(columns))]
    terminalreporter.section("faults: (trial, epoch) and trial rows against an unbroken search")
    for row in texts:
        first, *others = (f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line("  ".join([first.strip().ljust(widths[0]), *others]))
    seed = config.getoption("--fault-seed", default=0)
    terminalreporter.write_line(
        f"seed of the moments {seed}; repeated: epochs of a trial trained once more after a fault"
    )


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Callable[[Verdict], None]:
    """Puts a verdict into the table and requires that all was kept."""

    def put(verdict: Verdict) -> None:
        request.node.user_properties.append((_VERDICT, dataclasses.astuple(verdict)))
        assert verdict.held, verdict

    return put


@pytest.fixture(autouse=True)
def _no_session_outlives_its_test() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """Of the moments."""
    return int(request.config.getoption("--fault-seed"))


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    """Random kills in all."""
    return int(request.config.getoption("--kills"))


@pytest.fixture(scope="package", autouse=True)
def _data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared images of these tests' own; slow tests that share their process have none of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(tmp_path_factory.mktemp("data")))
        patch.delenv("RAY_ADDRESS", raising=False)
        yield


@pytest.fixture(scope="package")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all processes of these tests."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "unbroken"
    folder.mkdir(exist_ok=True)
    return folder


def _unbroken(folder: Path, document: dict[str, Any]) -> Path:
    """Results of a search that nothing strikes."""
    return made_once(folder, lambda at: Search(at, document).finish()) / Search.name


@pytest.fixture(scope="package")
def adaptive(common: Path) -> Path:
    """Results of the unbroken search that proposes and stops by what it sees, one trial at a time."""
    return _unbroken(common / "adaptive", ADAPTIVE)


@pytest.fixture(scope="package")
def independent(common: Path) -> Path:
    """Results of the unbroken search whose trials know nothing of each other."""
    return _unbroken(common / "independent", INDEPENDENT)
