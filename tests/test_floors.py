"""The house's floors: who may import whom, read from the source, imports inside functions included."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import modules_of

ROOT = Path(__file__).parent.parent
PACKAGE = "wrn_search"

# room -> (its floor, the other rooms it may import, third parties)
ROOMS: dict[str, tuple[int, set[str], set[str]]] = {
    "space": (0, {"complexity"}, {"pydantic", "pydantic_core", "yaml", "typing_extensions"}),
    "complexity": (0, {"space"}, set()),
    "memory": (0, {"space", "complexity"}, set()),
    "metrics": (0, set(), set()),
    "training": (
        1,
        {"space", "complexity", "memory", "metrics"},
        {"torch", "torchvision", "numpy", "PIL", "sklearn", "pyarrow", "filelock"},
    ),
    "results": (
        1,
        {"space", "complexity", "metrics"},
        {"pyarrow", "tensorboard", "pandas"},
    ),
    "search": (
        2,
        {"space", "complexity", "memory", "metrics", "training", "results"},
        {"ray", "optuna", "rich", "yaml", "torch"},
    ),
    "winner": (
        2,
        {"space", "complexity", "metrics", "training", "results"},
        {"torch", "numpy", "PIL", "onnx", "onnxruntime"},
    ),
    # scipy: quantiles of Student's t, Kendall's tau; yaml: the follow-up's space file
    "analysis": (
        2,
        {"space", "complexity", "metrics", "results"},
        {"numpy", "pandas", "optuna", "pyarrow", "scipy", "yaml"},
    ),
    "report": (
        2,
        {"space", "complexity", "metrics", "results", "analysis"},
        {"plotly", "matplotlib"},
    ),
    "cli": (
        3,
        {
            "space",
            "complexity",
            "memory",
            "metrics",
            "training",
            "results",
            "search",
            "analysis",
            "report",
            "winner",
        },
        {"rich"},
    ),
    "__main__": (3, {"space", "cli"}, set()),
    "run_search": (3, {"cli"}, set()),
    "__init__": (3, {"results", "search", "winner"}, set()),  # `run`, `read`, `load_model`, on first use
}


def files() -> list[Path]:
    """Every source file of the program."""
    return [*sorted((ROOT / PACKAGE).rglob("*.py")), ROOT / "run_search.py"]


def room_of(path: Path) -> str:
    """The room that a file lies in: its folder below the package, else its own name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if len(parts) > 1 else parts[0]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted module) of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide the room"
            if node.module == PACKAGE:
                yield from ((node.lineno, f"{PACKAGE}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module or ""


def test_every_file_lies_in_a_room_of_the_table() -> None:
    assert {room_of(path) for path in files()} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_the_table_allows(room: str) -> None:
    _, rooms, third_parties = ROOMS[room]
    forbidden = []
    for path in files():
        for line, module in imports(path) if room_of(path) == room else ():
            top, _, below = module.partition(".")
            if top == PACKAGE:
                target = below.partition(".")[0]
                # a name of the package itself, such as __version__, is no room
                allowed = target in {room, *rooms} or not target or target not in ROOMS
            else:
                allowed = top in third_parties or top in sys.stdlib_module_names
            if not allowed:
                forbidden.append(f"{path.relative_to(ROOT)}:{line}: {module}")

    assert forbidden == []


@pytest.mark.parametrize("room", ROOMS)
def test_the_table_itself_goes_down_the_floors(room: str) -> None:
    floor, rooms, _ = ROOMS[room]
    sideways = {
        ("space", "complexity"),  # one floor of values, in one direction for each pair of files
        ("complexity", "space"),
        ("memory", "space"),
        ("memory", "complexity"),
        ("report", "analysis"),  # the page draws what the analysis has found
        ("__main__", "cli"),
        ("run_search", "cli"),
    }

    assert {
        target for target in rooms if ROOMS[target][0] >= floor and (room, target) not in sideways
    } == set()


def test_search_imports_torch_only_where_a_function_asks_for_devices() -> None:
    users = set()
    for path in files():
        if room_of(path) == "search" and any(
            module.partition(".")[0] == "torch" for _, module in imports(path)
        ):
            users.add(path.name)
            at_the_top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import)]
            assert "torch" not in {alias.name for node in at_the_top for alias in node.names}, path

    assert users == {"precision.py", "sizing.py", "trainable.py"}


def test_only_a_confirmation_can_open_test_files() -> None:
    """Rule 1 of an honest search: from the one module that reads them up to the one command that reaches it."""
    users: dict[str, set[str]] = {}
    for path in files():
        for _, module in imports(path):
            users.setdefault(module, set()).add(path.relative_to(ROOT).as_posix())

    assert users[f"{PACKAGE}.training.test_split"] == {
        "wrn_search/search/confirmation.py",
        "wrn_search/search/confirmation_trainable.py",
    }
    assert users[f"{PACKAGE}.search.confirmation_trainable"] == {"wrn_search/search/confirmation.py"}
    assert users[f"{PACKAGE}.search.confirmation"] == {"wrn_search/cli/confirm.py"}


def test_no_other_file_names_a_test_split() -> None:
    """Nobody asks torchvision for it, or looks for the user's test files, behind the module's back."""
    ways = (
        "train=False",
        '/ "test"',
        'split="test"',
        "test*.parquet",
        "test_batch",
        ".test_list",
        "test_32x32",
    )
    named = {
        path.relative_to(ROOT).as_posix()
        for path in files()
        if any(way in path.read_text(encoding="utf-8") for way in ways)
    }

    assert named == {"wrn_search/training/test_split.py"}


def test_no_file_imports_itself_in_a_ring() -> None:
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files()}
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


@pytest.mark.parametrize(
    "module",
    [
        "space.reader",
        "results.reader",
        "analysis.summary",
        "analysis.findings",
        "report.write",
        "cli.search",
        "__main__",
    ],
)
def test_reading_loads_neither_torch_nor_ray(module: str) -> None:
    assert (
        modules_of(f"import {PACKAGE}.{module}", "torch", "torchvision", "ray", "optuna", "pandas") == set()
    )
