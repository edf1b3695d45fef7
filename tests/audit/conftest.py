"""One search with stopped trials serves all tests of the audit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.searches import audited_search


@pytest.fixture(scope="package", autouse=True)
def _data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRN_SEARCH_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="package")
def searched(tmp_path_factory: pytest.TempPathFactory, _data_folder: None) -> Path:
    """The results of `audited_search`; read only."""
    return audited_search(tmp_path_factory.mktemp("searched") / "small")


@pytest.fixture
def own_search(searched: Path, tmp_path: Path) -> Path:
    """A copy of it to audit."""
    return Path(shutil.copytree(searched, tmp_path / "small"))
