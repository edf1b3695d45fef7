"""One search with stopped trials serves all tests of the audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.searches import audited_search
from tests.one_search_of_a_room import own_search
from tests.prepared_data_folder import prepared_data_folder

__all__ = ["own_search", "prepared_data_folder"]  # fixtures of every test here


@pytest.fixture(scope="package")
def searched(tmp_path_factory: pytest.TempPathFactory, prepared_data_folder: None) -> Path:
    """The results of `audited_search`; read only."""
    return audited_search(tmp_path_factory.mktemp("searched") / "small")
