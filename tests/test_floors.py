"""The rules of the house, held against the source: who may import whom, how large a room and a file may be, names."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.cli.commands import modules_of
from tests.house import (
    MOST_FILES,
    MOST_LINES,
    PACKAGE,
    ROOMS,
    ROOT,
    WAY,
    diagram,
    floors,
    imports,
    module_of,
    room_of,
    source_files,
)

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TEST_SPLIT = "images.held_out_test_images"


def importers(target: str) -> set[str]:
    """Modules that import one of ours, wherever in the file."""
    return {
        module_of(path)
        for path in source_files()
        for _, module in imports(path)
        if module.removeprefix(f"{PACKAGE}.").startswith(target)
    }


def test_every_file_lies_in_a_room_of_the_table_and_every_room_is_there() -> None:
    assert {room_of(module_of(path)) for path in source_files()} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_the_table_allows(room: str) -> None:
    forbidden = []
    for path in source_files():
        for line, module in imports(path) if room_of(module_of(path)) == room else ():
            top, _, below = module.partition(".")
            if top == PACKAGE:
                target = room_of(below) if below else None
                # a name of the package itself, such as __version__, is no room
                allowed = target is None or target == room or target in ROOMS[room].imports
            else:
                allowed = top in ROOMS[room].third_parties or top in sys.stdlib_module_names
            if not allowed:
                forbidden.append(f"{path.relative_to(ROOT)}:{line}: {module}")
    assert forbidden == []


@pytest.mark.parametrize("room", ROOMS)
def test_the_table_holds_no_right_that_nobody_uses(room: str) -> None:
    used = {
        room_of(module.partition(".")[2])
        for path in source_files()
        if room_of(module_of(path)) == room
        for _, module in imports(path)
        if module.startswith(f"{PACKAGE}.")
    }
    assert ROOMS[room].imports - used == set()


@pytest.mark.parametrize("room", ROOMS)
def test_the_table_goes_down_the_floors(room: str) -> None:
    assert {each for each in ROOMS[room].imports if ROOMS[each].floor >= ROOMS[room].floor} == set()


def test_no_file_imports_itself_in_a_ring() -> None:
    modules = {f"{PACKAGE}.{module_of(path)}": path for path in source_files()}
    below = {name: {module for _, module in imports(path)} & modules.keys() for name, path in modules.items()}
    done: set[str] = set()

    def visit(name: str, chain: tuple[str, ...]) -> None:
        assert name not in chain, " -> ".join([*chain, name])
        if name not in done:
            for target in sorted(below[name]):
                visit(target, (*chain, name))
            done.add(name)

    for name in modules:
        visit(name, ())
    assert done == set(modules)


def sources(folder: Path) -> list[Path]:
    """The files of a folder that somebody wrote: Python, and what the report's page is made of."""
    return [path for path in folder.iterdir() if path.suffix in (".py", ".css", ".js")]


def test_no_folder_is_too_full() -> None:
    folders = {path.parent for path in source_files() if path.parent != ROOT}
    counts = {folder.relative_to(ROOT).as_posix(): len(sources(folder)) for folder in folders}
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_no_file_is_too_long() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in source_files()}
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > MOST_LINES} == {}


def test_two_files_share_a_name_only_as_halves_of_a_section_or_as_command_and_implementation() -> None:
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in source_files():
        if path.stem != "__init__":
            by_name[path.stem].append(path.parent.relative_to(ROOT).as_posix())
    strange = {}
    for name, folders in by_name.items():
        halves = set(folders) == {f"{PACKAGE}/analysis", f"{PACKAGE}/report"}
        command = len(folders) == 2 and f"{PACKAGE}/cli" in folders
        if len(folders) > 1 and not halves and not command:
            strange[name] = folders
    assert strange == {}


def test_every_section_of_the_report_has_its_two_halves() -> None:
    """A figure without a file of its numbers, or numbers without a figure, would be looked for in vain."""
    analysis, report = (
        {path.stem for path in (ROOT / PACKAGE / room).glob("[a-z]*.py")} for room in ("analysis", "report")
    )
    assert report - analysis == set()
    assert analysis - report == {"all_findings"}


def test_no_source_file_looks_like_a_test() -> None:
    assert [path for path in source_files() if path.stem.startswith("test_")] == []


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "base", "misc"])
def test_no_file_has_a_name_that_says_nothing(name: str) -> None:
    assert name not in {path.stem for path in source_files()}


