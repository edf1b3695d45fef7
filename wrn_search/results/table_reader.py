"""Reading the tables of one or many searches, of this version or an older one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wrn_search.errors import InputError, Problem, nearest
from wrn_search.results.results_directory import ResultsDirectory
from wrn_search.results.table_columns import (
    EPOCHS_SCHEMA,
    PRODUCTS,
    SCHEMA_VERSION,
    TRIALS_SCHEMA,
    VERSION_KEY,
)
from wrn_search.space.trial_config import LATER_LEAVES
from wrn_search.user_paths import user_path

if TYPE_CHECKING:
    import pandas as pd

Directories = Path | str | Sequence[Path | str]
_ATTEMPTS = 5
# Not `Int64` for all: pandas 3 makes objects of numbers as soon as such a column meets one of floats.
_LATER = {
    **dict.fromkeys(("peak_memory_bytes", "threads", "configuration", "retries", "rung"), "Int64"),
    "anchor": "boolean",
}
_FORMS = ("pandas", "pyarrow")


@overload
def read_results(
    *directories: Directories, as_: Literal["pandas"] = "pandas"
) -> tuple[pd.DataFrame, pd.DataFrame]: ...


@overload
def read_results(*directories: Directories, as_: Literal["pyarrow"]) -> tuple[pa.Table, pa.Table]: ...


def read_results(
    *directories: Directories, as_: str = "pandas"
) -> tuple[pd.DataFrame, pd.DataFrame] | tuple[pa.Table, pa.Table]:
    """(trials, epochs) of all results directories together, as `pandas` frames or `pyarrow` tables.

    `read(one, another)` and `read([one, another])` are the same.

    In pandas, whole numbers are int64; those that a trial may lack (`_LATER`) are `Int64`, which can be missing.

    Raises:
        InputError: see `read_tables`; or `as_` is neither.
    """
    if as_ not in _FORMS:
        raise InputError.of(
            "as_", f"must be one of {', '.join(_FORMS)}, but got {as_!r}{nearest(as_, _FORMS)}"
        )
    trials, epochs = read_tables(*named_paths(directories))
    if as_ == "pyarrow":
        return trials, epochs
    # pyarrow loads pandas here: only who asks for frames waits for it.
    return trials.to_pandas().astype(_LATER), epochs.to_pandas()


def named_paths(directories: Iterable[object]) -> Iterator[Path]:
    """Each directory, also of a list of them.

    Raises:
        InputError: something else came.
    """
    for directory in directories:
        if isinstance(directory, str | Path):
            yield user_path(directory, "")
        elif isinstance(directory, list | tuple):
            yield from named_paths(directory)
        else:
            raise InputError.of("", f"must be the path of a results directory, but got {directory!r:.80}")


def read_tables(*directories: Path | str) -> tuple[pa.Table, pa.Table]:
    """(trials, epochs) of all results directories together, in their order, as pyarrow.

    A search may be running: what the tables say is at most seconds old. Columns that an older version did not
    write are null, but those of later settings hold what all trials were trained by then, and products (`PRODUCTS`)
    follow from their factors.

    Raises:
        InputError: no directory is named, one is named twice, or any is missing, no results directory,
            unreadable or too new.
    """
    problems = naming_problems([Path(directory) for directory in directories])
    trials, epochs = [], []
    for directory in map(ResultsDirectory, directories):
        try:
            _check_directory(directory)
            trials.append(_read(directory.trials, TRIALS_SCHEMA))
            epochs.append(_read_epochs(directory))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return pa.concat_tables(trials), pa.concat_tables(epochs)


def naming_problems(paths: list[Path]) -> list[Problem]:
    """Trials that are read twice would be counted twice."""
    if not paths:
        return [Problem("", "at least one results directory must be named, but got none")]
    places = [ResultsDirectory(path).place for path in paths]
    twice = [path for place, path in enumerate(paths) if places[place] in places[:place]]
    return [
        Problem("", "a results directory must be named once, but came again", str(path)) for path in twice
    ]


def _check_directory(directory: ResultsDirectory) -> None:
    path = directory.path
    if directory.as_unreadable() or not path.exists():
        directory.check_is_there()
    if not directory.trials.is_file():
        text = f"must be a results directory, but holds no {directory.trials.name}"
        raise _problem(path, text + _nearby(path))


def _nearby(path: Path) -> str:
    """Results directories just below `path`: `results` may stand for `results/<name>`."""
    names = sorted(str(table.parent) for table in path.glob("*/trials.parquet")) if path.is_dir() else []
    return f" (did you mean {' or '.join(names[:3])}?)" if names else ""


def _read_epochs(directory: ResultsDirectory) -> pa.Table:
    """All part files together."""
    for _ in range(_ATTEMPTS):
        parts = sorted(directory.epochs.glob("*.parquet"))
        try:
            tables = [_read(part, EPOCHS_SCHEMA) for part in parts]
        except FileNotFoundError:
            continue  # compaction took a part away between the listing and the reading
        return pa.concat_tables([EPOCHS_SCHEMA.empty_table(), *tables])
    raise _problem(directory.epochs, f"part files must stay while they are read, but went {_ATTEMPTS} times")


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    """One file, brought to this version's columns.

    Raises:
        InputError: the file is not readable, not ours or of a newer version.
    """
    try:
        # A running search has hundreds of small part files: `read_table` and threads cost more than their reading.
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise _problem(path, f"must be a readable Parquet file, but got: {error}") from None
    version = (table.schema.metadata or {}).get(VERSION_KEY, b"").decode()
    if not version.isdecimal():
        raise _problem(path, "must be a table of a search, but its file metadata names no schema version")
    if int(version) > SCHEMA_VERSION:
        text = f"schema version must be at most {SCHEMA_VERSION}, but got {version} (update WRN Search)"
        raise _problem(path, text)
    return _conform(table, schema, path)


def _conform(table: pa.Table, schema: pa.Schema, path: Path) -> pa.Table:
    """The schema's columns in its order: missing ones are null, or what all trials were trained by then."""
    if table.schema.equals(schema):
        return pa.Table.from_arrays(table.columns, schema=schema)
    columns = []
    for field in schema:
        factors = PRODUCTS.get(field.name, ())
        if field.name not in table.column_names and factors and set(factors) <= set(table.column_names):
            columns.append(pc.multiply(*(table[name].cast(field.type) for name in factors)))
            continue
        if field.name not in table.column_names:
            # What earlier versions had no key for they trained by its default.
            value = pa.scalar(LATER_LEAVES.get(field.name), field.type)
            columns.append(pa.repeat(value, table.num_rows))
            continue
        try:
            columns.append(table[field.name].cast(field.type))
        except pa.ArrowException as error:
            text = f"column {field.name} must be {field.type}, but got {table[field.name].type}: {error}"
            raise _problem(path, text) from None
    return pa.Table.from_arrays(columns, schema=schema)


def _problem(path: Path, text: str) -> InputError:
    return InputError([Problem("", text, str(path))])
