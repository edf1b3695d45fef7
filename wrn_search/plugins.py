"""Data sets and searchers that are not of this package: of a file that the user trusts, or of an installed package.

A plugin is the same piece of code as a file of `datasets/` or `searchers/`, and a line of a table: a file has tables
`DATASETS` or `SEARCHERS`, a package has entry points `wrn_search.datasets` or `wrn_search.searchers`. The tables take
them in when they are first imported. Space files never name code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from wrn_search.errors import InputError, Problem

VARIABLE = "WRN_SEARCH_PLUGINS"  # files, as PATH has folders; `--plugin` adds to it
SHIPPED = "wrn_search_plugins"  # the folder that brings files to the nodes of a cluster
_ARE_SHIPPED = "WRN_SEARCH_SHIPPED_PLUGINS"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPTION = "--plugin"
Part = TypeVar("Part")


@dataclass(frozen=True)
class Plugin:
    """Where a part comes from."""

    label: str  # the file, or the package with its version
    digest: str  # changes with its code


_modules: dict[str, ModuleType | None] = {}  # path of a file -> its module; None while it is imported
_parts: dict[tuple[str, str], Plugin] = {}  # (table, name) -> where it comes from


def plugged(table: str, kind: type[Part], own: Mapping[str, Part]) -> dict[str, Part]:
    """A table with the lines of all plugins below its own.

    Args:
        table: `datasets` or `searchers`.
        kind: what a line's value must be.
        own: the table of this package.

    Raises:
        InputError: every plugin that does not import, or has another thing in its table; with its file and line.
    """
    found: dict[str, Part] = dict(own)
    problems: list[Problem] = []
    for where, plugin, load in _sources(table):
        try:
            for name, part in load().items():
                problem = _problem(name, part, kind, found)
                if problem is not None:
                    problems.append(Problem(f"{table.upper()}[{name!r}]", problem, where))
                    continue
                found[name] = part
                _parts[table, name] = plugin
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return found


def plugin_of(table: str, name: str) -> Plugin | None:
    """The plugin that a line of a table comes from; None for one of this package."""
    return _parts.get((table, name))


def known_plugins() -> dict[str, str]:
    """Label -> digest of every plugin that a table has taken in."""
    return {plugin.label: plugin.digest for plugin in sorted(_parts.values(), key=lambda each: each.label)}


def plugin_files() -> list[Path]:
    """The files of `--plugin` and $WRN_SEARCH_PLUGINS, or what was brought to this node of them."""
    if os.environ.get(_ARE_SHIPPED):
        spec = importlib.util.find_spec(SHIPPED)
        folders = list(spec.submodule_search_locations or ()) if spec is not None else []
        return sorted(path for folder in folders for path in Path(folder).glob("p[0-9]*.py"))
    given = os.environ.get(VARIABLE, "").split(os.pathsep)
    return [Path(path) for path in dict.fromkeys(given) if path]


def use_plugins(arguments: Sequence[str]) -> None:
    """Takes note of every `--plugin FILE` of a command line, before the tables are imported.

    Raises:
        InputError: it comes too late, as in a process that has used the tables.
    """
    given = [str(Path(os.path.expandvars(path)).expanduser().absolute()) for path in _given(arguments)]
    if not given:
        return
    os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*map(str, plugin_files()), *given]))
    late = [path for path in given if path not in _modules]
    if late and "wrn_search.datasets.dataset_table" in sys.modules:
        text = f"must be known before anything of wrn_search is used: set {VARIABLE} before it is imported"
        raise InputError.of(_OPTION, f"{text}, but got {late[0]} later")


def shipped_files(folder: Path) -> Path | None:
    """Copies the files into a folder that Ray brings to every node; None where there are none.

    Raises:
        OSError: it cannot be written.
    """
    files = plugin_files()
    if not files:
        return None
    package = folder / SHIPPED
    package.mkdir()
    (package / "__init__.py").touch()
    for place, path in enumerate(files):
        shutil.copy(path, package / f"p{place:02d}_{path.name}")
    return package


def environment_of_nodes() -> dict[str, str]:
    """What tells a process of another node, which has the folder, to look there."""
    return {_ARE_SHIPPED: "1", VARIABLE: ""} if plugin_files() else {}


def environment_here() -> dict[str, str]:
    """What a process of another parent on this machine must be told."""
    return {name: os.environ[name] for name in (VARIABLE, _ARE_SHIPPED) if os.environ.get(name)}


def _given(arguments: Sequence[str]) -> Iterator[str]:
    waits = False
    for argument in arguments:
        if waits:
            yield argument
        elif argument.startswith(f"{_OPTION}="):
            yield argument.partition("=")[2]
        waits = argument == _OPTION and not waits


def _sources(table: str) -> Iterator[tuple[str, Plugin, Any]]:
    """(where, the plugin, what gives its lines) of each plugin that may have lines for a table."""
    for path in plugin_files():
        digest = _digest(path)
        label = re.sub(r"^p\d\d_", "", path.name) if os.environ.get(_ARE_SHIPPED) else path.name
        yield str(path), Plugin(label, digest), lambda path=path: _lines_of_file(path, table)
    for point in entry_points(group=f"wrn_search.{table}"):
        label = f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
        digest = hashlib.sha256(label.encode()).hexdigest()[:16]
        yield _where(point), Plugin(label, digest), lambda point=point: {point.name: _loaded(point)}


def _digest(path: Path) -> str:
    """Of a file's code; none of one that cannot be read, as its import will say."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""
    except OSError:
        return ""


