"""One real search of thin networks serves all tests of what becomes of the winner."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.one_search_of_a_room import own_search
from tests.prepared_data_folder import prepared_data_folder
from tests.winner.searches import train_search

__all__ = ["own_search", "prepared_data_folder"]  # fixtures of every test here


@pytest.fixture(scope="package")
def searched(tmp_path_factory: pytest.TempPathFactory, prepared_data_folder: None) -> Path:
    """The results of `train_search`; read only."""
    return train_search(tmp_path_factory.mktemp("searched") / "small")
