"""Which tests share a process when `make test` runs them in two: the tests of a file, and all those that start Ray.

Two Rays on two cores would only wait for each other, and tests that look at processes or free memory would see both.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

START_RAY = (
    "tests/cluster/test_cluster_token.py",
    "tests/ray_tune/test_loopback.py",
    "tests/ray_tune/test_private_ray.py",
    "tests/ray_tune/test_this_process.py",
    "tests/session/test_ray_that_does_not_start.py",
    "tests/session/test_resume.py",
    "tests/session/test_retry_failed.py",
    "tests/test_extending.py",
    "tests/test_golden_results.py",
    "tests/winner/test_end_to_end.py",
)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Tests of a file go to one process, and those of all files that start Ray to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "Ray" if _starts_ray(file) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Whatever `--dist` says."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that start Ray come first, as they take the longest."""
    items.sort(key=lambda item: not _starts_ray(item.nodeid.partition("::")[0]))


def _starts_ray(file: str) -> bool:
    return file in START_RAY or file.endswith("_end_to_end.py")