def _problem(name: Any, part: Any, kind: type, taken: Mapping[str, Any]) -> str | None:
    """Why a line cannot be taken in; None if it can."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "must have a name of small letters, digits and _, at most 40, but has another"
    if not isinstance(part, kind):
        return f"must be a {kind.__name__}, but got {type(part).__name__}"
    if name in taken and taken[name] is not part:
        return "must have a name of its own, but there is one of that name"
    return None


def _lines_of_file(path: Path, table: str) -> Mapping[str, Any]:
    """The table of a file, which is imported once.

    Raises:
        InputError: it cannot be, or has no table.
    """
    key = str(path)
    if key not in _modules:
        _modules[key] = None
        try:
            _modules[key] = _imported(path)
        finally:
            if _modules[key] is None:
                del _modules[key]
    module = _modules[key]
    if module is None:
        text = "must not import the tables that it is a line of, such as dataset_table"
        raise InputError.of(_OPTION, f"{text}, but does", key)
    tables = {name: getattr(module, name) for name in ("DATASETS", "SEARCHERS") if hasattr(module, name)}
    if not tables:
        text = "must have a table DATASETS = {NAME: a Dataset} or SEARCHERS = {NAME: a SearcherKind}"
        raise InputError.of(_OPTION, f"{text}, but has neither", key)
    lines = tables.get(table.upper(), {})
    if not isinstance(lines, Mapping):
        text = f"must be a table {{NAME: ...}}, but got {type(lines).__name__}"
        raise InputError.of(table.upper(), text, key)
    return lines


def _imported(path: Path) -> ModuleType:
    if path.suffix != ".py" or not path.is_file():
        kind = "a folder" if path.is_dir() else "another file" if path.exists() else "none"
        raise InputError.of(_OPTION, f"must be a Python file (.py) that is there, but got {kind}", str(path))
    name = f"wrn_search_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as its dataclasses ask for it
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except BaseException as error:  # SystemExit too: a plugin does not end the program
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _failed(error, str(path), _OPTION) from error
    return module


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except InputError:
        raise
    except Exception as error:
        raise _failed(error, _where(point), point.group) from error


def _where(point: EntryPoint) -> str:
    of = f" of {point.dist.name} {point.dist.version}" if point.dist is not None else ""
    return f"entry point {point.name} = {point.value}{of}"


def _failed(error: BaseException, where: str, key: str) -> InputError:
    """That a plugin does not import: at the last of its own lines that was run, or that is no Python."""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}:{error.lineno}"
    else:
        frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == where]
        where = f"{where}:{frames[-1].lineno}" if frames else where
    told = " ".join(str(error).split())[:300]
    return InputError.of(key, f"must import, but got {type(error).__name__}: {told}", where)
