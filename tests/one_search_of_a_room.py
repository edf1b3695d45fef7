"""Of rooms whose tests share one search that was really trained: a copy of it to change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def own_search(searched: Path, tmp_path: Path) -> Path:
    """A copy of the room's `searched`."""
    return Path(shutil.copytree(searched, tmp_path / "small"))
