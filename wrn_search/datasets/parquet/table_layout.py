"""Which files of a folder have the rows that are trained on, that validate, and that are tested with: by data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wrn_search.datasets.parquet.parquet_layout import (
    others_of,
    test_files_of,
    test_files_there,
    training_files_of,
    validation_files_of,
)
from wrn_search.datasets.parquet.saved_to_disk import (
    saved_others,
    saved_test_files,
    saved_tests,
    saved_training_files,
    saved_validation,
)


@dataclass(frozen=True)
class TableLayout:
    """Functions of a root. Each raises InputError for what is not as it must be."""

    training: Callable[[Path], list[Path]]  # at least one
    validation: Callable[[Path], list[Path]]  # none where there are no such
    test: Callable[[Path], list[Path]]  # at least one
    tests_there: Callable[[Path], list[Path]]  # none where there are no such
    passed_over: Callable[[Path, bool], list[str]]  # lines on the others; whether validation files are used


PARQUET_LAYOUT = TableLayout(
    training_files_of, validation_files_of, test_files_of, test_files_there, others_of
)
SAVED_LAYOUT = TableLayout(
    saved_training_files,
    saved_validation,
    saved_test_files,
    saved_tests,
    saved_others,
)