def test_tests_mirror_the_rooms() -> None:
    """A test of one module lies in the folder of the same name."""
    modules = {path.stem: path.parent.relative_to(ROOT / PACKAGE) for path in source_files()[:-1]}
    shared = {path.stem for path in source_files() if [p.stem for p in source_files()].count(path.stem) > 1}
    astray = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        for stem in [path.stem.removeprefix("test_")]
        if stem in modules
        and stem not in shared
        and path.parent not in (ROOT / "tests" / modules[stem], ROOT / "tests")
    }
    assert astray == set()


def test_torch_is_imported_at_the_top_only_where_trials_train() -> None:
    """Whoever starts a search or reads one must not wait for torch: elsewhere a function that asks for it does."""
    trains = {
        "networks",
        "images",
        "memory",
        "memory.probe",
        "training",
        "winner",
        "speed",
        "lr_range",
        "pretrained",
    }
    early = {
        module_of(path)
        for path in source_files()
        if room_of(module_of(path)) not in trains
        and any(
            alias.name.partition(".")[0] == "torch"
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.Import)
            for alias in node.names
        )
    }
    assert early == set()


def test_only_a_confirmation_can_open_test_files() -> None:
    """Rule 1 of an honest search: from the one module that reads them up to the one command that reaches it."""
    assert importers(TEST_SPLIT) == {"readings.counted_readings", "readings.one_reading_trainable"}
    # A confirmation, and a session, which lets only `protocol: test_each` in.
    sessions = {"confirmation.confirmation_run", "session.kind_of_run"}
    assert importers("readings.one_reading_trainable") == {"readings.tested_trainings"}
    assert importers("readings.counted_readings") == importers("readings.tested_trainings") == sessions
    assert importers("confirmation.confirmation_run") == {"cli.confirm"}


def test_only_the_command_that_trains_nothing_lists_all_splits() -> None:
    """`data` compares test images with those that are trained on; what it sees reaches no search."""
    rooms = {room_of(module) for module in importers("survey")}
    assert rooms == {"survey", "cli"}
    assert {module for module in importers("survey") if room_of(module) == "cli"} == {
        "cli.before_a_search.data"
    }


def test_only_that_module_calls_a_data_sets_functions_of_the_test_split() -> None:
    callers = {
        module_of(path)
        for path in source_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("read_test_images", "check_test_images", "list_test_images")
    }
    # `cifar` makes two data sets of one class, whose methods they are; the contract is for the tests of a plugin's
    # author, and no part of the program may import its room.
    assert callers == {TEST_SPLIT, "datasets.cifar", "testing.dataset_contract"}
    assert not [name for name, room in ROOMS.items() if "testing" in room.imports]


def test_only_those_functions_name_a_test_split() -> None:
    """Nobody asks torchvision for it, or looks for the user's test files, behind their back."""
    ways = (
        "train=False",
        '/ "test"',
        '"test")',
        "TEST_PATTERN",
        "test_batch",
        ".test_list",
        "test_32x32",
        '/ "val"',
    )
    named = set()
    for path in source_files():
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        inside: set[int] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and "test" in node.name:
                inside |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        for number, line in enumerate(lines, start=1):
            if number not in inside and any(way in line for way in ways) and not line.startswith("TEST_"):
                named.add(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert named == set()


@pytest.mark.parametrize(
    "module",
    [
        "space.space_file",
        "results.table_reader",
        "analysis.all_findings",
        "report.html.write_report_file",
        "decisions.trial_lifecycle",
        "cli.search",
        "cli.search_summary",
        "__main__",
    ],
)
def test_reading_and_deciding_load_neither_torch_nor_ray(module: str) -> None:
    heavy = ("torch", "torchvision", "ray", "optuna", "pandas")
    assert modules_of(f"import {PACKAGE}.{module}", *heavy) == set()


@pytest.mark.parametrize(("start", "end", "what"), WAY)
def test_each_step_of_the_way_is_an_import(start: str, end: str, what: str) -> None:
    assert end in ROOMS[start].imports or start in ROOMS[end].imports


def test_the_page_shows_the_table_and_the_way() -> None:
    """To draw both anew: `python -m tests.house`."""
    assert f"```mermaid\n{diagram()}\n```" in PAGE
    assert floors() in PAGE


def test_the_page_names_only_files_that_are_there() -> None:
    named = [word for word in PAGE.split("`") if word.endswith((".py", ".css", ".js", "/"))]
    missing = [
        name
        for name in named
        if not (ROOT / name).exists() and not (ROOT / PACKAGE / name).exists() and "NAME" not in name
    ]
    assert named
    assert missing == []
